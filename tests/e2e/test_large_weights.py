"""Weights that are packed in several pieces."""

import hexin
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


@pytest.mark.parametrize("batch", [(), (3,)])
def test_products_with_transposed_weights(tmp_path, batch):
    """[N, K] weights of 10 MB, with a last panel that is not full."""
    n, k = (2501, 1024) if not batch else (1301, 640)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(*batch, n, k)).astype(np.float32)
    x = rng.normal(size=(*batch, 2, k)).astype(np.float32)
    perm = [*range(len(batch)), len(batch) + 1, len(batch)]
    graph = helper.make_graph(
        [helper.make_node("Transpose", ["w"], ["wt"], perm=perm), helper.make_node("MatMul", ["x", "wt"], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [*batch, 2, n])],
        [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    report = hexin.compile(model, tmp_path / "a.hxm")
    assert report.artifact_bytes < 1.1 * weights.nbytes
    y = hexin.Session(tmp_path / "a.hxm").run({"x": x})["y"]
    expected = x.astype(np.float64) @ np.swapaxes(weights, -1, -2).astype(np.float64)
    assert np.abs(y - expected).max() < 1e-5 * np.abs(expected).max()
