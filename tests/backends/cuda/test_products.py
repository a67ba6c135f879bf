"""Products by teams on cuda:0, under the stand-in driver: that they are right, and what they cost.

Every case is a model of its own, a MatMul or Conv with Neg behind it that joins its kernel. Results are
compared with sums in f64 (those of 8-bit integers exactly); costs are counts of the interpreter (CUDA.md's bars), of a product of 11 x 12
tiles of 128 x 128 and one of 64 x 64.
"""

import json
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "cuda_driver"))
import standin  # noqa: E402

F32, F16, BF16, S8, U8 = np.float32, np.float16, ml_dtypes.bfloat16, np.int8, np.uint8


@pytest.fixture(autouse=True)
def needs_a_driver(build_dir):
    if not (Path(build_dir) / "lib" / "libhexin_backend_cuda.so").exists():
        pytest.skip("this build has no cuda target: -DHEXIN_WITH_CUDA=ON")
    if not standin.is_real() and not (standin.library_folder(build_dir) / "libcuda.so.1").exists():
        pytest.skip("the stand-in is not built")


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(F32)


def matmul(seed, lhs, rhs, dtype=F32, unknown=()):
    return "MatMul", random(seed, *lhs).astype(dtype), random(seed + 1, *rhs).astype(dtype), unknown, {}


def whole(seed, dtype, *shape):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max + 1
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def matmul_integer(seed, lhs, rhs, dtypes, unknown=(), zeros=(None, None)):
    return "MatMulInteger", whole(seed, dtypes[0], *lhs), whole(seed + 1, dtypes[1], *rhs), unknown, {"zeros": zeros}


def conv_integer(seed, image, weights, dtypes, unknown=(), zeros=(None, None), **attributes):
    return ("ConvInteger", whole(seed, dtypes[0], *image), whole(seed + 1, dtypes[1], *weights), unknown,
            {"zeros": zeros, **attributes})


def conv(seed, image, weights, dtype=F32, unknown=(), **attributes):
    return "Conv", random(seed, *image).astype(dtype), random(seed + 1, *weights).astype(dtype), unknown, attributes


