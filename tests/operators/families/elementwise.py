"""Elementwise operators: numbers from the formula in f64, rounded once.

Bounds of functions are those that OpenCL's specification gives its own single and double
precision functions (full profile, section 7.4), which every device here has to meet."""

import math

import numpy as np

from operators.case import EXACT, Bound, Case, is_float
from operators.registry import strategy

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x):
    return np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)))


def _erf_of(x):
    return _erf(x) if x.size else x


# op -> (f64 function, ulps, range)
FUNCTIONS = {
    "Acos": (np.arccos, 4, (-1, 1)), "Acosh": (np.arccosh, 4, (1, 50)), "Asin": (np.arcsin, 4, (-1, 1)),
    "Asinh": (np.arcsinh, 4, (-50, 50)), "Atan": (np.arctan, 5, (-50, 50)), "Atanh": (np.arctanh, 5, (-1, 1)),
    "Cos": (np.cos, 4, (-30, 30)), "Cosh": (np.cosh, 4, (-9, 9)), "Erf": (_erf_of, 16, (-4, 4)),
    "Exp": (np.exp, 3, (-9, 9)), "Log": (np.log, 3, (0, 50)), "Sigmoid": (_sigmoid, 6, (-9, 9)),
    "Sin": (np.sin, 4, (-30, 30)), "Sinh": (np.sinh, 4, (-9, 9)), "Sqrt": (np.sqrt, 3, (0, 90)),
    "Tan": (np.tan, 5, (-30, 30)), "Tanh": (np.tanh, 5, (-9, 9)), "Reciprocal": (lambda x: 1 / x, 2.5, (-9, 9)),
}
EXACT_FUNCTIONS = {"Abs": np.abs, "Ceil": np.ceil, "Floor": np.floor, "Neg": np.negative, "Round": np.rint, "Sign": np.sign,
                   "BitwiseNot": np.invert, "Not": np.logical_not, "IsNaN": np.isnan}


def wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64) if is_float(x.dtype) else x


def wrapped(result, like: np.ndarray) -> np.ndarray:
    """Integers wrap, floats stay wide."""
    result = np.asarray(result)
    return result if is_float(like.dtype) else result.astype(like.dtype)


@strategy(*FUNCTIONS)
def function(draw):
    formula, ulps, span = FUNCTIONS[draw.op]
    x = draw.values(draw.shape(), draw.dtype(), *span, special=True)

    def reference(x):
        if not is_float(x.dtype):
            return np.asarray(formula(x.astype(np.float64))).astype(x.dtype)
        return np.asarray(formula(wide(x)))

    return Case(draw.op, [x], bound=Bound(ulps), reference=reference)


@strategy("Abs", "Ceil", "Floor", "Neg", "Round", "Sign", "BitwiseNot", "Not")
def exact_function(draw):
    parameter = "T1" if draw.op in ("IsNaN",) else "T"
    x = draw.values(draw.shape(), draw.dtype(parameter), -100, 100, special=True)
    if draw.op == "Round" and draw.flag():
        x = (np.round(x.astype(np.float64)) + 0.5).astype(x.dtype)
    formula = EXACT_FUNCTIONS[draw.op]
    # The sign of a zero result is not specified for Sign.
    bound = Bound(ulps=1) if draw.op == "Sign" else EXACT
    return Case(draw.op, [x], bound=bound, reference=lambda x: wrapped(formula(wide(x)), x))


@strategy("IsNaN")
def is_nan(draw):
    return Case("IsNaN", [draw.values(draw.shape(), draw.dtype("T1"), special=True)],
                reference=lambda x: np.isnan(wide(x)))


@strategy("IsInf")
def is_inf(draw):
    attributes = {}
    for key in ("detect_negative", "detect_positive"):
        draw.maybe(attributes, key, draw.int(0, 1))

    def reference(x):
        x = wide(x)
        return ((x == np.inf) & bool(attributes.get("detect_positive", 1))) | (
            (x == -np.inf) & bool(attributes.get("detect_negative", 1)))

    return Case("IsInf", [draw.values(draw.shape(), draw.dtype("T1"), special=True)], attributes, reference=reference)


def divide(a, b):
    """Toward zero; x/0 is 0 and the smallest by -1 is itself."""
    if a.dtype.kind not in "iu":
        return a / b
    wide_a, wide_b = a.astype(object), b.astype(object)

    def one(x, y):
        return 0 if y == 0 else (abs(x) // abs(y)) * (1 if (x < 0) == (y < 0) else -1)

    return _objects(one, wide_a, wide_b)


def _objects(function, *operands):
    operands = np.broadcast_arrays(*(np.asarray(x, object) for x in operands))
    result = np.empty(operands[0].shape, object)
    for at in np.ndindex(result.shape):
        result[at] = function(*(x[at] for x in operands))
    return result


def wrap_to(result, dtype):
    """Python integers modulo the type."""
    bits = 8 * dtype.itemsize
    unsigned = _objects(lambda value: int(value) % 2**bits, result).astype(np.uint64)
    return unsigned.astype(dtype)


ARITHMETIC = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": divide,
              "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor,
              "BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor,
              "Equal": np.equal, "Greater": np.greater, "Less": np.less,
              "GreaterOrEqual": np.greater_equal, "LessOrEqual": np.less_equal}
