"""Normalisations. Bounds: roundings of the sums by their number of elements, of which the root
of a variance of about one passes on half; the outputs are of the order of the normalised inputs."""

import math

import numpy as np

from operators.case import Bound, Case
from operators.registry import strategy

SIZE = 8.0  # what a normalised value times its scale plus its bias is at most, about


def f64(*values):
    return [None if v is None else v.astype(np.float64) for v in values]


def _epsilon(draw, attributes, default=1e-5):
    value = draw.maybe(attributes, "epsilon", float(np.float32(draw.pick([1e-3, 0.1]))))
    return float(np.float32(default)) if value is None else value


def _channels(v, rank):
    return v.reshape(-1, *([1] * (rank - 2)))


@strategy("BatchNormalization")
def batch_normalization(draw):
    attributes = {}
    epsilon = _epsilon(draw, attributes)
    draw.maybe(attributes, "momentum", 0.8)
    if draw.since < 7:
        attributes["is_test"] = 1
    if draw.since < 9:
        draw.maybe(attributes, "spatial", draw.int(0, 1))
    kind = draw.dtype("T")
    scale_kind = draw.dtype("T1") if draw.since >= 15 else kind
    mean_kind = draw.dtype({14: "U", 15: "T2"}[draw.since]) if draw.since >= 14 else kind
    shape = (draw.dim(1, 3), draw.dim(1, 5), *draw.shape(0, 3))
    is_spatial = attributes.get("spatial", 1) != 0
    c = shape[1:2] if is_spatial else shape[1:]
    inputs = [draw.values(shape, kind), draw.values(c, scale_kind, 0.5, 1.5), draw.values(c, scale_kind),
              draw.values(c, mean_kind, -1, 1), draw.values(c, mean_kind, 0.5, 2)]

    def reference(x, s, b, m, v):
        x, s, b, m, v = f64(x, s, b, m, v)
        if is_spatial:
            s, b, m, v = (_channels(w, x.ndim) for w in (s, b, m, v))
        return (x - m) / np.sqrt(v + epsilon) * s + b

    return Case("BatchNormalization", inputs, attributes, constants=frozenset({1, 2, 3, 4}) if draw.flag() else frozenset(),
                bound=Bound(4, 12, 2 * SIZE), reference=reference)


@strategy("InstanceNormalization")
def instance_normalization(draw):
    attributes, kind = {}, draw.dtype()
    epsilon = _epsilon(draw, attributes)
    shape = (draw.dim(1, 3), draw.dim(1, 5), *draw.shape(1, 3, least=1))
    count = math.prod(shape[2:])
    inputs = [draw.values(shape, kind), draw.values((shape[1],), kind), draw.values((shape[1],), kind)]
    axes = tuple(range(2, len(shape)))

    def reference(x, s, b):
        x, s, b = f64(x, s, b)
        y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
        return y * _channels(s, x.ndim) + _channels(b, x.ndim)

    return Case("InstanceNormalization", inputs, attributes, constants=draw.constants(1, 2),
                bound=Bound(6, 4 * (count + 6) / math.sqrt(epsilon) ** (count == 1), 4 * math.sqrt(count) + SIZE), reference=reference)


