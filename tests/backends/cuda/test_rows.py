"""Rows, wide accesses and attention on the driver's stand-in: right at every length, known or not, in any order of warps."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cuda_driver"))
import standin  # noqa: E402

SEEDS = [0, 7]
# Around the threads of a warp and what they hold, and longer than what a team holds.
LENGTHS = [1, 2, 31, 32, 33, 64, 100, 127, 128, 129, 256, 384, 1000, 1023, 1024, 4097, 5000]
RUN = """
import sys, numpy, hexin
sys.path.insert(0, sys.argv[4])
import standin
values = dict(numpy.load(sys.argv[2]))
results = hexin.Session(sys.argv[1], device="cuda:0", cache_dir="none").run(values)
peak = 0 if standin.is_real() else standin.Standin().counters().peakDeviceBytes
numpy.savez(sys.argv[3], **results, **{"peak device bytes": peak})
"""


@pytest.fixture(autouse=True)
def needs_cuda(build_dir):
    if not (Path(build_dir) / "lib" / "libhexin_backend_cuda.so").exists():
        pytest.skip("this build has no cuda target: -DHEXIN_WITH_CUDA=ON")


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class Graph:
    """A model of many small ones, each with inputs of its own."""

    def __init__(self):
        self.nodes, self.ports, self.constants, self.values, self.outputs = [], [], [], {}, []

    def input(self, name, value, unknown=()):
        dims = [f"{name}.{axis}" if axis in unknown else size for axis, size in enumerate(value.shape)]
        self.ports.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), dims))
        self.values[name] = value
        return name

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, op, inputs, output, is_output=True, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        if is_output:
            self.outputs.append(output)
        return output

    def model(self, opset=20):
        outputs = [onnx.ValueInfoProto(name=name) for name in self.outputs]
        graph = helper.make_graph(self.nodes, "cases", self.ports, outputs, self.constants)
        model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset)])
        return onnx.shape_inference.infer_shapes(model)

    def expected(self):
        session = onnxruntime.InferenceSession(self.model().SerializeToString())
        return dict(zip(self.outputs, session.run(None, self.values)))


def run(build, folder, model, values, seed, targets=("cuda",)):
    """The outputs, of a process in which the stand-in is the driver, and the peak of its memory."""
    import hexin

    artifact = folder / "model.hxm"
    if not artifact.exists():
        hexin.compile(model, artifact, targets=list(targets))
    np.savez(folder / "in.npz", **values)
    env = standin.environment(build, SEED=seed, LEAKS="fail")
    env["PYTHONPATH"] = str(Path(build) / "python")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(artifact), str(folder / "in.npz"), str(folder / "out.npz"), standin.__file__.rsplit("/", 1)[0]],
        env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = dict(np.load(folder / "out.npz"))
    return results, int(results.pop("peak device bytes"))


def check(found, wanted, tolerance=3e-6):
    for name, value in wanted.items():
        assert found[name].shape == value.shape, name
        if np.issubdtype(value.dtype, np.floating):
            finite = value[np.isfinite(value)]
            atol = tolerance * max(float(np.abs(finite).max()) if finite.size else 1, 1)
            np.testing.assert_allclose(found[name], value, rtol=0, atol=atol, err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], value, err_msg=name)


def rows_of(length, is_known, rows):
    graph, unknown = Graph(), (0,) if is_known else (0, 1)
    x = graph.input("x", random(length, rows, length), unknown)
    graph.node("Softmax", [x], "softmax", axis=-1)
    graph.node("LogSoftmax", [x], "log-softmax", axis=-1)
    if is_known:
        scale, bias = graph.constant("scale", random(1, length)), graph.constant("bias", random(2, length))
        graph.node("LayerNormalization", [x, scale, bias], "layer-norm")
    axes = graph.constant("axes", np.array([1]))
    graph.node("ReduceSum", [x, axes], "sum", keepdims=0)
    graph.node("ReduceMax", [x, axes], "max")
    graph.node("ReduceSum", [x, graph.constant("columns", np.array([0]))], "column-sum")
    # What comes before and behind a row is computed on the way.
    graph.node("Relu", [x], "relu", is_output=False)
    graph.node("Softmax", ["relu"], "softmax-of-relu", is_output=False, axis=-1)
    graph.node("Neg", ["softmax-of-relu"], "negated")
    coarse = graph.input("coarse", np.random.default_rng(length).integers(-3, 4, (rows, length)), unknown)
    graph.node("ArgMax", [coarse], "arg-max", axis=1)
    graph.node("ArgMin", [coarse], "arg-min-last", axis=1, keepdims=0, select_last_index=1)
    graph.node("ReduceMin", [coarse, axes], "min")
    graph.node("Cast", [x], "doubles", is_output=False, to=onnx.TensorProto.DOUBLE)
    graph.node("ReduceSum", ["doubles", axes], "sum-of-doubles")
    graph.node("Cast", [x], "halfs", is_output=False, to=onnx.TensorProto.FLOAT16)
    graph.node("Softmax", ["halfs"], "softmax-of-halfs", is_output=False, axis=-1)
    graph.node("Cast", ["softmax-of-halfs"], "softmax-of-halfs-as-floats", to=onnx.TensorProto.FLOAT)
    return graph


@pytest.mark.parametrize("is_known", [False, True], ids=["unknown", "known"])
@pytest.mark.parametrize("length", LENGTHS)
def test_rows(build_dir, tmp_path, length, is_known):
    graph = rows_of(length, is_known, rows=7)
    wanted = graph.expected()
    halfs = wanted.pop("softmax-of-halfs-as-floats")
    for seed in SEEDS:
        found, _ = run(build_dir, tmp_path, graph.model(), graph.values, seed)
        np.testing.assert_allclose(found["softmax-of-halfs-as-floats"], halfs, rtol=0, atol=2e-3)
        check(found, wanted, 1e-5)


@pytest.mark.parametrize("is_known", [False, True], ids=["unknown", "known"])
def test_rows_that_are_not_finite(build_dir, tmp_path, is_known):
    x = random(3, 6, 300)
    x[0, 5], x[1, 299], x[2, 0], x[3] = np.nan, np.inf, -np.inf, -np.inf
    graph = Graph()
    graph.input("x", x, (0,) if is_known else (0, 1))
    axes = graph.constant("axes", np.array([1]))
    graph.node("Softmax", ["x"], "softmax", axis=-1)
    graph.node("ReduceMax", ["x", axes], "max")
    graph.node("ReduceSum", ["x", axes], "sum")
    graph.node("ArgMax", ["x"], "arg-max", axis=1)
    with np.errstate(invalid="ignore"):
        powers = np.exp(x - x.max(1, keepdims=True))
        wanted = {"softmax": powers / powers.sum(1, keepdims=True), "max": x.max(1, keepdims=True),
                  "sum": x.astype(np.float64).sum(1, keepdims=True).astype(np.float32), "arg-max": x.argmax(1)[:, None]}
    for seed in SEEDS:
        check(run(build_dir, tmp_path, graph.model(), graph.values, seed)[0], wanted, 1e-5)


@pytest.mark.parametrize("rows, length", [(0, 300), (1, 300), (3, 0)])
def test_no_rows_and_empty_rows(build_dir, tmp_path, rows, length):
    graph = Graph()
    graph.input("x", random(4, rows, length), (0, 1))
    graph.node("Softmax", ["x"], "softmax", axis=-1)
    graph.node("ReduceSum", ["x", graph.constant("axes", np.array([1]))], "sum")
    check(run(build_dir, tmp_path, graph.model(), graph.values, 0)[0], graph.expected())


@pytest.mark.parametrize("sizes", [(5, 384), (5, 381), (1, 1), (3, 2), (7, 1021), (0, 8)])
@pytest.mark.parametrize("is_known", [False, True], ids=["unknown", "known"])
def test_wide_accesses(build_dir, tmp_path, sizes, is_known):
    """Elementwise and movement, where rows are multiples of an access and where they are not."""
    rows, length = sizes
    graph, unknown = Graph(), () if is_known else (0, 1)
    x, row = graph.input("x", random(5, rows, length), unknown), graph.input("row", random(6, length), () if is_known else (0,))
    graph.node("Sigmoid", [x], "whole")
    graph.node("Add", [x, row], "by-row")
    graph.node("Concat", [x, x], "concat", axis=1)
    graph.node("Transpose", [x], "transpose", perm=[1, 0])
    graph.node("Slice", [x, graph.constant("starts", np.array([1])), graph.constant("ends", np.array([10**6])),
                         graph.constant("axes", np.array([1]))], "slice")
    graph.node("Cast", [x], "bytes", to=onnx.TensorProto.INT8)
    graph.node("Cast", [x], "doubles", to=onnx.TensorProto.DOUBLE)
    if rows:
        graph.node("Gather", [x, graph.constant("which", np.array([0, rows - 1, 0]))], "gather", axis=0)
    for seed in SEEDS:
        check(run(build_dir, tmp_path, graph.model(), graph.values, seed)[0], graph.expected())


def attention(queries, keys, features, value_features, mask, is_known, transposes):
    """softmax(scale * Q Kt + mask) V, as exporters write it."""
    graph, unknown = Graph(), () if is_known else (0, 2)
    q = graph.input("q", random(7, 2, 3, queries, features), unknown)
    k_shape = (2, 3, features, keys) if not transposes else (2, 3, keys, features)
    k = graph.input("k", random(8, *k_shape), () if is_known else (0, 2 if transposes else 3))
    v = graph.input("v", random(9, 2, 3, keys, value_features), unknown)
    if transposes:
        k = graph.node("Transpose", [k], "kt", is_output=False, perm=[0, 1, 3, 2])
    scores = graph.node("MatMul", [q, k], "products", is_output=False)
    scores = graph.node("Mul", [scores, graph.constant("scale", np.array(features**-0.5, np.float32))], "scaled", is_output=False)
    if mask is not None:
        scores = graph.node("Add", [scores, graph.input("mask", mask, () if is_known else (2, 3))], "masked", is_output=False)
    weights = graph.node("Softmax", [scores], "weights", is_output=False, axis=-1)
    graph.node("MatMul", [weights, v], "attention")
    return graph


def causal(size):
    return np.where(np.tri(size, dtype=bool), 0, -np.inf).astype(np.float32)[None, None]


# queries, keys, features of a key, of a value, mask, sizes known, K before it is transposed
ATTENTION = {
    "square": (64, 64, 64, 64, None, True, True),
    "odd": (45, 71, 20, 37, None, True, True),
    "unknown": (45, 71, 20, 36, None, False, True),
    "masked": (70, 70, 32, 32, causal(70), False, True),
    "transposed": (33, 65, 64, 128, None, True, False),
    "wide": (33, 100, 128, 128, None, True, True),
    "narrow": (40, 40, 1, 3, None, False, True),
    "one-key": (40, 1, 8, 8, None, False, True),
}


@pytest.mark.parametrize("case", ATTENTION)
def test_attention(build_dir, tmp_path, case):
    import hexin

    graph = attention(*ATTENTION[case])
    placed = hexin.compile(graph.model(), tmp_path / "none.hxm", targets=["cuda"], emit="placed").text
    assert 'attention' in placed
    for seed in SEEDS:
        check(run(build_dir, tmp_path, graph.model(), graph.values, seed)[0], graph.expected(), 1e-5)


def test_attention_of_rows_without_keys(build_dir, tmp_path):
    """NaN, as the softmax of nothing but -inf is; and NaN of a key stays in the rows that see it."""
    mask = causal(40)
    mask[0, 0, 3] = -np.inf
    graph = attention(40, 40, 16, 16, mask, False, True)
    graph.values["k"][0, 0, 9, 0] = np.nan
    found, _ = run(build_dir, tmp_path, graph.model(), graph.values, 0)
    wanted = graph.expected()["attention"]
    assert np.isnan(wanted[:, :, 3]).all()
    check(found, {"attention": wanted}, 1e-5)


def test_attention_has_no_scores_in_memory(build_dir, tmp_path):
    if standin.is_real():
        pytest.skip("the stand-in counts memory")
    size, heads = 512, 6
    graph = attention(size, size, 64, 64, None, True, True)
    _, peak = run(build_dir, tmp_path, graph.model(), graph.values, 0)
    assert peak < heads * size * size * 4
