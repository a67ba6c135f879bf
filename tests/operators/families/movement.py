"""Operators that only move elements, and those that make tensors of sizes."""

import math

import numpy as np
from onnx import helper

from operators import models
from operators.case import EXACT, Bound, Case, element_type
from operators.registry import strategy

I64 = np.int64


def ints(*values) -> np.ndarray:
    return np.array(values, I64)


@strategy("Identity")
def identity(draw):
    return Case("Identity", [draw.values(draw.shape(), draw.dtype("V" if draw.since >= 14 else "T", narrow=True), special=True)], reference=lambda x: x)


@strategy("Concat")
def concat(draw):
    shape, kind, count = draw.shape(1, 4), draw.dtype(), draw.int(1, 4)
    axis = draw.axis(len(shape), negative=draw.since >= 11)
    pieces = []
    for _ in range(count):
        own = list(shape)
        own[axis] = draw.dim()
        pieces.append(draw.values(own, kind))
    return Case("Concat", pieces, {"axis": axis}, reference=lambda *x: np.concatenate(x, axis))


@strategy("Expand")
def expand(draw):
    shape = draw.shape()
    target = list(draw.broadcast(shape)) if draw.flag() else list(shape)
    x = draw.values(draw.broadcast(shape), draw.dtype())
    result = np.broadcast_shapes(x.shape, tuple(target))
    return Case("Expand", [x, ints(*target)], constants=draw.constants(1), reference=lambda x, _: np.broadcast_to(x, result))


@strategy("Flatten")
def flatten(draw):
    shape, attributes = draw.shape(0 if draw.since >= 9 else 1), {}
    axis = draw.maybe(attributes, "axis", draw.int(-len(shape) if draw.since >= 11 else 0, len(shape)))
    axis = min(1, len(shape)) if axis is None else axis
    if "axis" not in attributes and not shape:
        attributes["axis"] = axis = 0
    split = axis if axis >= 0 else axis + len(shape)
    return Case("Flatten", [draw.values(shape, draw.dtype())], attributes,
                reference=lambda x: x.reshape(math.prod(shape[:split]), math.prod(shape[split:])))


@strategy("Reshape")
def reshape(draw):
    shape = draw.shape(1, 4)
    order = draw.pick(["flat", "merge", "split", "copy", "same"])
    zero_is_zero = draw.since >= 14 and draw.flag()
    size = math.prod(shape)
    target = {"flat": [-1], "same": list(shape), "split": [*shape[:-1], 1, shape[-1]],
              "merge": [shape[0], math.prod(shape[1:])], "copy": [0, *shape[1:]]}[order]
    if order == "copy" and zero_is_zero and shape[0] != 0:
        target = list(shape)
    result = [shape[i] if t == 0 and not zero_is_zero and i < len(shape) else t for i, t in enumerate(target)]
    if 0 in target and not zero_is_zero and math.prod(d for d in result if d != -1) != size:
        target, result = [-1] if size else list(shape), [size]
    if size == 0 and -1 in target and not zero_is_zero:
        target = [0]  # a copy of the first, which may not be the one that is empty
        target = list(shape)
        result = list(shape)
    if size == 0 and (-1 in target or not zero_is_zero):
        target = result = list(shape)
    if -1 not in target and draw.flag() and size and 0 not in result:
        target[draw.int(0, len(target) - 1)] = -1
    attributes = {"allowzero": 1} if zero_is_zero and 0 in target or (zero_is_zero and draw.flag() and 0 not in target) else {}
    final = [size if d == -1 and len(result) == 1 else d for d in result]
    return Case("Reshape", [draw.values(shape, draw.dtype()), ints(*target)], attributes, constants=draw.constants(1),
                reference=lambda x, _: x.reshape(final))


def _axes_case(draw, x, axes, reference):
    """Axes are an attribute before 13, an input since."""
    if draw.since < 13:
        return Case(draw.op, [x], {} if axes is None else {"axes": axes}, reference=reference)
    inputs = [x] if axes is None else [x, ints(*axes)]
    # Squeezed sizes have to be known for a rank to be.
    return Case(draw.op, inputs, constants=frozenset({1} if axes is not None else ()), reference=reference)


