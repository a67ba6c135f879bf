"""Random numbers: shapes, types and statistics, since no two engines draw the same."""

import math

import numpy as np

from operators.case import Case, element_type, is_float
from operators.registry import strategy

SIGMAS = 6  # a mean this many deviations off is wrong


def _check(shape, kind, mean, deviation, low=-math.inf, high=math.inf):
    def check(outputs):
        y = outputs[0]
        if y.shape != tuple(shape) or y.dtype != kind:
            return f"{y.dtype}{list(y.shape)}, expected {kind}{list(shape)}"
        y = y.astype(np.float64)
        if y.size and (y.min() < low or y.max() > high or not np.isfinite(y).all()):
            return f"values from {y.min()} to {y.max()}, expected {low} to {high}"
        rounding = 0 if kind.itemsize >= 4 or not is_float(kind) else 2.0**-7 * (abs(mean) + deviation)
        if y.size and abs(y.mean() - mean) > SIGMAS * deviation / math.sqrt(y.size) + rounding:
            return f"mean {y.mean()} of {y.size}, expected {mean}"
        return None

    return check


def _attributes(draw, parameter="T"):
    attributes, kind = {}, np.dtype(np.float32)
    if draw.flag():
        kind = draw.dtype(parameter)
        attributes["dtype"] = element_type(kind)
    draw.maybe(attributes, "seed", 7.0)
    return attributes, kind


@strategy("RandomNormal", "RandomNormalLike")
def normal(draw):
    like = draw.op.endswith("Like")
    attributes, kind = _attributes(draw, "T2" if like else "T")
    mean, scale = draw.maybe(attributes, "mean", 2.0) or 0.0, draw.maybe(attributes, "scale", 3.0) or 1.0
    shape = draw.shape(1, 3, most=33)
    if not like:
        attributes["shape"] = list(shape)
    return Case(draw.op, [np.zeros(shape, np.float32)] if like else [], attributes, check=_check(shape, kind, mean, scale))


@strategy("RandomUniform", "RandomUniformLike")
def uniform(draw):
    like = draw.op.endswith("Like")
    attributes, kind = _attributes(draw, "T2" if like else "T")
    low, high = draw.maybe(attributes, "low", -2.0) or 0.0, draw.maybe(attributes, "high", 3.0) or 1.0
    shape = draw.shape(1, 3, most=33)
    if not like:
        attributes["shape"] = list(shape)
    return Case(draw.op, [np.zeros(shape, np.float32)] if like else [], attributes,
                check=_check(shape, kind, (low + high) / 2, (high - low) / math.sqrt(12), low, high))


@strategy("Bernoulli")
def bernoulli(draw):
    """1 with probability p: the schema's text, against its function body."""
    attributes, kind, p = {}, np.dtype(np.float32), draw.pick([0.0, 1.0, 0.25])
    if draw.flag():
        kind = draw.dtype("T2")
        attributes["dtype"] = element_type(kind)
    draw.maybe(attributes, "seed", 7.0)
    shape = draw.shape(1, 3, most=33)
    return Case("Bernoulli", [np.full(shape, p, np.float32)], attributes, check=_check(shape, kind, p, math.sqrt(p * (1 - p)), 0, 1))


@strategy("Multinomial")
def multinomial(draw):
    attributes = {}
    samples = draw.maybe(attributes, "sample_size", draw.pick([8, 33])) or 1
    kind = np.dtype(np.int32)
    if draw.flag():
        kind = draw.dtype("T2")
        attributes["dtype"] = element_type(kind)
    draw.maybe(attributes, "seed", 7.0)
    batch = draw.dim(1, 5)
    weights = np.array([0.5, 0.0, 0.25, 0.25])
    x = np.tile(np.log(np.maximum(weights, 1e-30)), (batch, 1)).astype(np.float32)
    mean, square = weights @ np.arange(4), weights @ np.arange(4)**2
    return Case("Multinomial", [x], attributes, check=_check((batch, samples), kind, mean, math.sqrt(square - mean**2), 0, 3))