# name -> (op, input, weights, unknown axes of the input, attributes). Of unknown size, as small products get no team.
CASES = {
    "one-tile": matmul(0, (64, 64), (64, 64), unknown=[0]),
    "odd": matmul(2, (67, 45), (45, 71), unknown=[0]),
    "odd-all-unknown": matmul(4, (131, 70), (70, 33), unknown=[0, 1]),
    "one-row": matmul(6, (1, 100), (100, 130), unknown=[0]),
    "one-step": matmul(8, (70, 1), (1, 65), unknown=[0]),
    "no-step": matmul(10, (33, 0), (0, 40), unknown=[0]),
    "no-row": matmul(12, (0, 9), (9, 40), unknown=[0]),
    "narrow": matmul(14, (70, 33), (33, 12), unknown=[0]),
    "half-wide": matmul(16, (150, 24), (24, 31), unknown=[0]),
    "batch": matmul(18, (3, 2, 66, 17), (2, 17, 67), unknown=[0, 2]),
    "large-tiles": matmul(20, (1409, 19), (19, 1537)),
    "conv": conv(30, (2, 5, 13, 11), (70, 5, 3, 3), unknown=[0, 2, 3], pads=[1] * 4),
    "conv-strided": conv(32, (1, 3, 21, 18), (32, 3, 3, 3), unknown=[2, 3], strides=[2, 2], pads=[0, 0, 1, 1]),
    "conv-dilated": conv(34, (1, 20, 17, 15), (18, 20, 3, 2), unknown=[2, 3], dilations=[2, 3], pads=[2, 1, 0, 3]),
    "conv-grouped": conv(36, (1, 24, 9, 10), (66, 12, 3, 3), unknown=[0, 2, 3], group=2, auto_pad="SAME_UPPER"),
    "conv-pointwise": conv(38, (2, 37, 9, 8), (67, 37, 1, 1), unknown=[0, 2, 3]),
    "conv-large-tiles": conv(40, (1, 6, 130, 131), (65, 6, 3, 3), pads=[1] * 4),
    "depthwise": conv(130, (2, 64, 21, 19), (64, 1, 3, 3), unknown=[0, 2, 3], group=64, pads=[1] * 4),
    "depthwise-known": conv(132, (1, 40, 14, 14), (40, 1, 5, 5), group=40, pads=[2] * 4),
    "depthwise-strided": conv(134, (1, 36, 20, 23), (36, 1, 3, 3), unknown=[2, 3], group=36, strides=[2, 2], pads=[0, 0, 1, 1]),
    "depthwise-dilated": conv(136, (1, 33, 17, 15), (33, 1, 3, 2), unknown=[0], group=33, strides=[1, 2], dilations=[2, 3],
                              pads=[2, 1, 0, 3]),
    "depthwise-few": conv(138, (3, 6, 30, 9), (6, 1, 3, 3), unknown=[0, 2, 3], group=6, auto_pad="SAME_UPPER"),
    "depthwise-line": conv(140, (1, 48, 1, 150), (48, 1, 1, 11), unknown=[3], group=48, pads=[0, 5, 0, 5]),
    "depthwise-line-known": conv(142, (2, 20, 1, 50), (20, 1, 1, 9), group=20, strides=[1, 2], pads=[0, 4, 0, 4]),
    "depthwise-column": conv(144, (1, 70, 50, 2), (70, 1, 7, 1), group=70, pads=[3, 0, 3, 0]),
    "depthwise-small-image": conv(146, (2, 64, 2, 3), (64, 1, 7, 7), unknown=[0], group=64, pads=[3] * 4),
    "depthwise-none": conv(148, (0, 32, 9, 9), (32, 1, 3, 3), unknown=[0], group=32, pads=[1] * 4),
    "depthwise-f16": conv(150, (1, 40, 13, 11), (40, 1, 3, 3), F16, [0, 2, 3], group=40, pads=[1] * 4),
    "depthwise-f16-odd": conv(152, (1, 35, 12, 10), (35, 1, 5, 3), F16, [2, 3], group=35, strides=[2, 1], pads=[2, 1, 2, 1]),
    "f16": matmul(50, (64, 64), (64, 64), F16, [0]),
    "f16-odd": matmul(52, (67, 45), (45, 71), F16, [0]),
    "f16-even-depth": matmul(54, (33, 40), (40, 31), F16, [0]),
    "f16-all-unknown": matmul(56, (131, 70), (70, 33), F16, [0, 1]),
    "f16-no-step": matmul(58, (33, 0), (0, 40), F16, [0]),
    "f16-narrow": matmul(60, (70, 32), (32, 12), F16, [0]),
    "f16-batch": matmul(62, (3, 2, 66, 24), (2, 24, 67), F16, [0, 2]),
    "f16-large-tiles": matmul(64, (1409, 24), (24, 1537), F16),
    "f16-conv": conv(70, (2, 8, 13, 11), (70, 8, 3, 3), F16, [0, 2, 3], pads=[1] * 4),
    "f16-conv-odd": conv(72, (1, 5, 12, 9), (18, 5, 3, 3), F16, [2, 3], strides=[2, 1], pads=[1, 0, 0, 1]),
    "f16-conv-grouped": conv(74, (1, 32, 9, 10), (66, 16, 3, 3), F16, [0, 2, 3], group=2, pads=[1] * 4),
    "bf16": matmul(80, (67, 48), (48, 71), BF16, [0]),
    "bf16-odd": matmul(82, (67, 45), (45, 71), BF16, [0]),
    "s8": matmul_integer(110, (67, 96), (96, 71), (S8, S8), [0]),
    "u8-s8": matmul_integer(112, (130, 52), (52, 66), (U8, S8), [0], (131, None)),
    "u8-u8": matmul_integer(114, (65, 36), (36, 12), (U8, U8), [0], (None, 77)),
    "s8-u8": matmul_integer(116, (33, 100), (100, 40), (S8, U8), [0], (-7, 200)),
    "s8-odd": matmul_integer(118, (67, 45), (45, 71), (S8, S8), [0], (3, 0)),
    "s8-all-unknown": matmul_integer(120, (70, 35), (35, 33), (S8, S8), [0, 1], (5, -9)),
    "s8-batch": matmul_integer(122, (3, 2, 66, 20), (2, 20, 67), (U8, S8), [0, 2], (9, None)),
    "u8-conv": conv_integer(124, (1, 20, 9, 8), (33, 20, 3, 3), (U8, U8), [2, 3], (5, 9), pads=[1] * 4),
    "u8-odd-depths": matmul_integer(154, (130, 99), (99, 66), (U8, S8), [0], (131, None)),
    "s8-odd-batch": matmul_integer(156, (3, 2, 66, 21), (2, 21, 67), (S8, U8), [0, 2], (9, 200)),
    "u8-conv-image": conv_integer(158, (1, 3, 21, 18), (32, 3, 3, 3), (U8, S8), [2, 3], (128, None), strides=[2, 2], pads=[0, 0, 1, 1]),
    "s8-conv-odd-grouped": conv_integer(160, (1, 18, 9, 10), (66, 9, 3, 3), (S8, S8), [2, 3], group=2, pads=[1] * 4),
    "u8-conv-wide": conv_integer(126, (2, 32, 13, 11), (70, 32, 3, 2), (U8, S8), [0, 2, 3], (128, None),
                                 strides=[2, 1], pads=[0, 1, 1, 0]),
    "s8-conv-grouped": conv_integer(128, (1, 32, 9, 10), (66, 16, 3, 3), (S8, S8), [2, 3], group=2, pads=[1] * 4),
}


