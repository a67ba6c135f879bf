"""The rule: kinds, shapes and types as expected, exact values exact, floats within the case's bound."""

from typing import Optional

import ml_dtypes
import numpy as np

from operators.case import EXACT, Bound, Case, is_float
from operators.oracle import Expected


def judge(case: Case, want: Expected, got: list) -> Optional[str]:
    """What is wrong with the outputs, in a line, or None."""
    if case.check:
        return case.check(got)
    if len(got) != case.outputs:
        return f"{len(got)} outputs, expected {case.outputs}"
    for i, (right, value) in enumerate(zip(want.outputs, got)):
        if _is_other_float(case, right, value):
            return f"output {i}: type {value.dtype}, expected {right.dtype} (by {want.source})"
        magnitude = want.magnitude if i == 0 else _most(want.magnitude)
        found = _compare(right, value, case.bound, magnitude, want.own_error)
        if found:
            return f"output {i}: {found} (by {want.source})"
    return None


def _is_other_float(case: Case, right, value) -> bool:
    """Numbers that the oracle has widened stand for narrower ones: f64 for all, f32 for 16 bits."""
    kinds = [getattr(array, "dtype", None) for array in (right, value)]
    if None in kinds or not all(map(is_float, kinds)) or kinds[0] in (kinds[1], np.float64):
        return False
    is_narrow = any(getattr(array, "dtype", np.dtype(float)).itemsize == 2 for array in case.inputs if array is not None)
    return not (kinds[0] == np.float32 and kinds[1].itemsize == 2 and is_narrow)


def _most(magnitude) -> float:
    return float(np.max(np.abs(magnitude), initial=0.0))


def _compare(want, got, bound: Bound, magnitude, own_error: bool) -> Optional[str]:
    if want is None or got is None:
        return None if want is got else f"{type(got).__name__}, expected {type(want).__name__}"
    if isinstance(want, dict):
        if not isinstance(got, dict) or set(want) != set(got):
            return f"other keys: {got!r:.200}, expected {want!r:.200}"
        return _compare(list(want.values()), [got[key] for key in want], bound, magnitude, own_error)
    if isinstance(want, (list, tuple)) and not isinstance(got, np.ndarray):
        if not isinstance(got, (list, tuple)) or len(want) != len(got):
            return f"{got!r:.200}, expected {len(want)} elements"
        return next(filter(None, (_compare(w, g, bound, _most(magnitude), own_error) for w, g in zip(want, got))), None)
    want, got = np.asarray(want), np.asarray(got)
    if want.shape != got.shape:
        return f"shape {list(got.shape)}, expected {list(want.shape)}"
    if want.dtype.kind in "OUS":
        wrong = np.array([str(w) != str(g) for w, g in zip(want.ravel(), got.ravel())], bool).reshape(want.shape)
    elif is_float(want.dtype) and is_float(got.dtype):
        wrong = float_differs(want, got, bound, magnitude, own_error)
    elif want.dtype != got.dtype:
        return f"type {got.dtype}, expected {want.dtype}"
    elif want.dtype.kind == "c":
        wrong = np.reshape(want != got, want.shape)
    elif bound.steps and want.dtype.kind in "iu":
        wrong = np.abs(want.astype(np.float64) - got.astype(np.float64)) > bound.steps
    else:
        wrong = want != got
    if not np.any(wrong):
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{int(np.sum(wrong))} of {wrong.size} values, as at {list(at)}: {got[at]!r}, expected {want[at]!r}"


def float_differs(want, got, bound: Bound, magnitude, own_error: bool) -> np.ndarray:
    """Where a float is wrong. Expected f64 numbers may stand for any narrower type."""
    kind = got.dtype
    with np.errstate(all="ignore"):
        right = want.astype(kind).astype(np.float64)
        value = got.astype(np.float64)
        if bound is EXACT:
            same = (right == value) & (np.signbit(right) == np.signbit(value))
            return ~(same | (np.isnan(right) & np.isnan(value)))
        info = ml_dtypes.finfo(kind)
        unit = 2.0**-53 if kind == np.float64 else 2.0**-24
        size = np.abs(right)
        terms = np.where(np.isfinite(magnitude), magnitude, 0.0)
        allowed = unit * (bound.ulps * size + bound.terms * terms) * (2 if own_error else 1)
        if kind.itemsize < 4:  # one rounding of a number that is off by `allowed`
            allowed = allowed + float(info.eps) * (size + allowed)
        allowed = allowed + float(info.smallest_normal)
        near = np.abs(right - value) <= allowed
        # Near the end of the range either side may have become infinite.
        edge = (np.isinf(right) | np.isinf(value)) & (np.sign(right) == np.sign(value)) & (
            np.minimum(size, np.abs(value)) + allowed >= float(info.max))
        same = (right == value) | (np.isnan(right) & np.isnan(value))
        return ~(same | (np.isfinite(right) & np.isfinite(value) & near) | (edge & (np.isfinite(right) | np.isfinite(value))))
