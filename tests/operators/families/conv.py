"""Convolutions and pools, beside ONNX Runtime. Bound: one rounding per product and sum of the
window, of the sum of absolute products."""

import math

import numpy as np

from operators.case import EXACT, Bound, Case, is_float
from operators.registry import strategy


def window(draw, rank, size, attributes, transposed=False, dilate=True, most=3):
    """A window that fits: kernel, strides, pads, dilations."""
    kernel = [draw.int(1, min(most, size)) for _ in range(rank)]
    dilations = [draw.int(1, 2) if dilate and (k - 1) * 2 + 1 <= size else 1 for k in kernel]
    if any(d > 1 for d in dilations):
        attributes["dilations"] = dilations
    draw.maybe(attributes, "strides", [draw.int(1, 3) for _ in kernel])
    how = draw.pick(["NOTSET", "pads", "SAME_UPPER", "SAME_LOWER", "VALID"])
    if how == "pads":
        attributes["pads"] = [draw.int(0, k - 1) for k in kernel * 2]
    elif how != "NOTSET":
        attributes["auto_pad"] = how
    if how.startswith("SAME") and not transposed:
        attributes.pop("dilations", None)
    return kernel


@strategy("Conv")
def conv(draw):
    rank, attributes, kind = draw.int(1, 3), {}, draw.dtype()
    size = draw.pick([3, 5, 8] if rank < 3 else [3, 4])
    kernel = window(draw, rank, size, attributes)
    groups = draw.maybe(attributes, "group", draw.pick([1, 2, 4])) or 1
    channels, filters = groups * draw.int(1, 3), groups * draw.int(1, 3)
    if draw.flag():
        attributes["kernel_shape"] = kernel
    x = draw.values((draw.dim(1, 2), channels, *([size] * rank)), kind)
    inputs = [x, draw.values((filters, channels // groups, *kernel), kind)]
    if draw.flag():
        inputs.append(draw.values((filters,), kind))
    return Case("Conv", inputs, attributes, constants=frozenset({1, 2} & set(range(len(inputs)))) if draw.flag() else frozenset(),
                bound=Bound(1, channels // groups * math.prod(kernel) + 2, "linear"))


@strategy("ConvTranspose")
def conv_transpose(draw):
    rank, attributes, kind = draw.int(1, 2), {}, draw.dtype()
    size = draw.int(2, 5)
    kernel = window(draw, rank, size, attributes, transposed=True)
    strides = attributes.get("strides", [1] * rank)
    if "auto_pad" in attributes:
        attributes.pop("dilations", None)
        if any(k < s for k, s in zip(kernel, strides)):
            attributes.pop("auto_pad")  # pads would be negative
    groups = draw.maybe(attributes, "group", draw.pick([1, 2])) or 1
    if "auto_pad" not in attributes and any(s > 1 for s in strides):
        draw.maybe(attributes, "output_padding", [s - 1 for s in strides])
    channels, filters = groups * draw.int(1, 3), draw.int(1, 3)
    inputs = [draw.values((draw.dim(1, 2), channels, *([size] * rank)), kind), draw.values((channels, filters, *kernel), kind)]
    if draw.flag():
        inputs.append(draw.values((filters * groups,), kind))
    return Case("ConvTranspose", inputs, attributes, constants=frozenset({1}) if draw.flag() else frozenset(),
                bound=Bound(1, channels * math.prod(kernel) + 2, "linear"))


@strategy("ConvInteger")
def conv_integer(draw):
    attributes = {}
    kernel = window(draw, 2, 5, attributes)
    if "auto_pad" in attributes and attributes["auto_pad"].startswith("SAME"):
        del attributes["auto_pad"]
    groups = draw.maybe(attributes, "group", 2) or 1
    x = draw.values((1, 2 * groups, 5, 5), np.uint8, 0, 255)
    w = draw.values((2 * groups, 2, *kernel), np.uint8, 0, 255)
    inputs = [x, w] + ([draw.values((), np.uint8, 0, 200)] if draw.flag() else [])
    if len(inputs) > 2 and draw.flag():
        inputs.append(draw.values((), np.uint8, 0, 200))
    return Case("ConvInteger", inputs, attributes, constants=frozenset(range(1, len(inputs))) if draw.flag() else frozenset())


@strategy("QLinearConv")
def qlinear_conv(draw):
    attributes = {}
    kernel = window(draw, 2, 5, attributes)
    kind = draw.pick([np.uint8, np.int8])
    weights = draw.pick([np.uint8, np.int8]) if kind == np.uint8 else np.int8
    scale = lambda *shape: draw.rng().uniform(0.01, 0.1, shape).astype(np.float32)  # noqa: E731
    per_channel = draw.flag()
    inputs = [draw.values((1, 2, 5, 5), kind, -128, 255), scale(), draw.values((), kind, -3, 3),
              draw.values((3, 2, *kernel), weights, -128, 255), scale(3) if per_channel else scale(),
              np.zeros(3 if per_channel else (), weights), scale() * np.float32(20), draw.values((), kind, -3, 3)]
    inputs = [np.asarray(value) for value in inputs]
    if draw.flag():
        inputs.append(draw.values((3,), np.int32, -500, 500))
    # The scale is rounded to f32: what lies at a tie goes either way.
    return Case("QLinearConv", inputs, attributes, constants=frozenset(range(1, len(inputs))), bound=Bound(steps=1))


@strategy("AveragePool", "MaxPool", "LpPool")
def pool(draw):
    rank, attributes, kind = draw.int(1, 3), {}, draw.dtype()
    size = draw.pick([3, 5, 8] if rank < 3 else [3, 4])
    dilate = draw.since >= {"AveragePool": 19, "MaxPool": 10, "LpPool": 18}[draw.op]
    kernel = window(draw, rank, size, attributes, dilate=dilate)
    attributes["kernel_shape"] = kernel
    if draw.since >= {"AveragePool": 10, "MaxPool": 10, "LpPool": 18}[draw.op] and "auto_pad" not in attributes:
        draw.maybe(attributes, "ceil_mode", 1)
    outputs = 1
    if draw.op == "AveragePool" and draw.since >= 7:
        draw.maybe(attributes, "count_include_pad", 1)
    if draw.op == "LpPool":
        draw.maybe(attributes, "p", draw.int(1, 3))
    if draw.op == "MaxPool" and draw.since >= 8:
        outputs = draw.int(1, 2)
        draw.maybe(attributes, "storage_order", draw.int(0, 1) if outputs == 2 else 0)
    x = draw.values((draw.dim(1, 2), draw.dim(1, 3), *([size] * rank)), kind)
    count = math.prod(kernel)
    bound = {"AveragePool": Bound(3, count, 4.0), "MaxPool": EXACT, "LpPool": Bound(count + 40)}[draw.op]
    return Case(draw.op, [x], attributes, outputs, bound=bound if is_float(kind) else EXACT,
                reference=lambda x: pooled(draw.op, attributes, outputs, x))


def pooled(op, attributes, outputs, x):
    """By the schema's text, one window after the other."""
    kernel = attributes["kernel_shape"]
    rank, sizes = len(kernel), x.shape[2:]
    strides, dilations = attributes.get("strides", [1] * rank), attributes.get("dilations", [1] * rank)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    auto = attributes.get("auto_pad", "NOTSET")
    pads = attributes.get("pads", [0] * 2 * rank)
    low, high = list(pads[:rank]), list(pads[rank:])
    if auto.startswith("SAME"):
        out = [-(-n // s) for n, s in zip(sizes, strides)]
        for a in range(rank):
            total = max(0, (out[a] - 1) * strides[a] + reach[a] - sizes[a])
            low[a] = total // 2 if auto == "SAME_UPPER" else total - total // 2
            high[a] = total - low[a]
    else:
        out = []
        for a in range(rank):
            room = sizes[a] + low[a] + high[a] - reach[a]
            count = (-(-room // strides[a]) if attributes.get("ceil_mode") else room // strides[a]) + 1
            if attributes.get("ceil_mode") and (count - 1) * strides[a] >= sizes[a] + low[a]:
                count -= 1
            out.append(count)
    y = np.zeros((*x.shape[:2], *out), np.float64 if is_float(x.dtype) else x.dtype)
    where = np.zeros(y.shape, np.int64)
    flat_strides = [math.prod(sizes[a + 1:]) for a in range(rank)]
    if attributes.get("storage_order"):
        flat_strides = [math.prod(sizes[:a]) for a in range(rank)]
    for at in np.ndindex(*out):
        places = [np.array([at[a] * strides[a] - low[a] + k * dilations[a] for k in range(kernel[a])]) for a in range(rank)]
        inside = [p[(p >= 0) & (p < n)] for p, n in zip(places, sizes)]
        padded_count = math.prod(int(((p >= -l) & (p < n + h)).sum()) for p, n, l, h in zip(places, sizes, low, high))
        block = x[(slice(None), slice(None), *np.ix_(*inside))].astype(y.dtype).reshape(*x.shape[:2], -1)
        spot = (slice(None), slice(None), *at)
        if op == "AveragePool":
            divisor = padded_count if attributes.get("count_include_pad") else block.shape[-1]
            y[spot] = block.sum(-1) / divisor
        elif op == "LpPool":
            p = attributes.get("p", 2)
            y[spot] = (np.abs(block)**p).sum(-1)**(1 / p)
        else:
            y[spot] = block.max(-1)
            flat = sum(np.ix_(*inside)[a] * flat_strides[a] for a in range(rank)).reshape(-1)
            plane = np.arange(math.prod(x.shape[:2])).reshape(x.shape[:2]) * math.prod(sizes)
            where[spot] = flat[block.argmax(-1)] + plane
    return (y, where) if outputs == 2 else y


@strategy("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(draw):
    kind, attributes = draw.dtype(), {}
    x = draw.values((draw.dim(1, 3), draw.dim(1, 5), *draw.shape(1, 3, least=1)), kind)
    p = (draw.maybe(attributes, "p", draw.int(1, 3)) or 2) if draw.op == "GlobalLpPool" else 2
    axes, count = tuple(range(2, x.ndim)), math.prod(x.shape[2:])
    formula = {"GlobalAveragePool": lambda y: y.mean(axes, keepdims=True), "GlobalMaxPool": lambda y: y.max(axes, keepdims=True),
               "GlobalLpPool": lambda y: (np.abs(y)**p).sum(axes, keepdims=True)**(1 / p)}[draw.op]
    bound = {"GlobalAveragePool": Bound(3, count, 4.0), "GlobalMaxPool": EXACT, "GlobalLpPool": Bound(count + 40)}[draw.op]
    return Case(draw.op, [x], attributes, bound=bound, reference=lambda x: formula(x.astype(np.float64)))


@strategy("MaxUnpool")
def max_unpool(draw):
    kind = draw.dtype("T1")
    n, c, h, w = draw.dim(1, 2), draw.dim(1, 2), draw.int(1, 3), draw.int(1, 3)
    x = draw.values((n, c, h, w), kind)
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2]}
    places = np.stack([draw.rng().permutation(4 * h * w)[:h * w] for _ in range(n * c)]).reshape(n, c, h, w)
    indices = (places + (np.arange(n * c) * 4 * h * w).reshape(n, c, 1, 1)).astype(np.int64)

    def reference(x, i):
        y = np.zeros(n * c * h * w * 4, x.dtype)
        y[i.ravel()] = x.ravel()
        return y.reshape(n, c, 2 * h, 2 * w)

    return Case("MaxUnpool", [x, indices], attributes, reference=reference)


@strategy("Col2Im")
def col2im(draw):
    image, block, attributes = [draw.int(3, 6), draw.int(3, 6)], [draw.int(1, 3), draw.int(1, 3)], {}
    strides = draw.maybe(attributes, "strides", [draw.int(1, 2), draw.int(1, 2)]) or [1, 1]
    pads = draw.maybe(attributes, "pads", [draw.int(0, b - 1) for b in block * 2]) or [0] * 4
    count = math.prod((image[a] + pads[a] + pads[a + 2] - block[a]) // strides[a] + 1 for a in range(2))
    n, c, kind = draw.dim(1, 2), draw.dim(1, 3), np.dtype(np.float32)
    return Case("Col2Im", [draw.values((n, c * math.prod(block), count), kind), np.array(image, np.int64), np.array(block, np.int64)],
                attributes, constants=draw.constants(1, 2), bound=Bound(1, math.prod(block), "linear"))


@strategy("CausalConvWithState")
def causal_conv(draw):
    n, c, length, k, attributes = draw.dim(1, 2), draw.dim(1, 5), draw.dim(1, 9), draw.int(1, 4), {}
    act = draw.maybe(attributes, "activation", draw.pick(["none", "silu", "swish"])) or "none"
    kind = draw.dtype()
    inputs = [draw.values((n, c, length), kind), draw.values((c, 1, k), kind), None, None]
    if draw.flag():
        inputs[2] = draw.values((c,), kind)
    if draw.flag():
        inputs[3] = draw.values((n, c, k - 1), kind)

    def reference(x, w, bias=None, past=None):
        x, w = x.astype(np.float64), w.astype(np.float64)
        past = np.zeros((n, c, k - 1)) if past is None else past.astype(np.float64)
        whole = np.concatenate([past, x], -1)
        y = sum(whole[..., i:i + length] * w[:, 0, i][:, None] for i in range(k))
        y = y if bias is None else y + bias.astype(np.float64)[:, None]
        y = y if act == "none" else y / (1 + np.exp(-y))
        return y, whole[..., whole.shape[-1] - (k - 1):]

    # 8 roundings of the activation, whose argument may be as large as the sum.
    return Case("CausalConvWithState", inputs, attributes, 2, bound=Bound(20, k + 20, 16.0 * (k + 1)), reference=reference)
