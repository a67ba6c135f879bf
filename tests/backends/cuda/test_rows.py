"""Rows and wide accesses on the driver's stand-in: right at every length, known or not, in any order of warps."""

import numpy as np
import onnx
import pytest
from standin_models import SEEDS, Graph, check, random, run

pytestmark = pytest.mark.usefixtures("needs_cuda")

# Around the threads of a warp and what they hold, and longer than what a team holds.
LENGTHS = [1, 2, 31, 32, 33, 64, 100, 127, 128, 129, 256, 384, 1000, 1023, 1024, 4097, 5000]


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
