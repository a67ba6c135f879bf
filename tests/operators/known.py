"""What fails today, each with the words of its failure. test_faults.py has the smallest case of
each, and says so when it is mended; then its line here goes, too."""

import re
from typing import NamedTuple, Optional

import ml_dtypes
import numpy as np

from operators.case import Case

NARROW = (np.float16, ml_dtypes.bfloat16)


class Known(NamedTuple):
    ops: str  # a regular expression for names of operators
    reason: str  # one for the failure
    note: str
    narrow: bool = False  # only where floats of 16 bits are among the inputs


UNSUPPORTED = "Gradient"  # every case of these is refused

KNOWN = (
    Known(UNSUPPORTED, r"is not supported \(opset", "operator not there yet"),
    Known(".*", r"takes tensors of numbers", "strings are not moved by this operator yet"),
    Known("BitCast", "all bits of 16-bit floats", "16-bit floats are widened around a bitcast"),
    Known("BitCast", r"no kernel takes elements of type f8", "8-bit floats have no kernel of their own"),
    Known("Unique", "operand must be a number", "Unique of complex numbers"),
    Known("TreeEnsembleRegressor", r"values, as at", "ONNX Runtime leaves the base value of a target out that no leaf of the row names; the schema adds it"),
    Known("TreeEnsembleClassifier", r"values, as at", "ONNX Runtime calls the classes of two scores 0 and 1, whatever their labels are"),
    Known("Squeeze|GatherND", "rank hangs on a condition", "a rank that only the run knows cannot leave the graph: refused with the remedy"),
    Known("ConvTranspose|Gemm", r"values, as at", "narrow floats are rounded in between", narrow=True),
    Known("Gemm|Unique|CausalConvWithState", "__truncsfbf2", "some kernels of bfloat16 need a library function: an internal error"),
    Known(".*", "must be known when compiling", "hangs on a size that is a symbol: refused with the remedy"),
    Known("BitCast", "must be numbers of equal width", "complex numbers are not seen as integers"),
    Known("Sin|Cos|Tan", "values, as at", "huge arguments are not reduced"),
)


def known(case: Case, verdict: str, reason: str) -> Optional[str]:
    """Why this failure is expected, or None. A crash never is."""
    if verdict in ("crash", "timeout"):
        return None
    for entry in KNOWN:
        if entry.narrow and not any(getattr(value, "dtype", None) in NARROW for value in case.inputs):
            continue
        if re.fullmatch(entry.ops, case.op) and re.search(entry.reason, reason):
            return entry.note
    return None


def unsupported(op: str, since: int) -> bool:
    return re.fullmatch(UNSUPPORTED, op) is not None
