"""Traps of ONNX's semantics: one named case each, numbers worked out by hand from the text.

Those that tests/e2e has (narrow casts, LSTM options, ordering with NaN, bad indices, strings)
are not repeated."""

import numpy as np
import pytest

from operators import oracle, verdict
from operators.case import EXACT, Bound, Case

F = np.float32
NAN, INF = np.nan, np.inf


def i64(*values):
    return np.array(values, np.int64)


def f32(*values):
    return np.array(values, F)


def case(op, opset, *inputs, right, constants=(), outputs=1, bound=EXACT, domain="", **attributes):
    made = Case(op, list(inputs), attributes, outputs, frozenset(constants), bound, lambda *_: right, domain)
    made.since = made.opset = opset
    return made


ROW = f32(1, 2, 3, 4, 5).reshape(1, 1, 5)
TRAPS = {
    # Arithmetic
    "round-half-to-even": case("Round", 22, f32(0.5, 1.5, 2.5, -0.5), right=f32(0, 2, 2, -0.0)),
    "integer-division-truncates": case("Div", 14, np.array([-7, 7], np.int32), np.array([2, -2], np.int32), right=np.array([-3, -3], np.int32)),
    "integer-division-by-zero-is-0": case("Div", 14, np.array([5, -2**31], np.int32), np.array([0, -1], np.int32),
                                          right=np.array([0, -2**31], np.int32)),
    "mod-takes-sign-of-divisor": case("Mod", 13, i64(-7, 7), i64(3, -3), right=i64(2, -2)),
    "fmod-takes-sign-of-dividend": case("Mod", 13, i64(-7, 7), i64(3, -3), fmod=1, right=i64(-1, 1)),
    "mod-by-zero-is-0": case("Mod", 13, i64(7), i64(0), right=i64(0)),
    "float-mod-28-of-infinity": case("Mod", 28, f32(5, -5), f32(INF, INF), right=f32(5, INF)),
    "pow-of-negative-integer-exponent": case("Pow", 15, i64(2, 1, -1, 0), i64(-1, -3, -3, -1), right=i64(0, 1, -1, 0)),
    "pow-zero-is-one-even-of-nan": case("Pow", 15, f32(NAN, 1), f32(0, NAN), right=f32(1, 1), bound=Bound(1)),
    "pow-has-type-of-base": case("Pow", 15, np.array([2, 3], np.int32), f32(0.5, 2), right=np.array([1, 9], np.int32)),
    "shift-by-width-is-0": case("BitShift", 28, np.array([1, 255], np.uint8), np.array([8, 200], np.uint8), direction="LEFT",
                                right=np.array([0, 0], np.uint8)),
    "right-shift-of-negative-beyond-width": case("BitShift", 28, np.array([-5], np.int32), np.array([40], np.int32), direction="RIGHT",
                                                 right=np.array([-1], np.int32)),
    "cast-300-to-i8": case("Cast", 13, f32(300, -129), to=3, right=np.array([44, 127], np.int8)),
    "cast-saturates-i32-and-nan-is-0": case("Cast", 13, f32(3e9, -3e9, NAN), to=6, right=np.array([2**31 - 1, -2**31, 0], np.int32)),
    "cast-nan-to-bool": case("Cast", 13, f32(NAN, 0, -0.0), to=9, right=np.array([True, False, False])),
    "cast-to-string-as-numpy": case("Cast", 13, f32(3, 1e-5, NAN, -INF), to=8, right=np.array(["3.0", "1e-05", "nan", "-inf"], object)),
    "cast-from-string": case("Cast", 13, np.array(["INF", "+inf", "-INF", "NaN", "1e3"], object), to=1, right=f32(INF, INF, -INF, NAN, 1000)),
    "clip-min-above-max": case("Clip", 13, f32(0, 5, 9), np.array(6, F), np.array(2, F), right=f32(2, 2, 2)),
    "clip-infinity-without-bound": case("Clip", 13, f32(INF), np.array(0, F), right=f32(np.finfo(F).max)),
    "shrink-is-strict": case("Shrink", 9, f32(-0.5, 0.5, 0.75), right=f32(0, 0, 0.75)),
    "thresholded-relu-is-strict": case("ThresholdedRelu", 22, f32(1, 1.5), right=f32(0, 1.5)),
    "mean-of-integers-truncates": case("ReduceMean", 18, np.array([-3, 0], np.int32), keepdims=0, right=np.array(-1, np.int32)),
    "reduce-empty-axes-is-all": case("ReduceSum", 13, f32(1, 2), i64(), constants={1}, keepdims=0, right=np.array(3, F)),
    "reduce-noop-still-squares": case("ReduceSumSquare", 18, f32(-2, 3), i64(), constants={1}, noop_with_empty_axes=1, right=f32(4, 9)),
    "reduce-nothing": case("ReduceMax", 20, np.zeros((0, 2), F), i64(0), constants={1}, right=f32(-INF, -INF).reshape(1, 2)),
    "reduce-max-keeps-nan": case("ReduceMax", 20, f32(1, NAN, 2), keepdims=0, right=np.array(NAN, F)),
    "log-sum-exp-of-minus-infinity": case("ReduceLogSumExp", 18, f32(-INF, -INF), keepdims=0, right=np.array(-INF, F)),
    "softmax-of-minus-infinity": case("Softmax", 13, f32(-INF, -INF), right=f32(NAN, NAN)),
    "softmax-11-is-of-a-matrix": case("Softmax", 11, np.zeros((1, 2, 2), F), right=np.full((1, 2, 2), 0.25)),
    "hardmax-first-maximum": case("Hardmax", 13, f32(3, 1, 3), right=f32(1, 0, 0)),
    "arg-max-last": case("ArgMax", 13, f32(3, 1, 3), keepdims=0, select_last_index=1, right=np.array(2, np.int64)),
    "top-k-equal-by-lower-index": case("TopK", 11, f32(2, 1, 2, 2), i64(2), constants={1}, outputs=2, right=(f32(2, 2), i64(0, 2))),
    "top-k-of-0": case("TopK", 11, f32(2, 1), i64(0), constants={1}, outputs=2, right=(f32(), i64())),
    # Moves
    "scatter-last-duplicate-stays": case("ScatterElements", 18, f32(0, 0), i64(1, 1), f32(5, 6), right=f32(0, 6)),
    "gather-negative": case("Gather", 13, f32(1, 2, 3), i64(-3, -1), right=f32(1, 3)),
    "slice-backwards-to-the-start": case("Slice", 13, f32(1, 2, 3), i64(2), i64(-(2**63)), i64(0), i64(-1), constants={1, 2, 3, 4},
                                         right=f32(3, 2, 1)),
    "slice-huge-end": case("Slice", 13, f32(1, 2, 3), i64(1), i64(2**63 - 1), constants={1, 2}, right=f32(2, 3)),
    "pad-negative-crops-first": case("Pad", 19, f32(1, 2, 3), i64(-1, 2), constants={1}, mode="edge", right=f32(2, 3, 3, 3)),
    "pad-reflect-repeats": case("Pad", 19, f32(1, 2), i64(3, 0), constants={1}, mode="reflect", right=f32(2, 1, 2, 1, 2)),
    "pad-wrap-repeats": case("Pad", 19, f32(1, 2), i64(3, 0), constants={1}, mode="wrap", right=f32(2, 1, 2, 1, 2)),
    "reshape-zero-copies": case("Reshape", 21, np.zeros((2, 3), F), i64(0, -1), constants={1}, right=np.zeros((2, 3), F)),
    "reshape-allowzero": case("Reshape", 21, np.zeros((0, 3), F), i64(3, 0), constants={1}, allowzero=1, right=np.zeros((3, 0), F)),
    "unsqueeze-counts-in-the-result": case("Unsqueeze", 13, f32(1, 2), i64(-1, 0), constants={1}, right=f32(1, 2).reshape(1, 2, 1)),
    "expand-keeps-where-one": case("Expand", 13, np.ones((2, 1), F), i64(1, 3), constants={1}, right=np.ones((2, 3), F)),
    "split-18-last-is-smaller": case("Split", 18, f32(1, 2, 3, 4, 5), num_outputs=2, outputs=2, right=(f32(1, 2, 3), f32(4, 5))),
    "tile-0-is-empty": case("Tile", 13, f32(1, 2), i64(0), constants={1}, right=f32()),
    "flatten-axis-may-be-rank": case("Flatten", 13, f32(1, 2), axis=1, right=f32(1, 2).reshape(2, 1)),
    "nonzero-of-scalar": case("NonZero", 13, np.array(3, F), right=np.zeros((1, 1), np.int64)),
    "nonzero-counts-nan": case("NonZero", 13, f32(NAN, 0, -0.0), right=i64(0).reshape(1, 1)),
    "compress-short-condition": case("Compress", 11, f32(1, 2, 3), np.array([True]), right=f32(1)),
    "one-hot-negative-and-outside": case("OneHot", 11, i64(-1, 3, -4), np.array(3), f32(0, 1), constants={1},
                                         right=np.array([[0, 0, 1], [0, 0, 0], [0, 0, 0]], F)),
    "depth-to-space-crd": case("DepthToSpace", 13, np.arange(8, dtype=F).reshape(1, 8, 1, 1), blocksize=2, mode="CRD",
                               right=np.arange(8, dtype=F).reshape(1, 2, 2, 2)),
    "depth-to-space-dcr": case("DepthToSpace", 13, np.arange(8, dtype=F).reshape(1, 8, 1, 1), blocksize=2,
                               right=f32(0, 2, 4, 6, 1, 3, 5, 7).reshape(1, 2, 2, 2)),
    "center-crop-pad-odd": case("CenterCropPad", 18, f32(1, 2, 3), i64(6), constants={1}, right=f32(0, 1, 2, 3, 0, 0)),
    "resize-round-prefer-floor": case("Resize", 19, ROW, None, f32(1, 1, 0.5), constants={2}, nearest_mode="round_prefer_floor",
                                      right=f32(1, 3).reshape(1, 1, 2)),
    "resize-integers-round-to-even": case("Resize", 19, np.array([0, 1, 3], np.uint8).reshape(1, 1, 3), None, f32(1, 1, 2), constants={2},
                                          mode="linear", coordinate_transformation_mode="align_corners",
                                          right=np.array([0, 0, 1, 1, 2, 3], np.uint8).reshape(1, 1, 6)),
    # Windows
    "pool-ceil-window-in-end-pads-is-dropped": case("MaxPool", 22, ROW, kernel_shape=[2], strides=[3], pads=[0, 1], ceil_mode=1,
                                                    right=f32(2, 5).reshape(1, 1, 2)),
    "average-pool-never-counts-the-overhang": case("AveragePool", 22, ROW, kernel_shape=[2], strides=[2], ceil_mode=1, count_include_pad=1,
                                                   right=f32(1.5, 3.5, 5).reshape(1, 1, 3), bound=Bound(2)),
    "max-pool-pads-are-minus-infinity": case("MaxPool", 22, -ROW, kernel_shape=[2], strides=[2], pads=[1, 0],
                                             right=f32(-1, -2, -4).reshape(1, 1, 3)),
    "max-pool-flat-indices": case("MaxPool", 22, f32(1, 2, 2, 1).reshape(1, 2, 2), kernel_shape=[2], outputs=2,
                                  right=(f32(2, 2).reshape(1, 2, 1), i64(1, 2).reshape(1, 2, 1))),
    "same-lower-puts-the-odd-one-first": case("AveragePool", 22, ROW, kernel_shape=[2], auto_pad="SAME_LOWER",
                                              right=f32(1, 1.5, 2.5, 3.5, 4.5).reshape(1, 1, 5), bound=Bound(2)),
    "conv-transpose-output-shape": case("ConvTranspose", 22, f32(1, 2).reshape(1, 1, 2), f32(1, 1, 1).reshape(1, 1, 3), strides=[2],
                                        output_shape=[4], right=f32(1, 3, 2, 2).reshape(1, 1, 4), bound=Bound(2)),
    "lrn-even-size": case("LRN", 13, f32(1, 2, 3).reshape(1, 3, 1), size=2, alpha=2.0, beta=1.0, bias=0.0,
                          right=f32(1 / 5, 2 / 13, 3 / 9).reshape(1, 3, 1), bound=Bound(16)),
    "lp-normalization-1-of-signs": case("LpNormalization", 22, f32(-1, 3), p=1, right=f32(-0.25, 0.75), bound=Bound(4)),
    "lp-normalization-of-zeros": case("LpNormalization", 22, f32(0, 0), right=f32(0, 0)),
    # Quantised
    "quantize-ties-to-even": case("QuantizeLinear", 21, f32(1, 3, 5, -1), np.array(2, F), np.array(10, np.uint8), constants={1, 2},
                                  right=np.array([10, 12, 12, 10], np.uint8)),
    "quantize-saturates-infinity": case("QuantizeLinear", 21, f32(INF, -INF, 1e30), np.array(1, F), np.array(0, np.int8), constants={1, 2},
                                        right=np.array([127, -128, 127], np.int8)),
    "dynamic-quantize-of-zeros": case("DynamicQuantizeLinear", 11, f32(0, 0), outputs=3,
                                      right=(np.zeros(2, np.uint8), np.array(1, F), np.array(0, np.uint8))),
    "integer-product-wraps-not-saturates": case("MatMulInteger", 10, np.full((1, 4), 255, np.uint8), np.full((4, 1), -128, np.int8),
                                                right=np.array([[-130560]], np.int32)),
    # Rest
    "unique-first-index-is-flat": case("Unique", 11, f32(2, 1, 1, 2).reshape(2, 2), outputs=4,
                                       right=(f32(1, 2), i64(1, 0), i64(1, 0, 0, 1), i64(2, 2))),
    "suppression-keeps-equal-overlap": case("NonMaxSuppression", 11, f32(0, 0, 1, 1, 0, 0, 0.5, 1).reshape(1, 2, 4),
                                            f32(2, 1).reshape(1, 1, 2), i64(5), f32(0.5), constants={2, 3},
                                            right=np.array([[0, 0, 0], [0, 0, 1]], np.int64)),
    "suppression-without-count-is-empty": case("NonMaxSuppression", 11, f32(0, 0, 1, 1).reshape(1, 1, 4), f32(2).reshape(1, 1, 1),
                                               right=np.zeros((0, 3), np.int64)),
    "normalizer-empty-stops": case("StringNormalizer", 10, np.array(["the"], object), stopwords=["the"], right=np.array([""], object)),
    "range-backwards": case("Range", 11, np.array(3), np.array(0), np.array(-2), constants={0, 1, 2}, right=i64(3, 1)),
    "eye-like-k": case("EyeLike", 22, np.zeros((2, 3), F), k=1, right=np.eye(2, 3, 1, dtype=F)),
    "cum-sum-exclusive-reverse": case("CumSum", 14, f32(1, 2, 3), np.array(0), constants={1}, exclusive=1, reverse=1, right=f32(5, 3, 0)),
    "nan-is-the-greatest": case("TopK", 11, f32(1, NAN, 3), i64(2), constants={1}, outputs=2, right=(f32(NAN, 3), i64(1, 2))),
    "matmul-over-nothing": case("MatMul", 13, np.zeros((2, 0), F), np.zeros((0, 3), F), right=np.zeros((2, 3), F)),
    "minus-zero-survives-neg": case("Neg", 13, f32(0, -0.0), right=f32(-0.0, 0)),
}


@pytest.fixture(scope="module")
def outcomes(engine):
    """outcomes(device) -> what became of each trap; one model per opset."""
    done = {}

    def get(device):
        if device not in done:
            done[device] = {}
            for opset in sorted({trap.opset for trap in TRAPS.values()}):
                names = [name for name, trap in TRAPS.items() if trap.opset == opset]
                done[device].update(zip(names, engine(device).run([TRAPS[name] for name in names])))
        return done[device]

    return get


@pytest.mark.parametrize("name", TRAPS)
def test_trap(outcomes, device, name):
    outcome = outcomes(device)[name]
    assert outcome.outputs is not None, f"{outcome.verdict}: {outcome.reason}"
    found = verdict.judge(TRAPS[name], oracle.expected(TRAPS[name]), outcome.outputs)
    assert found is None, f"{found}\n{TRAPS[name].describe()}"
