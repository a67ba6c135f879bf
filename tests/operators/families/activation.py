"""Activations. Bounds: the ulps of the function inside plus one per arithmetic operation; where
a sum may cancel, one term of the larger summand."""

import math

import numpy as np

from operators.case import EXACT, Bound, Case
from operators.families.elementwise import _erf_of, _sigmoid, wide, wrapped
from operators.registry import strategy


def _softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _gelu(x, approximate="none"):
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf_of(x / math.sqrt(2)))


# op -> (formula of x and its attributes, {attribute: (default, low, high)}, ulps, terms)
FORMULAS = {
    "Celu": (lambda x, alpha: np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha)), {"alpha": (1.0, 0.3, 2)}, 10, 4),
    "Elu": (lambda x, alpha: np.where(x < 0, alpha * np.expm1(x), x), {"alpha": (1.0, 0.3, 2)}, 8, 4),
    "HardSigmoid": (lambda x, alpha, beta: np.clip(alpha * x + beta, 0, 1),
                    {"alpha": (0.2, 0.1, 0.6), "beta": (0.5, 0.1, 0.7)}, 2, 3),
    "HardSwish": (lambda x: x * np.clip(x / 6 + 0.5, 0, 1), {}, 5, 4),
    "LeakyRelu": (lambda x, alpha: np.where(x < 0, alpha * x, x), {"alpha": (0.01, 0.01, 1.5)}, 2, 0),
    "Mish": (lambda x: x * np.tanh(_softplus(x)), {}, 16, 0),
    "Relu": (lambda x: np.maximum(x, 0), {}, 1, 0),
    "Selu": (lambda x, alpha, gamma: gamma * np.where(x > 0, x, alpha * np.expm1(x)),
             {"alpha": (1.67326319217681884765625, 0.5, 2), "gamma": (1.05070102214813232421875, 0.5, 2)}, 8, 4),
    "Softplus": (_softplus, {}, 8, 0),
    "Softsign": (lambda x: x / (1 + np.abs(x)), {}, 4, 0),
    "Swish": (lambda x, alpha: x * _sigmoid(alpha * x), {"alpha": (1.0, 0.5, 2)}, 20, 0),
    "ThresholdedRelu": (lambda x, alpha: np.where(x > alpha, x, 0), {"alpha": (1.0, 0.2, 2)}, 1, 0),
}


@strategy(*FORMULAS)
def activation(draw):
    formula, ranges, ulps, terms = FORMULAS[draw.op]
    attributes, used = {}, {}
    for key, (default, low, high) in ranges.items():
        value = float(np.float32(draw.rng().uniform(low, high)))
        used[key] = float(np.float32(default)) if draw.maybe(attributes, key, value) is None else value
    x = draw.values(draw.shape(), draw.dtype(), -7, 7)
    # Of an argument scaled by alpha the rounding is amplified by its size.
    bound = Bound(ulps, terms, 7.0)
    return Case(draw.op, [x], attributes, bound=bound, reference=lambda x: wrapped(formula(wide(x), **used), x))


@strategy("Gelu")
def gelu(draw):
    attributes = {}
    kind = draw.maybe(attributes, "approximate", draw.pick(["none", "tanh"])) or "none"
    # 1 + erf(x) cancels for negative x: terms of size |x|.
    return Case("Gelu", [draw.values(draw.shape(), draw.dtype(), -5, 5)], attributes, bound=Bound(20, 20, 5.0),
                reference=lambda x: _gelu(wide(x), kind))


@strategy("Shrink")
def shrink(draw):
    attributes = {}
    bias = draw.maybe(attributes, "bias", float(draw.int(0, 2))) or 0.0
    threshold = draw.maybe(attributes, "lambd", float(draw.int(0, 2)))
    threshold = 0.5 if threshold is None else threshold
    x = draw.values(draw.shape(), draw.dtype(), 0 if draw.flag(9) else -6, 6)

    def reference(x):
        y = wide(x)
        return wrapped(np.where(y < -threshold, y + bias, np.where(y > threshold, y - bias, 0)), x)

    return Case("Shrink", [x], attributes, bound=Bound(1, 1, 8.0), reference=reference)


@strategy("SwiGLU")
def swiglu(draw):
    attributes = {}
    alpha = draw.maybe(attributes, "alpha", 1.5) or 1.0
    shape, kind = draw.shape(), draw.dtype()
    return Case("SwiGLU", [draw.values(shape, kind), draw.values(shape, kind)], attributes, bound=Bound(22),
                reference=lambda a, b: wide(a) * _sigmoid(alpha * wide(a)) * wide(b))


@strategy("Dropout")
def dropout(draw):
    """Not training: the identity; or training with ratio 0, which is the same."""
    x, attributes, inputs = draw.values(draw.shape(), draw.dtype(), special=True), {}, []
    outputs = draw.int(1, 2)
    if draw.since < 7:
        attributes["is_test"] = 1
    if draw.since < 12:
        draw.maybe(attributes, "ratio", 0.3)
    else:
        training = draw.pick([None, False, True])
        ratio = None if training is None and draw.flag() else 0.0 if training else 0.5
        draw.maybe(attributes, "seed", 3)
        kind = draw.dtype("T1")
        inputs = [None if ratio is None else np.array(ratio, kind), None if training is None else np.array(training)]
    # In force before 10, the mask had the type of the data.
    mask = bool if draw.since >= 10 else x.dtype
    return Case("Dropout", [x, *inputs], attributes, outputs,
                frozenset(i for i in (1, 2) if i <= len(inputs) and inputs[i - 1] is not None), EXACT,
                reference=lambda x, *_: (x, np.ones(x.shape, mask))[:outputs] if outputs == 2 else x)


@strategy("Softmax", "LogSoftmax", "Hardmax")
def softmax(draw):
    shape, attributes = draw.shape(1, 4), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape), negative=draw.since >= 11))
    axis = (-1 if draw.since >= 13 else min(1, len(shape) - 1)) if axis is None else axis
    if draw.since < 13 and "axis" not in attributes and len(shape) == 1:
        attributes["axis"] = axis = 0
    x = draw.values(shape, draw.dtype(), -9, 9)
    if draw.op == "Hardmax":
        x = np.round(x.astype(np.float64)).astype(x.dtype)  # equal maxima

    def reference(x):
        if x.size == 0:
            return wide(x)
        y = wide(x) if draw.since >= 13 else wide(x).reshape(math.prod(x.shape[:axis % x.ndim]), -1)
        along = axis if draw.since >= 13 else 1
        if draw.op == "Hardmax":
            first = np.expand_dims(np.argmax(y, along), along)
            result = np.zeros_like(y)
            np.put_along_axis(result, first, 1, along)
        else:
            y = y - y.max(along, keepdims=True)
            total = np.exp(y).sum(along, keepdims=True)
            result = np.exp(y) / total if draw.op == "Softmax" else y - np.log(total)
        return result.reshape(x.shape)

    terms = x.size  # of the sum; the exponent of an argument of size 18 adds 18 roundings
    bound = {"Softmax": Bound(ulps=3 + 2.5 + 18 + terms), "LogSoftmax": Bound(3, 3 + 3 + terms, 20.0), "Hardmax": EXACT}
    return Case(draw.op, [x], attributes, bound=bound[draw.op], reference=reference)
