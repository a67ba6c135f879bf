"""Faults that random cases found, the smallest case of each. Those that are open are strict: what
is mended leaves OPEN and known.py, and the strategies that steer clear of it come back."""

import ml_dtypes
import numpy as np
import pytest

from operators import oracle, verdict
from operators.case import Bound, Case

C64, C128, TEXT = np.complex64, np.complex128, np.array([["a", "b"], ["c", "d"]], object)


def i64(*values):
    return np.array(values, np.int64)


def case(op, opset, *inputs, right=None, constants=(), outputs=1, bound=None, **attributes):
    made = Case(op, list(inputs), attributes, outputs, frozenset(constants), reference=None if right is None else lambda *_: right)
    made.since = made.opset = opset
    if bound:
        made.bound = bound
    return made


NARROW = np.array([[-1.94531, -1.95312]], ml_dtypes.bfloat16)
PARAMETERS = [np.array([1.14062, 1.08594], ml_dtypes.bfloat16), np.array([2.54688, 1.59375], ml_dtypes.bfloat16),
              np.array([-0.68341684, 0.5327541], np.float32), np.array([1.4702512, 1.49588], np.float32)]
NORMALISED = ((NARROW.astype(float) - PARAMETERS[2]) / np.sqrt(PARAMETERS[3].astype(float) + np.float32(1e-5))
              * PARAMETERS[0].astype(float) + PARAMETERS[1].astype(float))
NARROW_A, NARROW_B, NARROW_C = (np.random.default_rng(0).uniform(-4, 4, (8, 8)).astype(np.float16) for _ in range(3))
NARROW_C = (NARROW_A.astype(float) @ NARROW_B.astype(float) / -1.5).astype(np.float16)  # what is left is small
GEMM = NARROW_A.astype(float) @ NARROW_B.astype(float) + 1.5 * NARROW_C.astype(float)
HUGE = np.array([4e6, -1e10, 1e20, -1e30, 16367173.0 * 2.0**72, 1, np.nan, -np.inf], np.float32)  # one is all but n pi/2
with np.errstate(invalid="ignore"):
    COSINES, TANGENTS = np.cos(HUGE.astype(float)), np.tan(HUGE.astype(float))
CODES = np.arange(65536, dtype=np.uint16)
HUGE16 = np.array([1e10, -3e38, 2.5], ml_dtypes.bfloat16)
COUNTS = np.array([4, 6, 6, 4]) / 9