def model_of_integers(op, value, weights, unknown, attributes):
    """y = -op(x - zero, weights - zero); Neg joins the kernel."""
    attributes = dict(attributes)
    zeros = attributes.pop("zeros")
    constants = [numpy_helper.from_array(weights, "w")]
    names = ["x", "w", "", ""]
    for i, (zero, dtype) in enumerate(zip(zeros, (value.dtype, weights.dtype))):
        if zero is not None:
            constants.append(numpy_helper.from_array(np.array(zero, dtype), f"zero{i}"))
            names[2 + i] = f"zero{i}"
    while not names[-1]:
        names.pop()
    dims = [f"d{axis}" if axis in unknown else size for axis, size in enumerate(value.shape)]
    nodes = [helper.make_node(op, names, ["sum"], **attributes), helper.make_node("Neg", ["sum"], ["y"])]
    graph = helper.make_graph(nodes, "product",
                              [helper.make_tensor_value_info("x", helper.np_dtype_to_tensor_dtype(value.dtype), dims)],
                              [helper.make_tensor_value_info("y", onnx.TensorProto.INT32, None)], constants)
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])


def model_of(op, value, weights, unknown, attributes):
    """y = -op(x, weights), of x's type throughout."""
    if op.endswith("Integer"):
        return model_of_integers(op, value, weights, unknown, attributes)
    dtype = onnx.TensorProto.BFLOAT16 if value.dtype == BF16 else helper.np_dtype_to_tensor_dtype(value.dtype)
    dims = [f"d{axis}" if axis in unknown else size for axis, size in enumerate(value.shape)]
    initializer = (helper.make_tensor("w", dtype, weights.shape, weights.tobytes(), raw=True) if weights.dtype == BF16
                   else numpy_helper.from_array(weights, "w"))
    # The outer types are f32: not every engine passes bf16.
    nodes = [helper.make_node("Cast", ["x"], ["narrow"], to=dtype), helper.make_node(op, ["narrow", "w"], ["sum"], **attributes),
             helper.make_node("Neg", ["sum"], ["negative"]), helper.make_node("Cast", ["negative"], ["y"], to=onnx.TensorProto.FLOAT)]
    graph = helper.make_graph(nodes, "product", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, dims)],
                              [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)], [initializer])
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])


