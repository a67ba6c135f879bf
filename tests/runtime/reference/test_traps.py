"""What engines get wrong: the rules on values, one test per rule and family."""

import math

import ml_dtypes
import numpy as np
import pytest

from hexin_reference import (EXHAUSTED, INVALID_ARGUMENT, OUT_OF_RANGE, UNSUPPORTED,
                             ReferenceError, ops, run)

NAN, INF = math.nan, math.inf
INTS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
SIGNED = INTS[:4]
FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


def fails(code, *args, **kwargs):
    with pytest.raises(ReferenceError) as error:
        run(*args, **kwargs)
    assert error.value.code == code, error.value
    return str(error.value)


def same(actual, expected):
    expected = np.asarray(expected)
    assert actual.shape == expected.shape
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(actual.astype(np.float64), expected.astype(np.float64))


def array(values, dtype=np.float32):
    return np.array(values, dtype)


# ---- integers wrap, and never trap ------------------------------------------------

@pytest.mark.parametrize("dtype", INTS)
def test_integer_arithmetic_wraps(dtype):
    top, low = np.iinfo(dtype).max, np.iinfo(dtype).min
    one = array([1, 1], dtype)
    same(run("binary", [array([top, 3], dtype), one], fn="add"), array([low, 4], dtype))
    same(run("binary", [array([low, 3], dtype), one], fn="sub"), array([top, 2], dtype))
    with np.errstate(over="ignore"):
        x = array([top, top // 3], dtype)
        same(run("binary", [x, x], fn="mul"), x * x)
        same(run("reduce", [x], fn="prod", axes=[0], keepDims=0), np.prod(x, dtype=dtype))


@pytest.mark.parametrize("dtype", INTS)
def test_division_by_zero_gives_zero(dtype):
    x, zero = array([7, 0], dtype), array([0, 0], dtype)
    for fn in ("div", "mod", "fmod"):
        same(run("binary", [x, zero], fn=fn), zero)


@pytest.mark.parametrize("dtype", SIGNED)
def test_the_smallest_by_minus_one(dtype):
    low, minus = array([np.iinfo(dtype).min], dtype), array([-1], dtype)
    same(run("binary", [low, minus], fn="div"), low)
    same(run("binary", [low, minus], fn="mod"), [0])
    for fn in ("abs", "neg"):
        same(run("unary", [low], fn=fn), low)


@pytest.mark.parametrize("dtype", SIGNED)
def test_division_truncates_and_mod_takes_a_sign(dtype):
    a, b = array([-7, 7, -7, 7], dtype), array([2, -2, -3, -3], dtype)
    same(run("binary", [a, b], fn="div"), [-3, -3, 2, -2])
    a, b = array([-7, 7, -7, 7], dtype), array([3, 3, -3, -3], dtype)
    same(run("binary", [a, b], fn="mod"), [2, 1, -1, -2])
    same(run("binary", [a, b], fn="fmod"), [-1, 1, -1, 1])


@pytest.mark.parametrize("dtype", FLOATS)
def test_float_mod(dtype):
    a, b = array([-7, 7, 0, -5, 5], dtype), array([3, -3, -2, INF, -INF], dtype)
    result = run("binary", [a, b], fn="mod")
    same(result, [2, -2, 0, INF, -INF])
    assert np.signbit(result[2])  # a zero takes the divisor's sign


def test_power():
    i = np.int32
    same(run("binary", [array([2, 2, 1, -1, -1, 0], i), array([-1, 31, -5, -3, -2, 0], i)],
             fn="pow"), array([0, -2**31, 1, -1, 1, 1], i))
    same(run("binary", [array([2, 9, 2], i), array([0.5, 0.5, 100])], fn="pow"),
         [1, 3, 2**31 - 1])
    same(run("binary", [array([NAN, 1, 2]), array([0, NAN, 3])], fn="pow"), [1, 1, 8])
    same(run("binary", [array([2, 3]), array([3, 2], np.int64)], fn="pow"), [8, 9])


@pytest.mark.parametrize("dtype", INTS)
def test_shifts_beyond_the_width(dtype):
    bits = np.dtype(dtype).itemsize * 8
    x = array([1, 3], dtype)
    for amount in [bits, bits + 1] + ([-1] if dtype in SIGNED else []):
        if amount > np.iinfo(dtype).max:
            continue
        by = array([amount, amount], dtype)
        same(run("binary", [x, by], fn="shl"), [0, 0])
        same(run("binary", [x, by], fn="shr"), [0, 0])
        if dtype in SIGNED:
            same(run("binary", [-x, by], fn="shr"), [-1, -1])
    same(run("binary", [x, array([1, 1], dtype)], fn="shl"), [2, 6])
    if dtype in SIGNED:
        same(run("binary", [array([-5], dtype), array([1], dtype)], fn="shr"), [-3])


def test_u64_is_not_signed():
    top = np.iinfo(np.uint64).max
    x, y = array([top], np.uint64), array([2], np.uint64)
    assert run("binary", [x, y], fn="div")[0] == top // 2
    assert run("binary", [x, y], fn="max")[0] == top
    assert run("compare", [y, x], np.bool_, predicate="lt")[0]
    assert run("reduce", [np.array([1, top], np.uint64)], fn="max", axes=[0])[0] == top
    assert run("sort", [np.array([top, 1], np.uint64)], axis=0)[0] == 1
    assert run("cast", [x], np.float32)[0] == 2.0**64


# ---- floats: one rounding, NaN, zeros --------------------------------------------

@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("fn", ["add", "sub", "mul", "div"])
def test_arithmetic_rounds_once(dtype, fn):
    random = np.random.default_rng(1)
    a, b = (random.normal(size=999).astype(dtype) for _ in range(2))
    function = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}[fn]
    same(run("binary", [a, b], fn=fn),
         function(a.astype(np.float64), b.astype(np.float64)).astype(dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_broadcasting(dtype):
    a = np.arange(24).reshape(2, 1, 3, 4).astype(dtype)
    b = np.arange(10).reshape(2, 5, 1, 1).astype(dtype)
    same(run("binary", [a, b], fn="sub"), a - b)
    same(run("binary", [b, array(2, dtype)], fn="mul"), b * array(2, dtype))
    empty = run("binary", [np.zeros((0, 3), dtype), np.ones((1, 3), dtype)], fn="add")
    assert empty.shape == (0, 3)
    assert "do not broadcast" in fails(INVALID_ARGUMENT, "binary",
                                       [a, np.zeros((2, 4), dtype)], fn="add")


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_propagates(dtype):
    a, b = array([NAN, 1, 2], dtype), array([1, NAN, 3], dtype)
    for fn, last in (("max", 3), ("min", 2)):
        same(run("binary", [a, b], fn=fn), [NAN, NAN, last])
        same(run("reduce", [array([1, NAN, 2], dtype)], fn=fn, axes=[0]), [NAN])
    same(run("activation", [a], kind="relu"), [NAN, 1, 2])
    for predicate in ("eq", "lt", "le"):
        same(run("compare", [a, b], np.bool_, predicate=predicate)[:2], [0, 0])
    same(run("pool", [array([[[1, NAN, 3]]], dtype)], fn="max", window=[2]), [[[NAN, NAN]]])


@pytest.mark.parametrize("dtype", FLOATS)
def test_negative_zero_survives(dtype):
    zero = array([-0.0], dtype)
    assert np.signbit(run("transpose", [zero], perm=[0])[0])
    assert not np.signbit(run("unary", [zero], fn="neg")[0])
    assert np.signbit(run("unary", [zero], fn="ceil")[0])


def test_rounding_goes_to_even():
    same(run("unary", [array([0.5, 1.5, 2.5, -0.5, -1.5])], fn="round_even"), [0, 2, 2, -0, -2])


def test_bool_functions():
    a, b = array([0, 0, 1, 1], np.bool_), array([0, 1, 0, 1], np.bool_)
    same(run("binary", [a, b], fn="bit_xor"), [0, 1, 1, 0])
    same(run("binary", [a, b], fn="max"), a | b)
    same(run("unary", [a], fn="bit_not"), ~a)
    fails(INVALID_ARGUMENT, "binary", [a, b], fn="add")


# ---- casts ------------------------------------------------------------------------

def test_casts_from_floats_saturate_or_take_low_bits():
    x = array([300, -9, NAN, 1e20, -1e20, INF, -0.9], np.float64)
    same(run("cast", [x], np.int8), [44, -9, 0, -1, 0, -1, 0])
    same(run("cast", [x], np.uint8), [44, 247, 0, 255, 0, 255, 0])
    i32, i64, u64 = (np.iinfo(t) for t in (np.int32, np.int64, np.uint64))
    assert run("cast", [x], np.int32).tolist() == [300, -9, 0, i32.max, i32.min, i32.max, 0]
    assert run("cast", [x], np.int64).tolist() == [300, -9, 0, i64.max, i64.min, i64.max, 0]
    assert run("cast", [x], np.uint64).tolist() == [300, 0, 0, u64.max, 0, u64.max, 0]
    same(run("cast", [x], np.bool_), [1, 1, 1, 1, 1, 1, 1])
    assert run("cast", [array([-9, 9])], ml_dtypes.int4).astype(int).tolist() == [7, -7]


def test_casts_between_integers_take_low_bits():
    same(run("cast", [array([257, -1, 128], np.int32)], np.int8), [1, -1, -128])
    same(run("cast", [array([256, 0], np.int32)], np.bool_), [1, 0])
    same(run("cast", [array([True, False])], np.float16), [1, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_large_integers_round_once(dtype):
    # Through f64 these would first become a tie and then round the wrong way.
    x = array([2**60 + 2**36 + 1, -(2**60 + 2**36 + 1), 2**62 + 1, 33], np.int64)
    big = {np.float32: 2.0**60 + 2.0**37, np.float16: INF, ml_dtypes.bfloat16: 2.0**60}[dtype]
    same(run("cast", [x], dtype), [big, -big, INF if dtype is np.float16 else 2.0**62, 33])


@pytest.mark.parametrize("dtype", [
    ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e4m3fnuz, ml_dtypes.float8_e5m2,
    ml_dtypes.float8_e5m2fnuz, ml_dtypes.bfloat16, np.float16])
def test_narrow_floats_agree_with_ml_dtypes(dtype):
    random = np.random.default_rng(2)
    x = (random.normal(size=4000) * 10.0 ** random.integers(-6, 2, 4000)).astype(np.float32)
    same(run("cast", [x], dtype, saturate=0), x.astype(dtype))
    bits = np.arange(256 if np.dtype(dtype).itemsize == 1 else 65536).astype(
        np.uint8 if np.dtype(dtype).itemsize == 1 else np.uint16).view(dtype)
    same(run("cast", [bits], np.float32), bits.astype(np.float32))


# ---- reductions -------------------------------------------------------------------

@pytest.mark.parametrize("dtype", [*FLOATS, *INTS])
def test_reducing_nothing_gives_the_identity(dtype):
    x = np.zeros((2, 0), dtype)
    is_float = np.dtype(dtype) not in map(np.dtype, INTS)
    low, high = (-INF, INF) if is_float else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    for fn, value in (("sum", 0), ("prod", 1), ("max", low), ("min", high)):
        result = run("reduce", [x], fn=fn, axes=[1], keepDims=0)
        assert result.tolist() == [value, value]
    assert run("reduce", [x], fn="sum", axes=[0]).shape == (1, 0)
    fails(INVALID_ARGUMENT, "arg_reduce", [x], np.int64, fn="max", axis=1)
    assert run("arg_reduce", [x], np.int64, fn="max", axis=0, keepDims=0).shape == (0,)


def test_bool_reductions():
    x = array([[0, 1], [1, 1]], np.bool_)
    same(run("reduce", [x], fn="max", axes=[1], keepDims=0), [1, 1])
    same(run("reduce", [x], fn="min", axes=[1], keepDims=0), [0, 1])
    same(run("reduce", [x[:, :0]], fn="max", axes=[1], keepDims=0), [0, 0])
    fails(INVALID_ARGUMENT, "reduce", [x], fn="sum", axes=[0])


@pytest.mark.parametrize("axes", [[0], [1], [2], [0, 2], [0, 1, 2], []])
@pytest.mark.parametrize("dtype", [np.float64, np.int64, ml_dtypes.bfloat16])
def test_reduce(dtype, axes):
    x = np.random.default_rng(3).integers(-9, 9, (3, 4, 5)).astype(dtype)
    wide = x.astype(np.float64)
    for fn, function in (("sum", np.sum), ("max", np.max), ("min", np.min)):
        same(run("reduce", [x], fn=fn, axes=axes),
             function(wide, axis=tuple(axes), keepdims=True).astype(dtype))
    fails(INVALID_ARGUMENT, "reduce", [x], fn="sum", axes=[1, 1])


def test_arg_reduce_takes_nan_first():
    x = array([[1, NAN, 5, NAN], [2, 7, 7, 2]])
    for fn, plain, last in (("max", [1, 1], [3, 2]), ("min", [1, 0], [3, 3])):
        same(run("arg_reduce", [x], np.int64, fn=fn, axis=1, keepDims=0), plain)
        same(run("arg_reduce", [x], np.int64, fn=fn, axis=1, keepDims=0, last=1), last)


def test_sort_is_stable_and_nan_is_greatest():
    x = array([2, NAN, 1, 2, NAN, -INF, INF])
    values, positions = run("sort", [x], [np.float32, np.int64], axis=0)
    same(values, [-INF, 1, 2, 2, INF, NAN, NAN])
    same(positions, [5, 2, 0, 3, 6, 1, 4])
    values, positions = run("sort", [x], [np.float32, np.int64], axis=0, descending=1)
    same(values, [NAN, NAN, INF, 2, 2, 1, -INF])
    same(positions, [1, 4, 6, 0, 3, 2, 5])


def test_top_k_is_the_beginning_of_a_sort():
    x = np.array([[2, NAN, 1, 2, NAN, -INF, INF], [0, 0, 0, 0, 0, 0, 0]], np.float32)
    for axis in (0, 1):
        for descending in (0, 1):
            whole = run("sort", [x], [np.float32, np.int64], axis=axis, descending=descending)
            for k in range(x.shape[axis] + 1):
                best = run("top_k", [x, np.array([k])], [np.float32, np.int64], axis=axis, descending=descending)
                for part, all_of_it in zip(best, whole):
                    same(part, np.take(all_of_it, range(k), axis=axis))


def test_sorted_search_knows_nan_and_zeros():
    keys = array([-1, 0, 5, NAN])
    same(run("sorted_search", [array([[-0.0, NAN, 5], [4, -INF, -1]]), keys], np.int64), [[1, 3, 2], [-1, -1, 0]])
    same(run("sorted_search", [array([2**62 + 1, 3], np.int64), array([3, 2**62, 2**62 + 1], np.int64)], np.int64), [2, 0])
    fails(INVALID_ARGUMENT, "sorted_search", [array([1]), array([1], np.int32)], np.int64)


# ---- trees ------------------------------------------------------------------------

def grown(**changes):
    """x0 <= 1 ? 10 : (x1 < 2 or NaN ? 20 : 30), and x1 = 2 ? 1 : none for target 1; operands in order."""
    operands = dict(
        x=array([[1, 0], [2, 2], [2, NAN], [NAN, 2], [2, 3]]),
        nodes=array([[0, 1, 2, 0], [0, 0, 0, 0], [8 + 1 + 4, 3, 4, 0], [0, 0, 0, 1], [0, 0, 0, 2], [8 + 2, 6, 7, 0],
                     [0, 0, 0, 3], [0, 0, 0, 4]], np.int32),
        thresholds=array([1, 0, 2, 0, 0, 2, 0, 0]), entries=array([[0, 0], [5, 0]], np.int32), starts=array([0, 1, 2], np.int32),
        weights=array([10, 20, 30, 1, NAN]))
    return list((operands | changes).values())


def test_tree_ensemble():
    same(run("tree_ensemble", grown(), fn="max"), [[10, 0], [30, 1], [20, 0], [30, 1], [30, 0]])
    both = grown(starts=array([0, 2, 2], np.int32), weights=array([10, 20, 30, 1, 0]))
    same(run("tree_ensemble", both, fn="sum")[:, 0], [10, 31, 20, 31, 30])
    same(run("tree_ensemble", grown(starts=array([0, 2, 2], np.int32)), fn="min")[:, 0], [10, 1, 20, 1, 30])


@pytest.mark.parametrize("name, at, value, code", [
    ("nodes", (2, 1), 2, INVALID_ARGUMENT), ("nodes", (2, 2), 8, INVALID_ARGUMENT), ("nodes", (0, 0), 16, INVALID_ARGUMENT),
    ("nodes", (0, 0), 3, INVALID_ARGUMENT), ("nodes", (3, 3), 5, OUT_OF_RANGE), ("entries", (0, 0), 8, OUT_OF_RANGE),
    ("entries", (0, 1), -1, OUT_OF_RANGE), ("starts", 2, 3, OUT_OF_RANGE), ("starts", 0, -1, OUT_OF_RANGE)])
def test_trees_never_lead_astray(name, at, value, code):
    order = ("x", "nodes", "thresholds", "entries", "starts", "weights")
    operands = grown()
    operands[order.index(name)][at] = value
    fails(code, "tree_ensemble", operands, fn="sum")


def test_tree_ensemble_refuses_tables_that_do_not_fit():
    fails(INVALID_ARGUMENT, "tree_ensemble", grown(thresholds=array([1])), fn="sum")
    fails(INVALID_ARGUMENT, "tree_ensemble", grown(), fn="prod")
    fails(INVALID_ARGUMENT, "tree_ensemble", grown(starts=array([0, 1, 2], np.int64)), fn="sum")


def test_couple_pairs():
    p = array([0.5, 0.3, 0.2], np.float64)
    pairs = p[:, None] / (p[:, None] + p)  # no contradiction: exactly these
    same(np.round(run("couple_pairs", [pairs[None]], np.float64, maxRounds=1000), 2), p[None])
    same(run("couple_pairs", [pairs[None]], np.float64, maxRounds=0), np.full((1, 3), 1 / 3))
    fails(INVALID_ARGUMENT, "couple_pairs", [pairs])
    fails(INVALID_ARGUMENT, "couple_pairs", [pairs[None]], maxRounds=-1)


def test_compact_and_iota():
    same(run("compact", [array([0, 1, 1, 0, 1], np.bool_)], np.int64), [1, 2, 4])
    assert run("compact", [np.zeros(3, np.bool_)], np.int64).shape == (0,)
    for dtype in (np.int64, np.float16, np.uint8):
        same(run("iota", [array([2, 3, 2], np.int64)], dtype, axis=1),
             np.broadcast_to(np.arange(3).reshape(1, 3, 1), (2, 3, 2)))


def test_cumulative():
    x = array([[1, 2, 3], [4, 5, 6]], np.int32)
    same(run("cumulative", [x], fn="sum", axis=1, exclusive=1), [[0, 1, 3], [0, 4, 9]])
    same(run("cumulative", [x], fn="prod", axis=1, reverse=1), [[6, 6, 3], [120, 30, 6]])
    same(run("cumulative", [x], fn="sum", axis=0, reverse=1, exclusive=1), [[4, 5, 6], [0, 0, 0]])


# ---- moves ------------------------------------------------------------------------

@pytest.mark.parametrize("dtype", [np.bool_, np.int16, np.float32, np.complex128,
                                   ml_dtypes.bfloat16, ml_dtypes.int4])
def test_moves_take_every_type(dtype):
    x = (np.arange(24) % 7).reshape(2, 3, 4).astype(dtype)
    i = lambda *v: np.array(v, np.int64)  # noqa: E731
    np.testing.assert_array_equal(run("transpose", [x], perm=[2, 0, 1]), x.transpose(2, 0, 1))
    np.testing.assert_array_equal(
        run("slice", [x, i(1, 2, 3), i(1, 3, 2)], steps=[-1, -1, -2]), x[1:0:-1, ::-1, 3:0:-2])
    np.testing.assert_array_equal(run("concat", [x, x[:, :1]], axis=1),
                                  np.concatenate([x, x[:, :1]], 1))
    np.testing.assert_array_equal(run("broadcast_to", [x[:, :1], i(2, 2, 3, 4)]),
                                  np.broadcast_to(x[:, :1], (2, 2, 3, 4)))
    np.testing.assert_array_equal(run("gather", [x, np.array([[2, -1]])], axis=1),
                                  np.take(x, [[2, -1]], axis=1))
    np.testing.assert_array_equal(
        run("pad", [x, i(0, 1, 0), i(0, 0, 2), np.ones((), dtype)], mode="constant"),
        np.pad(x, ((0, 0), (1, 0), (0, 2)), constant_values=1))
    np.testing.assert_array_equal(
        run("select", [np.array([[True], [False], [True]]), x, x[::-1]], dtype),
        np.where(np.array([[True], [False], [True]]), x, x[::-1]))


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
def test_pads_may_exceed_the_axis(mode):
    x = np.arange(3)
    same(run("pad", [x, array([7], np.int64), array([8], np.int64), array(0, np.int64)], mode=mode),
         np.pad(x, (7, 8), mode=mode))
    one = np.array([5])
    same(run("pad", [one, array([2], np.int64), array([1], np.int64), array(0, np.int64)],
             mode=mode), [5, 5, 5, 5])


def test_scatter_applies_updates_in_order():
    x, u = np.zeros(3, np.float32), array([1, 2, 4])
    index = array([1, 1, -2], np.int64)
    same(run("scatter_elements", [x, index, u], fn="set", axis=0), [0, 4, 0])
    same(run("scatter_elements", [x, index, u], fn="add", axis=0), [0, 7, 0])
    same(run("scatter_nd", [x, index[:, None], u], fn="max"), [0, 4, 0])
    fails(OUT_OF_RANGE, "scatter_elements", [x, array([3, 0, 0], np.int64), u], axis=0)
    fails(INVALID_ARGUMENT, "scatter_nd", [x, index[:, None], u[:2]])


def test_gather_with_batch_axes():
    x = np.arange(24).reshape(2, 3, 4)
    index = np.array([[0, 3], [1, -1]])
    same(run("gather", [x, index], axis=2, batchDims=1), np.stack([x[b][:, index[b]] for b in (0, 1)]))


# ---- quantised --------------------------------------------------------------------

def test_quantize_rounds_then_adds_then_saturates():
    x = array([0.5, 1.5, 2.5, -0.5, 1e30, -INF, NAN, 127.5])
    one = array(1.0)
    same(run("quantize", [x, one, array(10, np.uint8)], np.uint8),
         [10, 12, 12, 10, 255, 0, 0, 138])
    same(run("quantize", [x, one], np.int8), [0, 2, 2, 0, 127, -128, -128, 127])
    same(run("quantize", [x, one], ml_dtypes.int4), [0, 2, 2, 0, 7, -8, -8, 7])
    # The quotient is f32: 0.3 / 0.1 rounds to a tie that f64 does not see.
    x = np.linspace(-3, 3, 601).astype(np.float32)
    scale = np.float32(0.1)
    same(run("quantize", [x, array(scale)], np.int8), np.rint(x / scale))


def test_quantize_in_blocks_with_a_short_last_one():
    x = np.arange(10, dtype=np.float32).reshape(2, 5)
    scale = array([[1, 2, 4], [1, 0.5, 0.25]])
    expected = np.rint(x / np.repeat(scale, 2, axis=1)[:, :5])
    same(run("quantize", [x, scale], np.int8, axis=1, block=2), expected)
    same(run("dequantize", [expected.astype(np.int8), scale], np.float32, axis=1, block=2),
         expected * np.repeat(scale, 2, axis=1)[:, :5])
    fails(INVALID_ARGUMENT, "quantize", [x, scale], np.int8, axis=1, block=3)


def test_dynamic_quantize_of_zeros():
    y, scale, zero = run("dynamic_quantize", [np.zeros(4, np.float32)],
                         [np.uint8, np.float32, np.uint8])
    assert scale == 1 and zero == 0 and not y.any()


def few_bits(**changes):
    """x [2, 32], weights [3, 32] of 4 bits in blocks of 16: numbers 0 to 15, scales 1 and 2."""
    operands = dict(
        x=np.tile(array([1, 10]), (2, 16)), bytes=np.tile(np.arange(16, dtype=np.uint8) * 17, (3, 1)),
        scales=np.tile(array([1, 2]), (3, 1)), zeros=array([[0x21]] * 3, np.uint8))
    return list((operands | changes).values())


@pytest.mark.parametrize("zeros, first, second", [(array([[0x21]] * 3, np.uint8), 1, 2), (None, 8, 8),
                                                  (array([[0.5, -3]] * 3), 0.5, -3)])
def test_products_of_few_bits(zeros, first, second):
    # Byte i holds the number i twice: 11 * i with x.
    expected = 11 * ((np.arange(8) - first).sum() + 2 * (np.arange(8, 16) - second).sum())
    same(run("matmul_few_bits", few_bits(zeros=zeros), bits=4, block=16), np.full((2, 3), expected))


def test_products_of_signed_bytes_with_the_depth_first():
    numbers = np.arange(-48, 48, dtype=np.int8).reshape(32, 3)
    operands = few_bits(bytes=numbers, zeros=None)
    scaled = numbers * np.repeat([1.0, 2.0], 16)[:, None]
    same(run("matmul_few_bits", operands, bits=8, block=16, depthFirst=1), operands[0] @ scaled)
    operands = few_bits(bytes=numbers.T.copy(), zeros=array([[1, -2]] * 3))
    scaled = (numbers - np.repeat([1.0, -2.0], 16)[:, None]) * np.repeat([1.0, 2.0], 16)[:, None]
    same(run("matmul_few_bits", operands, bits=8, block=16), operands[0] @ scaled)


@pytest.mark.parametrize("changes, attributes", [
    ({}, {"bits": 3, "block": 16}), ({}, {"bits": 4, "block": 8}), ({}, {"bits": 2, "block": 16}),
    ({"scales": np.ones((3, 1), np.float32)}, {"bits": 4, "block": 16}),
    ({"bytes": np.zeros((3, 16), np.int8)}, {"bits": 4, "block": 16}),
    ({"zeros": np.zeros((3, 2), np.uint8)}, {"bits": 4, "block": 16}),
    ({"zeros": np.zeros((3, 1), np.float32)}, {"bits": 4, "block": 16})])
def test_products_of_few_bits_refuse_what_does_not_fit(changes, attributes):
    fails(INVALID_ARGUMENT, "matmul_few_bits", few_bits(**changes), **attributes)


def test_integer_products_are_exact_and_wrap():
    a, b = np.full((1, 70000), 255, np.uint8), np.full((70000, 1), -128, np.int8)
    same(run("matmul_integer", [a, b], np.int32), [[255 * -128 * 70000 % 2**32 - 2**32
                                                    if 255 * -128 * 70000 % 2**32 >= 2**31
                                                    else 255 * -128 * 70000 % 2**32]])
    zeros = run("matmul_integer", [a[:, :3], b[:3], array(255, np.uint8), array([-128], np.int8)],
                np.int32)
    same(zeros, [[0]])


def test_matmul_of_nothing_is_zero():
    same(run("matmul", [np.zeros((2, 0), np.float32), np.zeros((0, 3), np.float32)]),
         np.zeros((2, 3)))
    assert run("matmul", [np.zeros((0, 2, 4)), np.zeros((4, 3))]).shape == (0, 2, 3)
    w, bias = np.zeros((3, 0, 1, 1), np.float32), array([1, 2, 3])
    same(run("conv", [np.zeros((1, 0, 2, 2), np.float32), w, bias]),
         np.broadcast_to(bias.reshape(1, 3, 1, 1), (1, 3, 2, 2)))


# ---- softmax ----------------------------------------------------------------------

def test_softmax_of_infinities():
    same(run("softmax", [array([-INF, -INF])], axis=0), [NAN, NAN])
    same(run("softmax", [array([0, -INF])], axis=0), [1, 0])
    np.testing.assert_allclose(run("log_softmax", [array([1000, 0], np.float64)], axis=0), [0, -1000])


# ---- weighted sums of rows ----------------------------------------------------------

def test_gather_sum_takes_no_row_at_minus_one():
    rows = array([[[1, 2], [INF, NAN], [10, 20]]])
    positions = np.array([[[0, 2]], [[-1, 0]]])  # two taps, one batch, two samples
    weights = array([[[3, 0.5]], [[7, 2]]])
    same(run("gather_sum", [rows, positions, weights]), [[[3, 6], [7, 14]]])


@pytest.mark.parametrize("position", [-2, 3])
def test_gather_sum_refuses_other_positions(position):
    with pytest.raises(Exception, match=f"position {position} is none of 3 rows"):
        run("gather_sum", [np.ones((1, 3, 2), np.float32), np.full((1, 1, 1), position), np.ones((1, 1, 1), np.float32)])


# ---- regions of interest ------------------------------------------------------------

def roi(x, boxes, batch, dtype=np.float32, **attributes):
    return run("roi_pool", [array(x, dtype), array(boxes, dtype), np.array(batch)],
               **{"size": [1, 1], "scale": 1.0, **attributes})


def test_roi_samples_outside_count_as_zero():
    x = np.ones((1, 1, 4, 4))
    # Four samples, of which one lies in the image.
    assert roi(x, [[-4, -4, 4, 4]], [0], fn="align_avg", ratio=2, halfPixel=1).item() == 0.25
    assert roi(-x, [[-4, -4, 4, 4]], [0], fn="align_max", ratio=2, halfPixel=1).item() == 0


def test_roi_max_takes_weighted_corners():
    x = [[[[1.0, 4.0], [2.0, 8.0]]]]
    # A sample in the middle: a quarter of the largest, not the largest.
    assert roi(x, [[0.5, 0.5, 1.5, 1.5]], [0], fn="align_max", ratio=1, halfPixel=1).item() == 2


def test_roi_widens_boxes_without_half_pixel_only():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    assert roi(x, [[1, 1, 1, 1]], [0], fn="align_avg", ratio=1).item() == 7.5
    assert roi(x, [[1.5, 1.5, 1.5, 1.5]], [0], fn="align_avg", ratio=1, halfPixel=1).item() == 5
    # Without a ratio a box of no size has no samples.
    assert roi(x, [[1.5, 1.5, 1.5, 1.5]], [0], fn="align_avg", halfPixel=1).item() == 0


def test_roi_bins_are_whole_elements():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    same(roi(x, [[0, 0, 2, 2]], [0], fn="bin_max", size=[2, 2]), [[[[5, 6], [9, 10]]]])
    assert roi(x, [[0.5, 0, 0.5, 0]], [0], fn="bin_max").item() == 1  # halves away from 0
    assert roi(x, [[5, 5, 9, 9]], [0], fn="bin_max").item() == 0


@pytest.mark.parametrize("fn", ["align_avg", "align_max", "bin_max"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_roi_layouts_agree_and_hostile_boxes_end(fn, dtype):
    random = np.random.default_rng(5)
    x = random.normal(size=(2, 3, 6, 7)).astype(dtype)
    corners = [0, 4, -1e30, 1e30, INF, -INF, NAN, 3e9]
    boxes = array([[a, b, c, d] for a in corners for b in corners for c in corners for d in corners], dtype)
    batch = random.integers(0, 2, len(boxes))
    attributes = dict(fn=fn, size=[2, 1], scale=0.75)
    first = run("roi_pool", [x, boxes, batch], **attributes)
    last = run("roi_pool", [np.ascontiguousarray(np.moveaxis(x, 1, -1)), boxes, batch], layout="nhwc", **attributes)
    assert np.isfinite(first).all()
    same(np.moveaxis(last, -1, 1), first)


def test_roi_errors():
    x, box = np.ones((1, 1, 2, 2)), [[0, 0, 1, 1]]
    for index in (1, -1):
        with pytest.raises(ReferenceError) as error:
            roi(x, box, [index], fn="align_avg")
        assert error.value.code == OUT_OF_RANGE
    for wrong in (dict(fn="nonsense"), dict(fn="align_avg", ratio=-1), dict(fn="align_avg", size=[1])):
        with pytest.raises(ReferenceError) as error:
            roi(x, box, [0], **wrong)
        assert error.value.code == INVALID_ARGUMENT


# ---- errors -----------------------------------------------------------------------

def test_errors_are_typed():
    x = np.zeros((2, 3), np.float32)
    fails(UNSUPPORTED, "nonsense", [x])
    fails(INVALID_ARGUMENT, "unary", [x], fn="nonsense")
    fails(INVALID_ARGUMENT, "binary", [x, np.zeros(3, np.int32)], fn="add")
    fails(INVALID_ARGUMENT, "matmul", [x, x])
    fails(OUT_OF_RANGE, "gather", [x, np.array([2])], axis=0)
    fails(INVALID_ARGUMENT, "concat", [x, x[:, :2]], axis=0)
    fails(UNSUPPORTED, "unary", [x.astype(np.complex64)], fn="abs")
    fails(EXHAUSTED, "broadcast_to", [x, array([2**34, 2, 3], np.int64)])


def test_names_are_unique():
    assert len(ops()) == len(set(ops())) > 0