FAULTS = {
    "pad-complex": case("Pad", 13, np.ones((2, 3), C64), i64(1, 0, 0, 1), constants={1},
                        right=np.pad(np.ones((2, 3), C64), ((1, 0), (0, 1)))),
    "center-crop-pad-complex": case("CenterCropPad", 18, np.ones((1, 2), C64), i64(1, 4),
                                    right=np.array([[0, 1, 1, 0]], C64)),
    "nonzero-complex": case("NonZero", 13, np.array([0, 2j], C64), right=i64(1).reshape(1, 1)),
    "unique-complex": case("Unique", 11, np.array([2j, 1, 2j, 1 - 1j], C64), outputs=4,
                           right=(np.array([2j, 1 - 1j, 1], C64), i64(0, 3, 1), i64(0, 2, 0, 1), i64(2, 1, 1))),
    "unique-bool": case("Unique", 11, np.array([True, False, True]), outputs=4,
                        right=(np.array([False, True]), i64(1, 0), i64(1, 0, 1), i64(1, 2))),
    "bool-to-string": case("Cast", 13, np.array([True, False]), right=np.array(["1", "0"], object), to=8),
    "nonzero-complex128": case("NonZero", 13, np.array([[0, 2j, -0.0], [1, 0, 0]], C128), right=i64(0, 1, 1, 0).reshape(2, 2)),
    "nonzero-empty": case("NonZero", 13, np.zeros((0, 4), np.float32), right=np.zeros((2, 0), np.int64)),
    "slice-backwards-from-before": case("Slice", 13, np.arange(1, dtype=np.int8), i64(-2), i64(-2), i64(0), i64(-2),
                                        right=np.arange(1, dtype=np.int8)),
    "shrink-integers": case("Shrink", 9, np.array([0, 1, 2], np.int32), lambd=1.0, right=np.array([0, 0, 2], np.int32)),
    "erf-integers": case("Erf", 9, np.array([0], np.int32), right=np.array([0], np.int32)),
    "hardmax-empty": case("Hardmax", 13, np.zeros((0, 3), np.float32), axis=0, right=np.zeros((0, 3), np.float32)),
    "dropout-ratio-0": case("Dropout", 13, np.ones(3, np.float32), np.array(0, np.float32), np.array(True), constants={1, 2},
                            right=np.ones(3, np.float32)),
    "log-sum-exp-narrow": case("ReduceLogSumExp", 28, np.zeros((3, 5, 4, 1), np.float16), i64(1, -4), constants={1},
                               right=np.full((1, 1, 4, 1), np.log(15)), bound=Bound(8)),
    "rms-scale-of-another-type": case("RMSNormalization", 23, np.ones((2, 2), np.float16), np.ones(2, np.float32),
                                      right=np.ones((2, 2)), bound=Bound(100)),
    "average-pool-same-upper": case("AveragePool", 22, np.ones((1, 1, 4, 4), np.float32), kernel_shape=[3, 3], auto_pad="SAME_UPPER",
                                    count_include_pad=1, right=np.minimum(COUNTS[:, None] * COUNTS * 9 / 4, 1)[None, None],
                                    bound=Bound(8)),
    "batch-normalization-narrow": case("BatchNormalization", 15, NARROW, *PARAMETERS, right=NORMALISED, bound=Bound(8, 8, 4.0)),
    "complex128-moves": case("Transpose", 21, np.ones((2, 3), C128), right=np.ones((3, 2), C128)),
    "concat-complex128": case("Concat", 13, np.array([[1 + 2j]], C128), np.array([[3j, 4]], C128), axis=1,
                              right=np.array([[1 + 2j, 3j, 4]], C128)),
    "slice-complex128": case("Slice", 13, np.arange(6).reshape(2, 3) * (1 + 1j), i64(2), i64(-9), i64(1), i64(-2), constants={1, 2, 3, 4},
                             right=(np.arange(6).reshape(2, 3) * (1 + 1j))[:, ::-2]),
    "pad-complex128": case("Pad", 13, np.ones((1, 2), C128), i64(1, 0, 0, 1), np.array(2 + 3j, C128), constants={1, 2},
                           right=np.pad(np.ones((1, 2), C128), ((1, 0), (0, 1)), constant_values=2 + 3j)),
    "gather-complex128": case("Gather", 13, np.array([1, 2j, 3], C128), i64(2, -2), right=np.array([3, 2j], C128)),
    "gather-elements-complex128": case("GatherElements", 13, np.array([[1, 2j], [3, 4]], C128), i64(1, 0).reshape(2, 1), axis=1,
                                       right=np.array([[2j], [3]], C128)),
    "expand-complex128": case("Expand", 13, np.array([1 + 2j, 3], C128), i64(2, 2), constants={1}, right=np.array([[1 + 2j, 3]] * 2, C128)),
    "where-complex128": case("Where", 16, np.array([True, False]), np.array([1, 2], C128), np.array([3j], C128),
                             right=np.array([1, 3j], C128)),
    "identity-complex128": case("Identity", 14, np.array([1, 2j], C128), right=np.array([1, 2j], C128)),
    "reverse-strings": case("ReverseSequence", 10, TEXT, i64(2, 2), right=TEXT[::-1]),
    "trilu-strings": case("Trilu", 14, TEXT, right=np.array([["a", "b"], ["", "d"]], object)),
    "depth-to-space-strings": case("DepthToSpace", 13, TEXT.reshape(1, 4, 1, 1), blocksize=2, right=TEXT.reshape(1, 1, 2, 2)),
    "sine-of-huge-bf16": case("Sin", 22, HUGE16, right=np.sin(HUGE16.astype(float)), bound=Bound(4)),
    "cosine-of-huge": case("Cos", 22, HUGE, right=COSINES, bound=Bound(4)),
    "tangent-of-huge": case("Tan", 22, HUGE, right=TANGENTS, bound=Bound(8)),
    "sine-of-huge-f64": case("Sin", 22, np.array([1e300, -2.0**1000, np.inf]), right=np.sin(np.array([1e300, -2.0**1000, np.nan])),
                             bound=Bound(4)),
    "sine-of-huge": case("Sin", 22, np.array([3.4028235e38], np.float32), right=np.sin(np.array([3.4028234663852886e38])), bound=Bound(4)),
    "power-of-narrow": case("Pow", 15, np.array([3.186], np.float16), np.array([3.1848085], np.float32),
                            right=np.array([float(np.float16(3.186))]) ** 3.1848084926605225, bound=Bound(16)),
    "bit-cast-f16": case("BitCast", 26, np.array([0x3C00], np.int16), to=10, right=np.array([1], np.float16)),
    "gemm-narrow": case("Gemm", 13, NARROW_A, NARROW_B, NARROW_C, beta=1.5, right=GEMM, bound=Bound(4, 8, 4.0)),
    "gemm-of-nothing": case("Gemm", 13, np.zeros((4, 0), ml_dtypes.bfloat16), np.ones((1, 4), ml_dtypes.bfloat16), transA=1, transB=1,
                            beta=1.5, constants={1}, right=np.zeros((0, 1))),
    "bit-cast-all-f16": case("BitCast", 26, CODES.view(np.float16), to=4, right=CODES),
    "bit-cast-all-bf16": case("BitCast", 26, CODES.view(ml_dtypes.bfloat16), to=4, right=CODES),
    "bit-cast-complex": case("BitCast", 26, np.array([1 + 2j, 0], C64), to=11,
                             right=np.array([1 + 2j, 0], C64).view(np.float64)),
    "bit-cast-f8": case("BitCast", 26, np.array([0x38], np.int8), to=17, right=np.array([1], ml_dtypes.float8_e4m3fn)),
}
# Not mended yet.
OPEN: set[str] = set()
ELSEWHERE: set[tuple[str, str]] = set()  # open, but not on this device


@pytest.mark.parametrize("name", FAULTS)
def test_fault(engine, device, name, request):
    if name in OPEN and (name, device) not in ELSEWHERE:
        request.applymarker(pytest.mark.xfail(reason="an open fault", strict=True))
    found = FAULTS[name]
    outcome = engine(device).run([found])[0]
    assert outcome.outputs is not None, f"{outcome.verdict}: {outcome.reason}"
    assert verdict.judge(found, oracle.expected(found), outcome.outputs) is None