LEGACY = {"Add", "Sub", "Mul", "Div", "And", "Or", "Xor", "Equal", "Greater", "Less", "Pow"}  # before 7


def operands(draw, a_type, b_type, special=True, low=-20, high=20):
    """-> (a, b, attributes, how b meets a). Before 7, b is a contiguous part of a's shape."""
    shape, attributes = draw.shape(), {}
    if draw.op in LEGACY and draw.since < 7:
        shape = draw.shape(1, 4, least=1)
        if draw.flag():
            first = draw.int(0, len(shape) - 1)
            last = draw.int(first + 1, len(shape))
            attributes["broadcast"] = 1
            if last != len(shape) or draw.flag():
                attributes["axis"] = first
            else:
                first, last = first, len(shape)
            other = shape[first:last]
            expanded = other + (1,) * (len(shape) - last)
        else:
            other = expanded = shape
        meet = lambda b: b.reshape(expanded)  # noqa: E731
    else:
        other = draw.broadcast(shape)
        if draw.flag():
            shape, other = other, shape
        meet = lambda b: b  # noqa: E731
    a, b = draw.values(shape, a_type, low, high, special), draw.values(other, b_type, low, high, special)
    return a, b, attributes, meet


@strategy(*ARITHMETIC)
def arithmetic(draw):
    kind = draw.dtype("T")
    a, b, attributes, meet = operands(draw, kind, kind)
    if draw.op not in ("Add", "Sub", "Mul", "Div") and a.size and draw.flag():
        b = np.where(draw.rng().integers(0, 2, b.shape).astype(bool), b, a.ravel()[0]).astype(b.dtype)  # equal values
    formula = ARITHMETIC[draw.op]

    def reference(a, b):
        b = meet(b)
        if draw.op == "Div" and a.dtype.kind in "iu":
            return wrap_to(divide(a, b), a.dtype)
        result = np.asarray(formula(wide(a), wide(b)))
        return result if result.dtype == bool else wrapped(result, a)

    return Case(draw.op, [a, b], attributes, bound=Bound(ulps=2.5 if draw.op == "Div" else 1), reference=reference)


@strategy("Mod")
def mod(draw):
    attributes = {}
    kind = draw.dtype("T")
    fmod = draw.int(0, 1) if draw.since >= 28 or not is_float(kind) else 1
    if fmod or draw.flag():
        attributes["fmod"] = fmod
    a, b, _, _ = operands(draw, kind, kind, special=False)
    if is_float(kind):  # exact quotients are no test of rounding
        b = np.where(np.abs(b.astype(np.float64)) < 0.5, 1.5, b.astype(np.float64)).astype(kind)

    def reference(a, b):
        if is_float(a.dtype):
            return np.fmod(wide(a), wide(b)) if fmod else np.mod(wide(a), wide(b))

        def one(x, y):
            if y == 0:
                return 0
            return int(math.fmod(x, y)) if fmod and abs(x) < 2**50 else x % y if not fmod else abs(x) % abs(y) * (1 if x >= 0 else -1)

        return wrap_to(_objects(one, a.astype(object), b.astype(object)), a.dtype)

    # fmod is exact; a floored remainder takes one more addition.
    return Case("Mod", [a, b], attributes, bound=Bound(ulps=1, terms=1, magnitude=20.0), reference=reference)


@strategy("Pow")
def power(draw):
    base = draw.dtype("T")
    exponent = draw.dtype("T1") if draw.since >= 12 else base
    a, b, attributes, meet = operands(draw, base, exponent, special=False, low=0 if is_float(base) else -5, high=5)
    if is_float(base) and not is_float(exponent) and draw.flag():
        a = (-a).astype(a.dtype)

    def one(x, y):
        if isinstance(y, int) and isinstance(x, int):
            if y < 0:
                return 1 if x == 1 else (1 if y % 2 == 0 else -1) if x == -1 else 0
            return x**y
        value = float(np.power(np.float64(x), np.float64(y)))
        return value if not isinstance(x, int) else int(value) if abs(value) < 2**62 else 0 if math.isnan(value) else int(math.copysign(2**63, value))

    def reference(a, b):
        b = meet(b)
        if is_float(a.dtype):
            return np.power(wide(a), b.astype(np.float64))
        limits = np.iinfo(a.dtype)
        result = _objects(one, a.astype(object), wide(b).astype(object))
        if is_float(b.dtype) and a.dtype.itemsize >= 4:  # as Cast: toward zero, saturating
            return _objects(lambda value: min(max(value, limits.min), limits.max), result).astype(a.dtype)
        return wrap_to(result, a.dtype)

    return Case("Pow", [a, b], attributes, bound=Bound(ulps=16), reference=reference)