@strategy("Squeeze")
def squeeze(draw):
    shape = list(draw.shape(1, 4))
    axes = draw.axes(len(shape), negative=draw.since >= 11, least=1)
    for axis in axes:
        shape[axis] = 1
    if draw.flag(4):
        return _axes_case(draw, draw.values(shape, draw.dtype()), None, lambda x, *_: np.squeeze(x))
    return _axes_case(draw, draw.values(shape, draw.dtype()), axes, lambda x, *_: np.squeeze(x, tuple(axes)))


@strategy("Unsqueeze")
def unsqueeze(draw):
    shape, count = draw.shape(0, 3), draw.int(1, 2)
    rank = len(shape) + count
    axes = draw.axes(rank, negative=draw.since >= 11, least=rank)[:count]
    return _axes_case(draw, draw.values(shape, draw.dtype()), axes, lambda x, *_: np.expand_dims(x, tuple(axes)))


@strategy("Transpose")
def transpose(draw):
    shape, attributes = draw.shape(), {}
    perm = draw.maybe(attributes, "perm", draw.permutation(len(shape))) if shape else None
    return Case("Transpose", [draw.values(shape, draw.dtype(narrow=True))], attributes, reference=lambda x: np.transpose(x, perm))


@strategy("Tile")
def tile(draw):
    shape = draw.shape(1, 4, most=5)
    repeats = [draw.int(0 if draw.flag(6) else 1, 3) for _ in shape]
    return Case("Tile", [draw.values(shape, draw.dtype()), ints(*repeats)], constants=draw.constants(1),
                reference=lambda x, _: np.tile(x, repeats))


FAR = 2**63 - 1


@strategy("Slice")
def slice_(draw):
    shape = draw.shape(1, 4)
    axes = draw.axes(len(shape), negative=draw.since >= 10, least=1)
    bound = lambda size: draw.pick([draw.int(-size - 2, size + 2), FAR, -FAR, 0])  # noqa: E731
    starts, ends = [bound(shape[a]) for a in axes], [bound(shape[a]) for a in axes]
    steps = [draw.pick([1, 2, -1, -2, 3]) if draw.since >= 10 and draw.flag() else 1 for _ in axes]
    given = draw.flag() or sorted(a % len(shape) for a in axes) != list(range(len(shape)))
    if not given:
        axes = list(range(len(shape)))
    windows = [slice(None)] * len(shape)
    for axis, start, end, step in zip(axes, starts, ends, steps):
        size = shape[axis]
        start, end = (v + size if v < 0 else v for v in (start, end))
        if step > 0:
            first, last = min(max(start, 0), size), min(max(end, 0), size)
        else:
            first, last = min(max(start, 0), size - 1), min(max(end, -1), size - 1)
        windows[axis] = np.arange(first, last, step) if size else np.arange(0)
    x = draw.values(shape, draw.dtype())

    def reference(x, *_):
        for axis, window in enumerate(windows):
            if not isinstance(window, slice):
                x = np.take(x, window, axis)
        return x

    if draw.since < 10:
        return Case("Slice", [x], {"starts": starts, "ends": ends, **({"axes": axes} if given else {})}, reference=reference)
    kind = draw.pick([np.int64, np.int32])
    clip = lambda values: np.clip(ints(*values), np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)  # noqa: E731
    inputs = [x, clip(starts), clip(ends), clip(axes) if given else None]
    if any(step != 1 for step in steps):
        inputs.append(clip(steps))
    return Case("Slice", inputs, constants=draw.constants(*(i for i in range(1, len(inputs)) if inputs[i] is not None)),
                reference=reference)


