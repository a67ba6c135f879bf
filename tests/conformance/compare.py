"""The rule of onnx's runner: same number of outputs, same shapes and types, values within the case's tolerance."""

from typing import Any, Optional, Sequence

import numpy as np

# Two units in the last place: values of sixteen bits are rounded to nothing finer.
LEAST_RTOL = {"bfloat16": 2.0**-6}


def difference(expected: Sequence[Any], actual: Sequence[Any], rtol: float, atol: float,
               values: bool = True) -> Optional[str]:
    """What differs, in a line, or None. `values` False: only kinds, shapes and types count."""
    if len(expected) != len(actual):
        return f"{len(actual)} outputs, expected {len(expected)}"
    for i, (want, got) in enumerate(zip(expected, actual)):
        found = _difference(want, got, rtol, atol, values)
        if found:
            return f"output {i}: {found}"
    return None


def _difference(want: Any, got: Any, rtol: float, atol: float, values: bool) -> Optional[str]:
    if want is None or got is None:
        return None if want is got else f"{_kind(got)}, expected {_kind(want)}"
    if isinstance(want, (list, tuple)):
        if not isinstance(got, (list, tuple)):
            return f"{_kind(got)}, expected a sequence"
        return difference(want, got, rtol, atol, values)
    if isinstance(got, (list, tuple, dict)):
        return f"{_kind(got)}, expected a tensor"
    want, got = np.asarray(want), np.asarray(got)
    if want.shape != got.shape:
        return f"shape {list(got.shape)}, expected {list(want.shape)}"
    if want.dtype.kind in "OUS":
        if values and want.astype(object).tolist() != got.astype(object).tolist():
            return "other strings"
        return None
    if want.dtype != got.dtype:
        return f"type {got.dtype}, expected {want.dtype}"
    return _values_differ(want, got, max(rtol, LEAST_RTOL.get(want.dtype.name, 0)), atol) if values else None


def _values_differ(want: np.ndarray, got: np.ndarray, rtol: float, atol: float) -> Optional[str]:
    if want.dtype.kind in "biu":
        wrong = want != got
    else:
        wide = np.complex128 if want.dtype.kind == "c" else np.float64
        want, got = want.astype(wide), got.astype(wide)
        wrong = ~np.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{int(wrong.sum())} of {wrong.size} values, as at {list(at)}: {got[at]}, expected {want[at]}"


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
