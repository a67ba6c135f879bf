"""What fails today, each with the words of its failure. test_faults.py has the smallest case of
each, and says so when it is mended; then its line here goes, too."""

import re
from typing import NamedTuple, Optional

from operators.case import Case


class Known(NamedTuple):
    ops: str  # a regular expression for names of operators
    reason: str  # one for the failure
    note: str


UNSUPPORTED = "Gradient"  # every case of these is refused

KNOWN = (
    Known(UNSUPPORTED, r"is not supported \(opset", "operator not there yet"),
    Known(".*", r"takes tensors of numbers", "strings are not moved by this operator yet"),
    Known("TreeEnsembleRegressor", r"values, as at", "ONNX Runtime leaves the base value of a target out that no leaf of the row names; the schema adds it"),
    Known("TreeEnsembleClassifier", r"values, as at", "ONNX Runtime calls the classes of two scores 0 and 1, whatever their labels are"),
    Known("Squeeze|GatherND", "rank hangs on a condition", "a rank that only the run knows cannot leave the graph: refused with the remedy"),
    Known(".*", "must be known when compiling", "hangs on a size that is a symbol: refused with the remedy"),
)


def known(case: Case, verdict: str, reason: str) -> Optional[str]:
    """Why this failure is expected, or None. A crash never is."""
    if verdict in ("crash", "timeout"):
        return None
    for entry in KNOWN:
        if re.fullmatch(entry.ops, case.op) and re.search(entry.reason, reason):
            return entry.note
    return None


def unsupported(op: str, since: int) -> bool:
    return re.fullmatch(UNSUPPORTED, op) is not None
