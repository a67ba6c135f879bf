"""Reductions: numbers by the formula in f64; bounds by the number of elements summed."""

import math

import numpy as np

from operators.case import EXACT, Bound, Case, is_float
from operators.families.elementwise import wide, wrapped
from operators.registry import strategy


def _log_sum_exp(y, axes, keep):
    most = np.max(y, axis=axes, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(most), most, 0)
    result = np.log(np.sum(np.exp(y - shift), axis=axes, keepdims=True)) + shift
    return result if keep else np.squeeze(result, axes)


def _limits(kind):
    if is_float(kind):
        return -np.inf, np.inf
    return (False, True) if kind.kind == "b" else (np.iinfo(kind).min, np.iinfo(kind).max)


def _mean(y, axes, keep):
    count = math.prod(y.shape[a] for a in axes)
    total = np.sum(y, axis=axes, keepdims=keep, dtype=y.dtype)
    if y.dtype.kind in "iu":  # truncates
        return np.array(np.trunc(total / count) if count else total).astype(y.dtype)
    return total / count if axes else y


FORMULAS = {
    "ReduceSum": lambda y, a, k: np.sum(y, axis=a, keepdims=k, dtype=y.dtype),
    "ReduceMean": _mean,
    "ReduceProd": lambda y, a, k: np.prod(y, axis=a, keepdims=k, dtype=y.dtype),
    "ReduceL1": lambda y, a, k: np.sum(np.abs(y), axis=a, keepdims=k, dtype=y.dtype),
    "ReduceL2": lambda y, a, k: np.sqrt(np.sum(np.square(y), axis=a, keepdims=k, dtype=y.dtype)),
    "ReduceSumSquare": lambda y, a, k: np.sum(np.square(y), axis=a, keepdims=k, dtype=y.dtype),
    "ReduceLogSum": lambda y, a, k: np.log(np.sum(y, axis=a, keepdims=k, dtype=y.dtype)),
    "ReduceLogSumExp": _log_sum_exp,
}


@strategy(*FORMULAS, "ReduceMax", "ReduceMin")
def reduction(draw):
    op, shape, attributes = draw.op, draw.shape(0, 4), {}
    as_input = draw.since >= (13 if op == "ReduceSum" else 18)
    axes = draw.axes(len(shape), negative=draw.since >= 11, least=1) if shape and draw.flag() else None
    keep = draw.maybe(attributes, "keepdims", draw.int(0, 1)) != 0
    noop = bool(as_input and draw.maybe(attributes, "noop_with_empty_axes", draw.int(0, 1)))
    kind = draw.dtype()
    low, high = (0.3, 1.6) if op in ("ReduceProd", "ReduceLogSum") and is_float(kind) else (0 if kind.kind == "u" else -3, 3)
    if not is_float(kind) and op in ("ReduceLogSum", "ReduceLogSumExp", "ReduceL2"):
        kind, low = np.dtype(np.float32), 0.3  # what an integer logarithm or root is rounded to is not said
    x = draw.values(shape, kind, low, high, special=op in ("ReduceMax", "ReduceMin"))
    given = axes
    if axes is None:
        along = () if noop else tuple(range(len(shape)))
        if as_input and draw.flag():
            given = []
    else:
        along = tuple(a % len(shape) for a in axes)
    count = math.prod(shape[a] for a in along)
    if count == 0 and (op == "ReduceMean" or not is_float(kind) and op in ("ReduceMax", "ReduceMin")):
        shape = tuple(max(size, 1) for size in shape)
        x = draw.values(shape, kind, low, high)
        count = math.prod(shape[a] for a in along)

    def reference(x, *_):
        y = wide(x)
        if op in ("ReduceMax", "ReduceMin"):
            least, most = _limits(x.dtype)
            y = y.astype(np.uint8) if y.dtype == bool else y
            result = (np.max(y, axis=along, keepdims=keep, initial=least) if op == "ReduceMax"
                      else np.min(y, axis=along, keepdims=keep, initial=most))
            return wrapped(result, x)
        return wrapped(FORMULAS[op](y, along, keep), x)

    size = 3.0 * count
    bound = {
        "ReduceMax": Bound(1), "ReduceMin": Bound(1), "ReduceProd": Bound(count + 1), "ReduceSum": Bound(1, count, size),
        "ReduceMean": Bound(3, count + 1, 3.0), "ReduceL1": Bound(count + 1), "ReduceL2": Bound(count + 4),
        "ReduceSumSquare": Bound(count + 2), "ReduceLogSum": Bound(4, count + 2, 1.0),
        "ReduceLogSumExp": Bound(4, count + 12, 1.0)}[op]
    inputs = [x]
    if given is not None:
        if as_input:
            inputs.append(np.array(given, np.int64))
        elif axes:
            attributes["axes"] = axes
    return Case(op, inputs, attributes, constants=frozenset({1}) if len(inputs) > 1 and not (given and draw.flag()) else frozenset(),
                bound=bound if is_float(kind) else EXACT, reference=reference)