@strategy("GroupNormalization")
def group_normalization(draw):
    attributes, kind, groups = {}, draw.dtype(), draw.int(1, 3)
    epsilon = _epsilon(draw, attributes)
    attributes["num_groups"] = groups
    shape = (draw.dim(1, 3), groups * draw.dim(2, 3), *draw.shape(1, 2, least=2))
    per = groups if draw.since < 21 else shape[1]
    if draw.since >= 21:
        draw.maybe(attributes, "stash_type", 1)
    count = math.prod(shape[1:]) // groups

    def reference(x, s, b):
        x, s, b = f64(x, s, b)
        y = x.reshape(x.shape[0], groups, -1)
        y = ((y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + epsilon)).reshape(x.shape)
        s, b = (_channels(np.repeat(v, shape[1] // per), x.ndim) for v in (s, b))
        return y * s + b

    inputs = [draw.values(shape, kind), draw.values((per,), kind), draw.values((per,), kind)]
    return Case("GroupNormalization", inputs, attributes, constants=draw.constants(1, 2),
                bound=Bound(6, 4 * (count + 6) + 3 * rounded_between(kind), 4 * math.sqrt(count) + SIZE), reference=reference)


def rounded_between(kind) -> float:
    """A rounding to a narrow type in the middle, as function bodies have it, in units of f32."""
    return 0.0 if kind.itemsize >= 4 else 2.0**13 if kind.name == "float16" else 2.0**16


@strategy("LayerNormalization", "RMSNormalization")
def layer_normalization(draw):
    attributes, shape, kind = {}, draw.shape(1, 4, least=2), draw.dtype("T")
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape)))
    axis = (-1 if axis is None else axis) % len(shape)
    epsilon = _epsilon(draw, attributes)
    draw.maybe(attributes, "stash_type", 1)
    kinds = kind if draw.op == "LayerNormalization" else draw.dtype("V")
    inputs = [draw.values(shape, kind), draw.values(shape[axis:], kinds)]
    outputs = 1
    if draw.op == "LayerNormalization":
        inputs += [draw.values(shape[axis:], kinds)] if draw.flag() else []
        outputs = 3 if draw.flag(4) and kind.itemsize == 4 else 1
    axes, count = tuple(range(axis, len(shape))), math.prod(shape[axis:])

    def reference(x, s, b=None):
        x, s, b = f64(x, s, b)
        mean = x.mean(axes, keepdims=True) if draw.op == "LayerNormalization" else 0
        inverse = 1 / np.sqrt(((x - mean)**2).mean(axes, keepdims=True) + epsilon)
        y = (x - mean) * inverse * s
        y = y if b is None else y + b
        return (y, mean, inverse) if outputs == 3 else y

    # Two passes in stash type, then rounded into the type of x before it is scaled.
    spread = 1 / math.sqrt(epsilon)  # where all values are nearly equal
    return Case(draw.op, inputs, attributes, outputs, draw.constants(1),
                Bound(6, 4 * (count + 6) * min(spread, 30) + 2 * rounded_between(kind), 4 * math.sqrt(count) + SIZE), reference=reference)


@strategy("LRN")
def lrn(draw):
    attributes, shape, kind = {"size": draw.int(1, 6)}, (draw.dim(1, 2), draw.dim(1, 7), *draw.shape(1, 2, least=1)), draw.dtype()
    size = attributes["size"]
    value = lambda key, default, given: (default if draw.maybe(attributes, key, given) is None else given)  # noqa: E731
    alpha, beta, bias = value("alpha", float(np.float32(1e-4)), 0.5), value("beta", 0.75, 0.5), value("bias", 1.0, 2.0)

    def reference(x):
        (x,) = f64(x)
        total = np.zeros_like(x)
        for c in range(x.shape[1]):
            first, last = max(0, c - (size - 1) // 2), min(x.shape[1], c + -(-(size - 1) // 2) + 1)
            total[:, c] = (x[:, first:last]**2).sum(1)
        return x / (bias + alpha / size * total)**beta

    return Case("LRN", [draw.values(shape, kind)], attributes, bound=Bound(size + 24), reference=reference)


@strategy("LpNormalization")
def lp_normalization(draw):
    attributes, shape, kind = {}, draw.shape(1, 4, least=1), draw.dtype()
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape)))
    p = draw.maybe(attributes, "p", draw.int(1, 2)) or 2
    axis = -1 if axis is None else axis
    x = draw.values(shape, kind)
    if draw.flag(4):
        x = np.zeros_like(x)

    def reference(x):
        (x,) = f64(x)
        norm = (np.abs(x)**p).sum(axis, keepdims=True)**(1 / p)
        return np.where(norm == 0, 0, x / np.where(norm == 0, 1, norm))

    return Case("LpNormalization", [x], attributes, bound=Bound(shape[axis] + 8), reference=reference)


@strategy("MeanVarianceNormalization")
def mean_variance_normalization(draw):
    attributes, shape, kind = {}, draw.shape(4, 4, least=2), draw.dtype()
    axes = draw.maybe(attributes, "axes", draw.axes(4, least=2)) or [0, 2, 3]
    along, count = tuple(a % 4 for a in axes), 1
    count = math.prod(shape[a] for a in along)

    def reference(x):
        (x,) = f64(x)
        return (x - x.mean(along, keepdims=True)) / (np.sqrt(x.var(along, keepdims=True)) + 1e-9)

    # Its function body takes the variance as E[x²] − E[x]², of terms up to 16.
    return Case("MeanVarianceNormalization", [draw.values(shape, kind)], attributes,
                bound=Bound(6, 4 * (count + 6) + 2 * rounded_between(kind), 16 * math.sqrt(count) * 4), reference=reference)
