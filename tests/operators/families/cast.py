"""Casts between every pair of types, against conversions written from the schema's text and
tables with exact arithmetic."""

import numpy as np

from operators.case import EXACT, Case, element_type, is_float
from operators.draw import DTYPES, allowed_types
from operators.registry import strategy

SUB_BYTE = ("int4", "uint4", "int2", "uint2")
NUMBERS = ["0", "-0", "1", "-7", "3.5", "1e3", "-2.5e-3", "INF", "+inf", "-INF", "NaN", "127"]


def _to_float(x, kind):
    """To nearest even, with one rounding only."""
    if x.dtype.kind in "biu":
        return x.astype(np.float64 if kind.itemsize < 4 else kind).astype(kind)
    if x.dtype.name in SUB_BYTE:
        return x.astype(np.int8).astype(kind)
    return x.astype(np.float64).astype(kind)


def cast(x: np.ndarray, kind: np.dtype) -> np.ndarray:
    if kind == np.bool_:
        return x.astype(np.float64) != 0 if is_float(x.dtype) else x != 0
    if is_float(kind):
        return _to_float(x, kind)
    if not is_float(x.dtype):
        low = x.astype(np.int64) if x.dtype != np.uint64 else x.view(np.int64)
        return low_bits(low, kind)
    y = np.trunc(x.astype(np.float64))
    if kind.name not in SUB_BYTE and kind.itemsize >= 4:
        limits = np.iinfo(kind)
        result = np.zeros(y.shape, kind)
        for at in np.ndindex(y.shape):
            v = y[at]
            result[at] = 0 if np.isnan(v) else limits.max if v >= float(limits.max) else limits.min if v <= float(limits.min) else int(v)
        return result
    as_i32 = cast(x, np.dtype(np.int32)).astype(np.int64)
    return low_bits(as_i32, kind)


def low_bits(x: np.ndarray, kind: np.dtype) -> np.ndarray:
    if kind.name not in SUB_BYTE:
        return x.astype(kind)
    bits = int(kind.name[-1])
    x = x & (2**bits - 1)
    return (np.where(x >= 2 ** (bits - 1), x - 2**bits, x) if kind.name[0] == "i" else x).astype(np.int8).astype(kind)


def _source(draw, kind, target):
    shape = draw.shape()
    if kind.kind == "O":
        text = draw.rng().integers(0, len(NUMBERS) if is_float(target) else 0 or 5, shape)
        words = NUMBERS if is_float(target) else ["0", "1", "7", "100", "64"]
        return np.array([words[i] for i in text.ravel()], object).reshape(shape)
    big = draw.flag(4)
    x = draw.values(shape, kind, -1e6 if big else -9, 1e6 if big else 9, special=target.kind != "O")
    return x


def _numbers_of_text(x, kind):
    y = np.array([float(text) for text in x.ravel()], np.float64).reshape(x.shape)
    return y.astype(kind) if is_float(kind) else cast(y, kind)


@strategy("Cast", "CastLike")
def cast_case(draw):
    # Floats of eight bits and less have a test of all their codes elsewhere.
    sources = [n for n in allowed_types("", draw.op, draw.since, "T1") if not any(k in n for k in ("float8", "float4", "complex"))]
    targets = [n for n in allowed_types("", draw.op, draw.since, "T2") if not any(k in n for k in ("float8", "float4", "complex"))]
    if draw.opset < 9 and draw.since < 9:
        sources, targets = ([n for n in names if n != "tensor(string)"] for names in (sources, targets))
    kind, target = np.dtype(DTYPES[draw.pick(sources)]), np.dtype(DTYPES[draw.pick(targets)])
    if target.kind == "O" and (kind.kind not in "iufb" or kind == np.float16):
        kind = np.dtype(np.int32)  # how narrow floats print is not said
    if kind.kind == "O" and (target.kind == "b" or target.name in SUB_BYTE):
        target = np.dtype(np.float32)
    attributes = {}
    if draw.since >= 19:
        draw.maybe(attributes, "saturate", draw.int(0, 1))
    x = _source(draw, kind, target)

    def reference(x, *_):
        if x.dtype == target:
            return x
        if x.dtype.kind == "O":
            return _numbers_of_text(x, target)
        if target.kind == "O":
            return np.array([_text(v) for v in x.ravel()], object).reshape(x.shape)
        return cast(x, target)

    if draw.op == "CastLike":
        return Case("CastLike", [x, draw.values(draw.shape(0, 2), target)], attributes, bound=EXACT, reference=reference)
    return Case("Cast", [x], {"to": element_type(target), **attributes}, bound=EXACT, reference=reference)


def _text(value) -> str:
    if isinstance(value, (np.bool_, bool)):
        return "1" if value else "0"
    return str(value)


@strategy("BitCast")
def bit_cast(draw):
    names = [n for n in allowed_types("", "BitCast", draw.since, "T1") if "string" not in n and not any(
        k in n for k in ("int4", "int2)", "float4", "complex128"))]
    kind = np.dtype(DTYPES[draw.pick(names)])
    same = [np.dtype(DTYPES[n]) for n in names if np.dtype(DTYPES[n]).itemsize == kind.itemsize and DTYPES[n] != np.bool_]
    target = draw.pick(same) if kind.kind != "b" else kind
    x = draw.values(draw.shape(), kind)
    return Case("BitCast", [x], {"to": element_type(target)}, reference=lambda x: np.ascontiguousarray(x).view(target).reshape(x.shape))
