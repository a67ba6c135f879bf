"""What fails today, each with the words of its failure. test_faults.py has the smallest case of
each, and says so when it is mended; then its line here goes, too."""

import re
from collections import defaultdict
from typing import Callable, NamedTuple, Optional

import numpy as np

from operators.case import Case


class Known(NamedTuple):
    ops: str  # a regular expression for names of operators
    reason: str  # one for the failure
    note: str
    holds: Callable[[Case], bool] = lambda case: True  # of which cases alone this is known


def has_strings(case: Case) -> bool:
    return any(isinstance(value, np.ndarray) and value.dtype.kind in "OUS" for value in case.inputs)


def misses_a_base_value(case: Case) -> bool:
    """Whether a row may meet only leaves without a weight of some target that has a base value."""
    given = case.attributes
    if not any(key.startswith("base_values") for key in given):
        return False
    targets = defaultdict(lambda: defaultdict(set))  # by tree, by leaf
    for tree, node, target in zip(given["target_treeids"], given["target_nodeids"], given["target_ids"]):
        targets[tree][node].add(target)
    return any(all(any(target not in named for named in leaves.values()) for leaves in targets.values())
               for target in range(given["n_targets"]))


def has_two_scores(case: Case) -> bool:
    """Two classes with scores of their own, not called 0 and 1."""
    given = case.attributes
    names = given.get("classlabels_strings") or given.get("classlabels_int64s")
    return set(given["class_ids"]) == {0, 1} and len(names) == 2 and list(names) != [0, 1]


UNSUPPORTED = "Gradient"  # every case of these is refused

KNOWN = (
    Known(UNSUPPORTED, r"is not supported \(opset", "operator not there yet"),
    Known(".*", r"takes tensors of numbers", "strings are not moved by this operator yet", has_strings),
    Known("TreeEnsembleRegressor", r"values, as at", "ONNX Runtime leaves the base value of a target out that no leaf of the row names; the schema adds it",
          misses_a_base_value),
    Known("TreeEnsembleClassifier", r"output 0: .*values, as at", "ONNX Runtime calls the classes of two scores 0 and 1, whatever their labels are",
          has_two_scores),
    Known("Squeeze|GatherND", "rank hangs on a condition", "a rank that only the run knows cannot leave the graph: refused with the remedy"),
    Known(".*", "must be known when compiling", "hangs on a size that is a symbol: refused with the remedy"),
)


def known(case: Case, verdict: str, reason: str) -> Optional[str]:
    """Why this failure is expected, or None. A crash never is."""
    if verdict in ("crash", "timeout"):
        return None
    for entry in KNOWN:
        if re.fullmatch(entry.ops, case.op) and re.search(entry.reason, reason) and entry.holds(case):
            return entry.note
    return None


def unsupported(op: str, since: int) -> bool:
    return re.fullmatch(UNSUPPORTED, op) is not None