def conv_in_f64(x, w, group=1, strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1), auto_pad="NOTSET"):
    kernel = [(w.shape[2 + i] - 1) * dilations[i] + 1 for i in range(2)]
    if auto_pad == "SAME_UPPER":
        total = [max((-(-x.shape[2 + i] // strides[i]) - 1) * strides[i] + kernel[i] - x.shape[2 + i], 0) for i in range(2)]
        pads = [total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2]
    x = np.pad(x, [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])])
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, (2, 3))
    windows = windows[:, :, ::strides[0], ::strides[1], ::dilations[0], ::dilations[1]]
    parts = [np.einsum("nchwyx,mcyx->nmhw", part, of, optimize=True)
             for part, of in zip(np.split(windows, group, 1), np.split(w, group, 0))]
    return np.concatenate(parts, 1)


def expected(op, value, weights, attributes):
    """The result and what its error is relative to, both in f64."""
    attributes = dict(attributes)
    zeros = [zero or 0 for zero in attributes.pop("zeros", (0, 0))]
    def product(x, w):
        return x @ w if op.startswith("MatMul") else conv_in_f64(x, w, **attributes)

    x, w = value.astype(np.float64) - zeros[0], weights.astype(np.float64) - zeros[1]
    return -product(x, w), product(np.abs(x), np.abs(w))


RUN = """
import json, sys, numpy, hexin
sys.path.insert(0, sys.argv[1])
import standin
counters = None if standin.is_real() else standin.Standin()
outputs = {}
for job in json.loads(sys.argv[2]):
    values = dict(numpy.load(job["in"]))
    session = hexin.Session(job["model"], device=job["device"], cache_dir="none")
    numpy.savez(job["out"], **session.run(values))
if counters and "counts" in sys.argv:
    found = counters.counters()
    print(json.dumps({name: getattr(found, name) for name, _ in found._fields_}))
"""


def run(build_dir, jobs, *flags, **switches):
    env = {**standin.environment(build_dir, **switches), "PYTHONPATH": str(Path(build_dir) / "python")}
    done = subprocess.run([sys.executable, "-c", RUN, str(ROOT / "tests" / "cuda_driver"), json.dumps(jobs), *flags],
                          env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout) if done.stdout.strip() else {}


def compile_case(folder, name, case):
    import hexin

    hexin.compile(model_of(*case), folder / f"{name}.hxm", targets=["cuda", "opencl"])
    np.savez(folder / f"{name}.in.npz", x=case[1] if case[0].endswith("Integer") else case[1].astype(F32))
    return {"model": str(folder / f"{name}.hxm"), "in": str(folder / f"{name}.in.npz")}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    return {name: compile_case(folder, name, case) for name, case in CASES.items()}


def check(name, found, op, value, weights, _, attributes):
    wanted, scale = expected(op, value, weights, attributes)
    assert found.shape == wanted.shape, name
    if not wanted.size:
        return
    if op.endswith("Integer"):
        np.testing.assert_array_equal(found, wanted, name)
        return
    depth = weights[0].size if op == "Conv" else weights.shape[-2]
    narrow = {F32: 0.0, F16: 2.0 ** -11, BF16: 2.0 ** -8}[value.dtype.type]
    bound = 2 * (depth + 4) * 2.0 ** -24 * scale + narrow * np.abs(wanted) + 2.0 ** -24
    error = np.abs(found.astype(np.float64) - wanted)
    worst = np.unravel_index(np.argmax(error - bound), error.shape)
    assert (error <= bound).all(), f"{name}: at {worst} found {found[worst]}, expected {wanted[worst]} within {bound[worst]}"


@pytest.mark.parametrize("seed", [0, 5])
def test_cuda_is_right(build_dir, tmp_path, compiled, seed):
    run(build_dir, [{**job, "device": "cuda:0", "out": str(tmp_path / f"{name}.npz")} for name, job in compiled.items()],
        SEED=seed, LEAKS="fail")
    for name, case in CASES.items():
        check(name, np.load(tmp_path / f"{name}.npz")["y"], *case)


def test_opencl_teams_are_right(build_dir, tmp_path, compiled, monkeypatch):
    monkeypatch.setenv("HEXIN_OPENCL_LOCAL_MEMORY", "1")
    run(build_dir, [{**job, "device": "opencl:0", "out": str(tmp_path / f"{name}.npz")} for name, job in compiled.items()])
    for name, case in CASES.items():
        check(name, np.load(tmp_path / f"{name}.npz")["y"], *case)


def test_what_lies_outside_does_no_harm(build_dir, tmp_path):
    """Rows of NaN are of their rows only, for all that tiles of 64 rows read beyond."""
    jobs = []
    for dtype in (F32, F16):
        op, value, weights, unknown, attributes = matmul(90, (67, 45), (45, 71), dtype, [0])
        value[-1] = np.nan
        case = op, value, weights, unknown, attributes
        jobs.append({**compile_case(tmp_path, str(np.dtype(dtype)), case), "device": "cuda:0", "out": str(tmp_path / "out.npz")})
        run(build_dir, jobs[-1:])
        found = np.load(tmp_path / "out.npz")["y"]
        assert np.isnan(found[-1]).all() and np.isfinite(found[:-1]).all()


# name -> (case, least share of fma among warp instructions, most sectors of the ideal). The convolution's count has its
# transposes, channels last and back.
COSTS = {
    "large": (matmul(100, (1408, 256), (256, 1536)), 0.60, 1.3),
    "small": (matmul(102, (256, 512), (512, 192)), 0.60, 1.3),
    "conv": (conv(104, (1, 64, 32, 32), (128, 64, 3, 3), pads=[1] * 4), 0.60, 1.3),
}


@pytest.mark.skipif(standin.is_real(), reason="counts are the stand-in's")
@pytest.mark.parametrize("name", COSTS)
def test_costs(build_dir, tmp_path, name, record_property):
    case, least, most = COSTS[name]
    job = {**compile_case(tmp_path, name, case), "device": "cuda:0", "out": str(tmp_path / "out.npz")}
    counts = run(build_dir, [job], "counts")
    check(name, np.load(tmp_path / "out.npz")["y"], *case)
    share = counts["fma"] / counts["warpInstructions"]
    sectors = counts["globalSectors"] / counts["idealGlobalSectors"]
    wavefronts = counts["sharedWavefronts"] / counts["idealSharedWavefronts"]
    record_property("costs", {"share": share, "sectors": sectors, "wavefronts": wavefronts})
    print(f"{name}: fma {share:.3f}, sectors {sectors:.3f}, wavefronts {wavefronts:.3f}")
    assert share >= least
    assert sectors <= most
    assert wavefronts <= 1.1
