"""Quantisation. round(x / s) is worked out in f32, as the operators say: a tie is a tie there."""

import ml_dtypes
import numpy as np

from operators.case import Bound, Case, element_type
from operators.draw import DTYPES, allowed_types
from operators.registry import strategy

SUB_BYTE = ("int4", "uint4", "int2", "uint2")


def _limits(kind):
    info = ml_dtypes.iinfo(kind) if kind.name in SUB_BYTE else np.iinfo(kind)
    return int(info.min), int(info.max)


def _layout(draw, attributes, shape, least_since=13, block_since=21):
    """-> shape of the scale, and how it spreads over x."""
    how = draw.pick(["tensor", "axis", "blocks"])
    if how == "blocks" and draw.since < block_since:
        how = "axis"
    if how == "axis" and draw.since < least_since or not shape:
        how = "tensor"
    if how == "tensor":
        return (), lambda s: s
    axis = draw.axis(len(shape))
    if axis != 1 or draw.flag():
        attributes["axis"] = axis
    if how == "axis":
        return (shape[axis],), lambda s: s.reshape([-1 if a == axis % len(shape) else 1 for a in range(len(shape))])
    block = draw.int(1, shape[axis])
    attributes["block_size"] = block
    scale_shape = list(shape)
    scale_shape[axis] = -(-shape[axis] // block)
    return scale_shape, lambda s: np.take(np.repeat(s, block, axis), np.arange(shape[axis]), axis)


def _quantized_kinds(draw, parameter):
    names = allowed_types("", draw.op, draw.since, parameter)
    return [np.dtype(DTYPES[n]) for n in names if "float" not in n]


@strategy("QuantizeLinear")
def quantize(draw):
    attributes, shape = {}, draw.shape(1, 3, least=1)
    scale_shape, spread = _layout(draw, attributes, shape)
    target = draw.pick(_quantized_kinds(draw, "T3" if draw.since >= 23 else "T2"))
    source = np.dtype(np.float32)
    scale_kind = source
    if draw.since >= 19 and draw.flag(4):
        source = scale_kind = np.dtype(np.float16)
    low, high = _limits(target)
    x = draw.values(shape, source, -20, 20, special=True)
    scale = (2.0 ** draw.rng().integers(-3, 1, scale_shape)).astype(scale_kind)  # ties on purpose
    if draw.flag():
        scale = draw.values(scale_shape, scale_kind, 0.05, 2)
    inputs, zero = [x, scale], np.zeros(scale_shape, np.int64)
    if target != np.uint8 or draw.flag():
        zero = draw.rng().integers(max(low, -9), min(high, 9), scale_shape, endpoint=True)
        inputs.append(np.asarray(zero).astype(np.int8 if target.name in SUB_BYTE else target).astype(target))
    if len(inputs) == 3 and draw.since >= 21 and draw.flag():
        attributes["output_dtype"] = element_type(target)

    def reference(x, s, z=None):
        with np.errstate(all="ignore"):
            # In f16 the quotient is rounded to f16.
            quotient = (x.astype(np.float32) / spread(s).astype(np.float32))
            quotient = quotient.astype(scale_kind).astype(np.float64)
            y = np.rint(quotient) + np.asarray(spread(zero))
        y = np.clip(np.where(np.isnan(y), low, y), low, high)
        return y.astype(np.int64).astype(np.int8 if target.name in SUB_BYTE else target).astype(target)

    return Case("QuantizeLinear", inputs, attributes, constants=draw.constants(1, *([2] if len(inputs) > 2 else [])),
                bound=Bound(steps=0 if scale_kind == np.float32 else 1), reference=reference)


@strategy("DequantizeLinear")
def dequantize(draw):
    attributes, shape = {}, draw.shape(1, 3, least=1)
    scale_shape, spread = _layout(draw, attributes, shape)
    kind = draw.pick(_quantized_kinds(draw, "T1" if draw.since >= 19 else "T"))
    scale_kind = np.dtype(np.float32) if draw.since < 19 or draw.flag() else draw.pick([np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)])
    low, high = _limits(kind)
    x = draw.values(shape, kind, low, high)
    scale = draw.values(scale_shape, scale_kind, 0.05, 2)
    inputs = [x, scale]
    if draw.flag() and kind != np.int32:
        inputs.append(draw.values(scale_shape, kind, low // 2, high // 2))

    def reference(x, s, z=None):
        wide = lambda v: v.astype(np.int64 if v.dtype.name not in SUB_BYTE else np.int8).astype(np.float64)  # noqa: E731
        return (wide(x) - (0 if z is None else spread(wide(z)))) * spread(s.astype(np.float64))

    # An int32 is rounded to f32 first.
    return Case("DequantizeLinear", inputs, attributes, constants=draw.constants(*range(1, len(inputs))), bound=Bound(2),
                reference=reference)


@strategy("DynamicQuantizeLinear")
def dynamic_quantize(draw):
    x = draw.values(draw.shape(1, 4, least=1), np.float32, draw.pick([-9, 0, 1]), draw.pick([9, 2]))
    if draw.flag(6):
        x = np.zeros_like(x)

    def reference(x):
        low, high = np.float32(min(0, x.min())), np.float32(max(0, x.max()))
        scale = np.float32((high - low) / np.float32(255)) if high != low else np.float32(1)
        zero = np.clip(np.rint(np.float32(-low / scale)), 0, 255)
        y = np.clip(np.rint((x / scale).astype(np.float32)) + zero, 0, 255)
        return y.astype(np.uint8), scale.astype(np.float64), np.asarray(zero).astype(np.uint8)

    return Case("DynamicQuantizeLinear", [x], {}, 3, bound=Bound(2, steps=1), reference=reference)
