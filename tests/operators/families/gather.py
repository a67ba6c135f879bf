"""Gathers, scatters and what compacts."""

import numpy as np

from operators.case import EXACT, Bound, Case, is_float
from operators.families.elementwise import wide, wrapped
from operators.registry import strategy

INDEX = (np.int64, np.int32)


@strategy("Gather")
def gather(draw):
    shape, attributes = draw.shape(1, 4, least=1), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape))) or 0
    x = draw.values(shape, draw.dtype())
    i = draw.indices(draw.shape(0, 2), shape[axis], draw.pick(INDEX), negative=draw.since >= 11)
    return Case("Gather", [x, i], attributes, constants=draw.constants(1), reference=lambda x, i: np.take(x, i, axis))


def _elements(shape, draw, axis):
    own = [draw.int(1, size) for size in shape]
    own[axis] = draw.dim(0, 9)
    return own


def _at(indices, axis):
    places = list(np.indices(indices.shape, sparse=True))
    places[axis] = indices
    return tuple(places)


@strategy("GatherElements")
def gather_elements(draw):
    shape, attributes = draw.shape(1, 4, least=1), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape))) or 0
    i = draw.indices(_elements(shape, draw, axis), shape[axis], draw.pick(INDEX))
    return Case("GatherElements", [draw.values(shape, draw.dtype()), i], attributes, constants=draw.constants(1),
                reference=lambda x, i: x[_at(i, axis)])


def _tuples(draw, shape, batch, count):
    leading = list(shape[:batch]) + list(draw.shape(0 if batch else 1, 2, most=4))
    columns = [draw.indices((*leading, 1), size) for size in shape[batch:batch + count]]
    return np.concatenate(columns, -1) if columns else np.zeros((*leading, 0), np.int64)


@strategy("GatherND")
def gather_nd(draw):
    shape, attributes = draw.shape(1, 4, least=1), {}
    batch = (draw.maybe(attributes, "batch_dims", draw.int(0, len(shape) - 1)) if draw.since >= 12 else 0) or 0
    count = draw.int(1, len(shape) - batch)
    i = _tuples(draw, shape, batch, count)

    def reference(x, i):
        grid = np.indices(i.shape[:-1], sparse=True)
        return x[(*grid[:batch], *np.moveaxis(i, -1, 0))]

    return Case("GatherND", [draw.values(shape, draw.dtype()), i], attributes, constants=draw.constants(1), reference=reference)


def _combine(how, a, b):
    return {"none": lambda: b, "add": lambda: a + b, "mul": lambda: a * b, "max": lambda: np.maximum(a, b),
            "min": lambda: np.minimum(a, b)}[how]()


def _how(draw, attributes, kind):
    choices = ["none"] + (["add", "mul"] if draw.since >= 16 else []) + (["max", "min"] if draw.since >= 18 else [])
    if kind.kind in "bOc":
        choices = ["none"]
    return (draw.maybe(attributes, "reduction", draw.pick(choices)) if draw.since >= 16 else None) or "none"


def _scatter_bound(how, count, kind):
    if how not in ("add", "mul") or not is_float(kind):
        return EXACT if how == "none" else Bound(1)
    # Narrow floats may be rounded after each update.
    step = 1 if kind.itemsize >= 4 else 2.0**13 if kind.name == "float16" else 2.0**16
    return Bound(count, count * step, 4.0 * count) if how == "add" else Bound(count * step)


@strategy("ScatterElements", "Scatter")
def scatter_elements(draw):
    shape, attributes = draw.shape(1, 3, least=1), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape), negative=draw.since >= 11)) or 0
    kind = draw.dtype()
    how = _how(draw, attributes, kind)
    i = draw.indices(_elements(shape, draw, axis), shape[axis], draw.pick(INDEX), negative=draw.since >= 11)
    x, u = draw.values(shape, kind, -1.5, 1.5), draw.values(i.shape, kind, -1.5, 1.5)

    def reference(x, i, u):
        y, u = wide(x).copy(), wide(u)
        for at in np.ndindex(i.shape):
            to = list(at)
            to[axis] = i[at]
            y[tuple(to)] = _combine(how, y[tuple(to)], u[at])
        return wrapped(y, x)

    return Case(draw.op, [x, i, u], attributes, bound=_scatter_bound(how, i.shape[axis], kind), reference=reference)


@strategy("ScatterND")
def scatter_nd(draw):
    shape, attributes = draw.shape(1, 3, least=1), {}
    kind = draw.dtype()
    how = _how(draw, attributes, kind)
    i = _tuples(draw, shape, 0, draw.int(1, len(shape)))
    x = draw.values(shape, kind, -1.5, 1.5)
    u = draw.values(i.shape[:-1] + shape[i.shape[-1]:], kind, -1.5, 1.5)

    def reference(x, i, u):
        y, u = wide(x).copy(), wide(u)
        for at in np.ndindex(i.shape[:-1]):
            to = tuple(i[at])
            y[to] = _combine(how, y[to], u[at])
        return wrapped(y, x)

    return Case("ScatterND", [x, i, u], attributes, bound=_scatter_bound(how, i[..., 0].size, kind), reference=reference)


@strategy("TensorScatter")
def tensor_scatter(draw):
    batch, heads, most, depth = draw.dim(1, 3), draw.dim(1, 3), draw.int(1, 6), draw.dim(1, 4)
    kind, attributes = draw.dtype(), {}
    shape, axis = ([batch, heads, most, depth], -2) if draw.flag() else ([batch, most, depth], 1)
    if axis != -2 or draw.flag():
        attributes["axis"] = axis
    length = draw.int(1, most)
    mode = draw.maybe(attributes, "mode", draw.pick(["linear", "circular"])) or "linear"
    start = draw.rng().integers(0, most - length + 1 if mode == "linear" else most, batch).astype(np.int64)
    inputs = [draw.values(shape, kind)]
    shape[axis] = length
    inputs += [draw.values(shape, kind)] + ([start] if draw.flag() else [])

    def reference(past, update, start=np.zeros(batch, np.int64)):
        y = past.copy()
        for b in range(batch):
            at = (start[b] + np.arange(length)) % most
            np.moveaxis(y[b], axis if axis < 0 else axis - 1, 0)[at] = np.moveaxis(update[b], axis if axis < 0 else axis - 1, 0)
        return y

    return Case("TensorScatter", inputs, attributes, reference=reference)


@strategy("Compress")
def compress(draw):
    shape, attributes = draw.shape(1, 3, least=1), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape), negative=draw.since >= 11))
    size = int(np.prod(shape)) if axis is None else shape[axis]
    keep = draw.values((draw.int(1, size),), np.bool_)
    return Case("Compress", [draw.values(shape, draw.dtype()), keep], attributes,
                reference=lambda x, c: np.compress(c, x, axis))


@strategy("NonZero")
def non_zero(draw):
    x = draw.values(draw.shape(1, 4), draw.dtype(without=["tensor(string)", "tensor(complex64)"]), -2, 2)
    x = np.where(draw.values(x.shape, np.bool_), x, np.zeros((), x.dtype)).astype(x.dtype)
    return Case("NonZero", [x], reference=lambda x: np.array(np.nonzero(x), np.int64).reshape(x.ndim, -1))
