"""Orders: top-k, unique, arg-reductions, running sums, suppression. NaN is the greatest value."""

import numpy as np

from operators.case import EXACT, Bound, Case, is_float
from operators.families.elementwise import wide, wrapped
from operators.registry import strategy


def few(draw, shape, kind, special=False):
    """Values that repeat."""
    x = draw.values(shape, kind, 0 if kind.kind == "u" else -3, 3, special)
    return np.asarray(np.rint(x.astype(np.float64)).astype(kind) if is_float(kind) and draw.flag() and not special else x)


@strategy("TopK")
def top_k(draw):
    shape, attributes = draw.shape(1, 3, least=1), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape), negative=draw.since >= 11))
    axis = -1 if axis is None else axis
    k, kind = draw.int(0 if draw.flag(8) else 1, shape[axis]), draw.dtype()
    largest = draw.maybe(attributes, "largest", draw.int(0, 1)) if draw.since >= 11 else None
    largest = 1 if largest is None else largest
    if draw.since >= 11:
        draw.maybe(attributes, "sorted", 1)
    x = few(draw, shape, kind, special=draw.since >= 10)

    def reference(x, *_):
        rows = np.moveaxis(x, axis, -1)
        y = wide(rows)
        order = np.argsort(-_rank(y) if largest else _rank(y), -1, kind="stable")  # equal ones by lower index
        order = order[..., :k]
        return np.moveaxis(np.take_along_axis(rows, order, -1), -1, axis), np.moveaxis(order, -1, axis).astype(np.int64)

    if draw.since < 10:
        attributes["k"] = max(k, 1)
        k = max(k, 1)
        return Case("TopK", [x], attributes, 2, reference=reference)
    return Case("TopK", [x, np.array([k], np.int64)], attributes, 2, draw.constants(1), Bound(1), reference=reference)


def _rank(y):
    """The rank among the different values; NaN sorts last and equals itself."""
    return np.unique(y, return_inverse=True)[1].reshape(y.shape)


@strategy("ArgMax", "ArgMin")
def arg_reduce(draw):
    shape, attributes = draw.shape(1, 4, least=1), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape), negative=draw.since >= 11)) or 0
    keep = draw.maybe(attributes, "keepdims", draw.int(0, 1))
    last = (draw.maybe(attributes, "select_last_index", draw.int(0, 1)) if draw.since >= 12 else 0) or 0
    x = few(draw, shape, draw.dtype())

    def reference(x):
        y = np.flip(wide(x), axis) if last else wide(x)
        found = (np.argmax if draw.op == "ArgMax" else np.argmin)(y, axis)
        found = x.shape[axis] - 1 - found if last else found
        return (np.expand_dims(found, axis) if keep != 0 else np.asarray(found)).astype(np.int64)

    return Case(draw.op, [x], attributes, reference=reference)


@strategy("CumSum", "CumProd")
def cumulative(draw):
    shape, attributes = draw.shape(1, 4), {}
    axis = draw.axis(len(shape))
    exclusive = draw.maybe(attributes, "exclusive", draw.int(0, 1))
    reverse = draw.maybe(attributes, "reverse", draw.int(0, 1))
    kind = draw.dtype()
    product = draw.op == "CumProd"
    x = draw.values(shape, kind, 0.5 if product and is_float(kind) else -2 if kind.kind != "u" else 0, 2)

    def reference(x, _):
        y = wide(x)
        y = np.flip(y, axis) if reverse else y
        with np.errstate(all="ignore"):
            result = np.multiply.accumulate(y, axis, dtype=y.dtype) if product else np.add.accumulate(y, axis, dtype=y.dtype)
        if exclusive:
            first = [slice(None)] * y.ndim
            first[axis] = slice(0, 1)
            cut = [slice(None)] * y.ndim
            cut[axis] = slice(0, max(y.shape[axis] - 1, 0))
            result = np.concatenate([np.full_like(y[tuple(first)], int(product)), result[tuple(cut)]], axis)
        return wrapped(np.flip(result, axis) if reverse else result, x)

    n = shape[axis]
    step = 1 if kind.itemsize >= 4 else 2.0**13 if kind.name == "float16" else 2.0**16
    bound = EXACT if not is_float(kind) else Bound(n * step) if product else Bound(1, n * step, 2.0 * n)
    axis_kind = draw.pick([np.int64, np.int32])
    return Case(draw.op, [x, np.array(axis, axis_kind) if draw.flag() or draw.op == "CumProd" else np.array([axis], axis_kind)],
                attributes, constants=draw.constants(1), bound=bound, reference=reference)


@strategy("Unique")
def unique(draw):
    shape, attributes = draw.shape(1, 3, least=1, most=5), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape)))
    in_order = draw.maybe(attributes, "sorted", draw.int(0, 1)) == 0
    x = few(draw, shape, draw.dtype(without=["tensor(string)", "tensor(complex64)"]))
    outputs = draw.int(1, 4)

    def reference(x):
        values, first, inverse, counts = np.unique(x, True, True, True, axis)
        inverse = inverse.reshape(-1)
        if in_order:
            order = np.argsort(first, kind="stable")
            place = np.empty_like(order)
            place[order] = np.arange(len(order))
            values = np.take(values, order, axis or 0)
            first, counts, inverse = first[order], counts[order], place[inverse]
        return tuple(v if v is values else v.astype(np.int64) for v in (values, first, inverse, counts))[:outputs]

    return Case("Unique", [x], attributes, outputs, reference=reference)


@strategy("NonMaxSuppression")
def non_max_suppression(draw):
    batch, classes, boxes = draw.dim(1, 2), draw.dim(1, 3), draw.dim(1, 17)
    rng, attributes = draw.rng(), {}
    corners = rng.uniform(0, 1, (batch, boxes, 4)).astype(np.float32)
    if draw.maybe(attributes, "center_point_box", draw.int(0, 1)):
        corners[..., 2:] += np.float32(0.1)
    scores = rng.permutation(batch * classes * boxes).reshape(batch, classes, boxes).astype(np.float32)  # no ties
    inputs = [corners, scores, np.array([draw.int(0, 5)], np.int64)]
    if draw.flag():
        inputs.append(np.array([draw.pick([0.0, 0.3, 0.6, 1.0])], np.float32))
        if draw.flag():
            inputs.append(np.array([float(draw.int(0, 8)) + 0.5], np.float32))
    return Case("NonMaxSuppression", inputs, attributes, constants=draw.constants(2))