@strategy("BitShift")
def bit_shift(draw):
    kind = draw.dtype("T")
    direction = draw.pick(["LEFT", "RIGHT"])
    bits = 8 * kind.itemsize
    low, high = (-3, bits + 3) if draw.since >= 28 else (0, bits - 1)
    shape = draw.shape()
    a = draw.values(shape, kind, -2**30, 2**30, special=True)
    b = draw.values(draw.broadcast(shape), kind, low, high)

    def one(x, y):
        if y < 0 or y >= bits:
            return -1 if direction == "RIGHT" and x < 0 else 0
        return x << y if direction == "LEFT" else x >> y

    return Case("BitShift", [a, b], {"direction": direction},
                reference=lambda a, b: wrap_to(_objects(one, a.astype(object), b.astype(object)), a.dtype))


def _fold(op, values):
    result = wide(values[0])
    for value in values[1:]:
        result = {"Max": np.maximum, "Min": np.minimum}.get(op, np.add)(result, wide(value))
    return result / len(values) if op == "Mean" else result


@strategy("Max", "Min", "Sum", "Mean")
def variadic(draw):
    kind, shape, count = draw.dtype("T"), draw.shape(), draw.int(1, 4)
    shapes = [shape] + [draw.broadcast(shape) if draw.since >= 8 else shape for _ in range(count - 1)]
    values = [draw.values(s, kind, special=draw.op in ("Max", "Min")) for s in shapes]
    bound = Bound(ulps=2.5, terms=count, magnitude=4.0 * count)
    if draw.op in ("Max", "Min"):
        bound = Bound(ulps=1)  # which zero it is is not said
    if kind.itemsize < 4 and is_float(kind) and count > 2:
        # Rounded after every step or once: both are right.
        bound = Bound(ulps=2.5, terms=count * 2.0**13 * (8 if kind.name == "bfloat16" else 1), magnitude=4.0 * count)
    return Case(draw.op, values, bound=bound, reference=lambda *v: wrapped(_fold(draw.op, v), v[0]))


@strategy("Where")
def where(draw):
    shape, kind = draw.shape(), draw.dtype("T")
    return Case("Where", [draw.values(draw.broadcast(shape), np.bool_), draw.values(draw.broadcast(shape), kind, special=True),
                          draw.values(draw.broadcast(shape), kind, special=True)], reference=np.where)


@strategy("Clip")
def clip(draw):
    kind, attributes = draw.dtype("T"), {}
    x = draw.values(draw.shape(), kind, -9, 9, special=True)
    low, high = (draw.int(-4, 6) if kind.kind != "u" else draw.int(0, 6)), draw.int(0, 8)
    low, high = (low if draw.flag() else None), (high if draw.flag() else None)
    if draw.since < 11:
        inputs = [x]
        attributes = {key: float(value) for key, value in (("min", low), ("max", high)) if value is not None}
    else:
        inputs = [x, *(None if value is None else np.array(value, kind) for value in (low, high))]

    def reference(x, *_):
        y = wide(x)
        if low is not None:
            y = np.maximum(y, low)
        if high is not None:
            y = np.minimum(y, high)
        if is_float(x.dtype):  # a missing bound is the type's finite limit
            import ml_dtypes
            most = float(ml_dtypes.finfo(x.dtype).max)
            y = np.where(np.isnan(y), y, np.clip(y, -most, most))
        return wrapped(y, x)

    return Case("Clip", inputs, attributes, constants=draw.constants(*(i for i in (1, 2) if i < len(inputs) and inputs[i] is not None)),
                bound=Bound(ulps=1), reference=reference)


@strategy("PRelu")
def prelu(draw):
    kind, shape = draw.dtype("T"), draw.shape(1, 4)
    x = draw.values(shape, kind, special=False)
    # Before 7 a slope per channel (axis 1), since then what broadcasts to x.
    slope_shape = draw.broadcast(shape) if draw.since >= 7 else (1,) if len(shape) < 2 or draw.flag() else (shape[1],)

    def reference(x, slope):
        if draw.since < 7 and slope.size != 1:
            slope = slope.reshape((-1,) + (1,) * (x.ndim - 2))
        return wrapped(np.where(wide(x) < 0, wide(x) * wide(slope), wide(x)), x)

    return Case("PRelu", [x, draw.values(slope_shape, kind)], bound=Bound(ulps=1), reference=reference)