@strategy("Split")
def split(draw):
    shape = list(draw.shape(1, 4, least=1))
    axis, parts, attributes = draw.axis(len(shape), negative=draw.since >= 11), draw.int(1, 3), {}
    how = draw.pick(["sizes", "equal"])
    if how == "sizes":
        sizes = [draw.dim() for _ in range(parts)]
        shape[axis] = sum(sizes)
    elif draw.since >= 18:
        shape[axis] = draw.int(parts * parts, 20)
        piece = -(-shape[axis] // parts)
        sizes = [piece] * (parts - 1) + [shape[axis] - piece * (parts - 1)]
        attributes["num_outputs"] = parts
    else:
        sizes = [draw.dim(1)] * parts
        shape[axis] = sum(sizes)
    if axis != 0 or draw.flag():
        attributes["axis"] = axis
    inputs = [draw.values(shape, draw.dtype())]
    if how == "sizes":
        if draw.since < 13:
            attributes["split"] = sizes
        else:
            inputs.append(ints(*sizes))
    edges = np.cumsum(sizes)[:-1]
    return Case("Split", inputs, attributes, parts, draw.constants(1) if len(inputs) > 1 else frozenset(),
                reference=lambda x, *_: tuple(np.split(x, edges, axis)))


def padded(x, low, high, mode, value):
    """By index arithmetic; negative pads crop first, reflections and wraps repeat."""
    for axis, (before, after) in enumerate(zip(low, high)):
        size = x.shape[axis]
        kept = np.arange(max(0, -before), size - max(0, -after))
        n, before, after = len(kept), max(before, 0), max(after, 0)
        at = np.arange(-before, n + after)
        inside = (at >= 0) & (at < n)
        if mode == "constant":
            source = np.where(inside, at, 0)
            y = np.take(x, kept[source] if n else np.zeros(0, int), axis) if n else np.zeros(
                (*x.shape[:axis], 0, *x.shape[axis + 1:]), x.dtype)
            if n:
                mask = inside.reshape((-1,) + (1,) * (x.ndim - axis - 1))
                x = np.where(mask, y, np.array(value, x.dtype))
            else:
                x = np.full((*x.shape[:axis], before + after, *x.shape[axis + 1:]), value, x.dtype)
            continue
        if mode == "edge":
            at = np.clip(at, 0, n - 1)
        elif mode == "wrap":
            at = at % n
        else:
            period = max(2 * (n - 1), 1)
            at = at % period if n > 1 else at * 0
            at = np.where(at >= n, period - at, at)
        x = np.take(x, kept[at], axis)
    return x


@strategy("Pad")
def pad(draw):
    shape, attributes = draw.shape(1, 4, least=1), {}
    modes = ["constant", "reflect", "edge"] + (["wrap"] if draw.since >= 19 else [])
    mode = draw.maybe(attributes, "mode", draw.pick(modes)) or "constant"
    kind = draw.dtype()
    rank = len(shape)
    axes = draw.axes(rank, least=1) if draw.since >= 18 and draw.flag() else None
    chosen = list(range(rank)) if axes is None else axes
    least = -1 if draw.flag(3) else 0
    low, high = [0] * rank, [0] * rank
    for axis in chosen:
        size = shape[axis]
        most = size - 1 if mode == "reflect" else 3
        low[axis] = draw.int(least if size > 2 else 0, max(most, 0))
        high[axis] = draw.int(least if size > 2 else 0, max(most, 0))
        if mode == "reflect" and (low[axis] < 0 or high[axis] < 0):
            low[axis], high[axis] = min(low[axis], 0), min(high[axis], 0)
    given = [low[a] for a in chosen] + [high[a] for a in chosen]
    value = draw.pick([None, 0, 3])
    x = draw.values(shape, kind)
    if kind.kind == "O":
        value = None if value is None else "x"
    if kind.kind == "b":
        value = None if value is None else True
    filler = value if value is not None else "" if kind.kind == "O" else 0
    reference = lambda x, *_: padded(x, low, high, mode, filler)  # noqa: E731
    if draw.since < 11:
        if value is not None:
            attributes["value"] = float(value)
        return Case("Pad", [x], {**attributes, "pads": given}, reference=reference)
    inputs = [x, ints(*given), None if value is None else np.array(value, kind)]
    if axes is not None:
        inputs.append(ints(*axes))
    return Case("Pad", inputs, attributes, constants=draw.constants(1) | frozenset({3} if axes is not None else ()), reference=reference)


@strategy("CenterCropPad")
def center_crop_pad(draw):
    shape, attributes = draw.shape(1, 4, least=1), {}
    axes = draw.maybe(attributes, "axes", draw.axes(len(shape), least=1))
    axes = list(range(len(shape))) if axes is None else axes
    sizes = [draw.int(1, 9) for _ in axes]

    def reference(x, _):
        for axis, size in zip(axes, sizes):
            have = x.shape[axis]
            if have > size:
                first = (have - size) // 2
                x = np.take(x, np.arange(first, first + size), axis)
            else:
                widths = [(0, 0)] * x.ndim
                widths[axis] = ((size - have) // 2, size - have - (size - have) // 2)
                x = padded(x, [w[0] for w in widths], [w[1] for w in widths], "constant", 0)
        return x

    return Case("CenterCropPad", [draw.values(shape, draw.dtype(without=["tensor(string)"])), np.array(sizes, draw.pick([np.int64, np.int32]))], attributes,
                constants=draw.constants(1), reference=reference)


@strategy("DepthToSpace", "SpaceToDepth")
def depth_and_space(draw):
    block, attributes = draw.int(1, 3), {}
    kind = draw.dtype(without=["tensor(string)"])
    n, c, h, w = draw.dim(1, 3), draw.dim(1, 3), draw.dim(1, 4), draw.dim(1, 4)
    modes = draw.op == "DepthToSpace" and draw.since >= 11 or draw.op == "SpaceToDepth" and draw.since >= 28
    mode = (draw.maybe(attributes, "mode", draw.pick(["DCR", "CRD"])) if modes else None) or "DCR"
    attributes["blocksize"] = block

    def to_space(x):
        if mode == "DCR":
            return x.reshape(n, block, block, c, h, w).transpose(0, 3, 4, 1, 5, 2).reshape(n, c, h * block, w * block)
        return x.reshape(n, c, block, block, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c, h * block, w * block)

    def to_depth(x):
        y = x.reshape(n, c, h, block, w, block)
        return (y.transpose(0, 3, 5, 1, 2, 4) if mode == "DCR" else y.transpose(0, 1, 3, 5, 2, 4)).reshape(n, c * block**2, h, w)

    if draw.op == "DepthToSpace":
        return Case(draw.op, [draw.values((n, c * block**2, h, w), kind)], attributes, reference=to_space)
    return Case(draw.op, [draw.values((n, c, h * block, w * block), kind)], attributes, reference=to_depth)


@strategy("ReverseSequence")
def reverse_sequence(draw):
    shape, attributes = draw.shape(2, 4, least=1), {}
    batch_axis = draw.maybe(attributes, "batch_axis", draw.int(0, 1))
    batch_axis = 1 if batch_axis is None else batch_axis
    attributes["time_axis"] = time_axis = 1 - batch_axis
    if (batch_axis, time_axis) == (1, 0) and draw.flag():
        del attributes["time_axis"]
    lengths = [draw.int(1 if draw.since < 28 else 0, shape[time_axis]) for _ in range(shape[batch_axis])]

    def reference(x, _):
        y = np.moveaxis(x, (batch_axis, time_axis), (0, 1)).copy()
        for b, length in enumerate(lengths):
            y[b, :length] = y[b, :length][::-1]
        return np.moveaxis(y, (0, 1), (batch_axis, time_axis))

    return Case("ReverseSequence", [draw.values(shape, draw.dtype(without=["tensor(string)"])), ints(*lengths)], attributes, constants=draw.constants(1),
                reference=reference)


@strategy("Constant")
def constant(draw):
    kind = draw.dtype(narrow=True)
    x = draw.values(draw.shape(), kind)
    key = draw.pick(["value", "value_int", "value_floats", "value_ints", "value_float", "value_strings", "sparse_value"]
                    if draw.since >= 12 else ["value", "value", "sparse_value"] if draw.since >= 11 else ["value"])
    if key == "value":
        return Case("Constant", [], {"value": models.tensor(x, "t")}, reference=lambda: x)
    if key == "sparse_value":
        dense = np.zeros((3, 4), np.float32)
        dense[1, 2], dense[2, 0] = 5, -1
        sparse = helper.make_sparse_tensor(models.tensor(np.array([5, -1], np.float32), "v"),
                                           models.tensor(ints(6, 8), "i"), [3, 4])
        return Case("Constant", [], {"sparse_value": sparse}, reference=lambda: dense)
    value, array = {
        "value_int": (5, np.array(5, I64)), "value_float": (2.5, np.array(2.5, np.float32)),
        "value_ints": ([4, -1], ints(4, -1)), "value_floats": ([1.5, -2.0], np.array([1.5, -2], np.float32)),
        "value_strings": (["a", "合"], np.array(["a", "合"], object))}[key]
    return Case("Constant", [], {key: value}, reference=lambda: array)


@strategy("ConstantOfShape")
def constant_of_shape(draw):
    shape, attributes = draw.shape(), {}
    kind = draw.dtype("T2", narrow=True)
    value = draw.values((1,), kind)
    given = draw.maybe(attributes, "value", models.tensor(value, "t"))
    return Case("ConstantOfShape", [ints(*shape)], attributes, constants=draw.constants(0),
                reference=lambda _: np.full(shape, value[0] if given is not None else 0, kind if given is not None else np.float32))


@strategy("Shape")
def shape_(draw):
    shape, attributes = draw.shape(), {}
    start = end = None
    if draw.since >= 15:
        start = draw.maybe(attributes, "start", draw.int(-5, 5))
        end = draw.maybe(attributes, "end", draw.int(-5, 5))
    return Case("Shape", [draw.values(shape, draw.dtype(narrow=True))], attributes, reference=lambda x: ints(*x.shape[start:end]))


@strategy("Size")
def size_(draw):
    return Case("Size", [draw.values(draw.shape(), draw.dtype(narrow=True))], reference=lambda x: np.array(x.size, I64))


@strategy("Range")
def range_(draw):
    kind = draw.dtype()
    integral = kind.kind in "iu"
    start, delta = draw.int(0 if kind.kind == "u" else -5, 5), draw.pick([1, 2, 3] + ([] if kind.kind == "u" else [-1, -2]))
    limit = start + delta * draw.int(0, 9) + (0 if integral else draw.pick([0, 0.5]))
    if limit < 0 and kind.kind == "u":
        limit = 0
    count = max(0, math.ceil((limit - start) / delta))
    return Case("Range", [np.array(v, kind) for v in (start, limit, delta)],
                constants=draw.constants(0, 1, 2) if draw.flag() else frozenset(),
                bound=EXACT if integral else Bound(2, 4, 40.0),
                reference=lambda *_: (start + np.arange(count) * delta).astype(kind))


@strategy("EyeLike")
def eye_like(draw):
    attributes, shape = {}, draw.shape(2, 2)
    kind = draw.dtype("T1", without=["tensor(bool)"])
    target = kind
    if draw.flag():
        target = draw.dtype("T2")
        attributes["dtype"] = element_type(target)
    k = draw.maybe(attributes, "k", draw.int(-3, 3)) or 0
    return Case("EyeLike", [draw.values(shape, kind)], attributes, reference=lambda x: np.eye(*x.shape, k).astype(target))


@strategy("Trilu")
def trilu(draw):
    shape, attributes = draw.shape(2, 4), {}
    upper = draw.maybe(attributes, "upper", draw.int(0, 1))
    upper = 1 if upper is None else upper
    k = draw.int(-8, 8) if draw.flag() else None
    row, column = np.indices(shape[-2:])
    keep = column - row >= (k or 0) if upper else column - row <= (k or 0)
    inputs = [draw.values(shape, draw.dtype(without=["tensor(string)"]))] + ([] if k is None else [np.array(k, I64)])
    return Case("Trilu", inputs, attributes, constants=draw.constants(1) if k is not None else frozenset(),
                reference=lambda x, *_: np.where(keep, x, np.zeros((), x.dtype)))


@strategy("OneHot")
def one_hot(draw):
    shape, depth, attributes = draw.shape(0, 3), draw.int(1, 6), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape) + 1))
    kind = draw.dtype("T3", without=["tensor(string)"])
    index_kind = draw.dtype("T1", without=["tensor(bfloat16)", "tensor(float16)"])
    indices = draw.values(shape, index_kind, -depth - 1 if draw.since >= 11 else 0, depth + 1).astype(index_kind)
    if index_kind.kind == "f":
        indices = np.round(indices)
    off_on = np.array([0, 1] if draw.flag() else [1, 0], kind) if kind.kind == "b" else np.array([2, 5], kind)
    depth_input = np.array(depth, np.int64) if draw.flag() else np.array([depth], np.int64)

    def reference(indices, _, values):
        index = indices.astype(np.int64)
        index = np.where(index < 0, index + depth, index)
        hot = np.arange(depth) == index[..., None]
        return np.moveaxis(np.where(hot, values[1], values[0]), -1, axis if axis is not None else -1)

    return Case("OneHot", [indices, depth_input, off_on], attributes, constants=draw.constants(1), reference=reference)


