"""Weights of 8 bits and a scale: the artifact keeps the bytes, and the numbers are those of the products of floats."""

import os

import hexin
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from test_integer_products import sessions

DEPTH, COLUMNS = 512, 1000


def times(form, weights, scales):
    """Nodes that make "w" floats, their constants, and the product's node."""
    constants = {"bytes": weights, "scales": scales}
    if form == "dequantized":
        nodes = [helper.make_node("DequantizeLinear", ["bytes", "scales"], ["w"], axis=1)]
    else:
        nodes = [helper.make_node("Cast", ["bytes"], ["floats"], to=TensorProto.FLOAT),
                 helper.make_node("Mul", ["floats", "scales"] if form == "scaled" else ["scales", "floats"], ["w"])]
    if form != "transposed":
        return [*nodes, helper.make_node("MatMul", ["x", "w"], ["y"])], constants
    constants = {"bytes": np.ascontiguousarray(weights.T), "scales": scales[:, None]}
    return [*nodes, helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)], constants


@pytest.mark.parametrize("form", ["scaled", "transposed", "dequantized"])
def test_products_with_scaled_bytes(form, tmp_path):
    random = np.random.default_rng(0)
    weights = random.integers(-128, 128, (DEPTH, COLUMNS)).astype(np.int8)
    scales = random.uniform(1e-3, 1e-2, COLUMNS).astype(np.float32)
    nodes, constants = times(form, weights, scales)
    graph = helper.make_graph(
        nodes, "scaled", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", DEPTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", COLUMNS])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    path = str(tmp_path / "a.hxm")
    assert "hx.matmul_few_bits" in hexin.compile(model, path, targets=["cpu"], emit="placed").text
    hexin.compile(model, path, targets=["cpu"])
    assert os.path.getsize(path) < 1.25 * weights.nbytes + 100_000
    exact = weights.astype(np.float64) * scales
    for arch, session in sessions(path).items():
        for rows in (1, 2, 13, 23, 24, 49, 100):  # below 24 the bytes are read where they lie
            x = random.standard_normal((rows, DEPTH)).astype(np.float32)
            found = session.run({"x": x})["y"]
            # A rounding of each weight, product and sum.
            bound = (DEPTH + 2) * 2.0 ** -24 * (np.abs(x) @ np.abs(exact))
            assert np.all(np.abs(found - x @ exact) <= bound), (arch, rows)
        x[3, 5] = np.nan
        found = session.run({"x": x})["y"]
        assert np.isnan(found[3]).all() and not np.isnan(np.delete(found, 3, 0)).any()


def test_bytes_are_stored_once_for_all_targets(tmp_path):
    """cpu has them in panels; opencl:0 has them plain, made out of the panels at its first run."""
    random = np.random.default_rng(1)
    weights = random.integers(-128, 128, (DEPTH, COLUMNS)).astype(np.int8)
    nodes, constants = times("scaled", weights, random.uniform(1e-3, 1e-2, COLUMNS).astype(np.float32))
    graph = helper.make_graph(
        nodes, "scaled", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", DEPTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", COLUMNS])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    both, full, moved = (str(tmp_path / name) for name in ("both.hxm", "full.hxm", "moved.hxm"))
    hexin.compile(model, both, targets=["cpu", "opencl"])
    hexin.compile(model, full, targets=["cpu", "opencl"], prepack="full")
    assert os.path.getsize(both) < 1.25 * weights.nbytes + 200_000
    assert os.path.getsize(full) > os.path.getsize(both) + 0.9 * weights.nbytes
    hexin.retarget(both, moved, targets=["opencl"])
    x = random.standard_normal((7, DEPTH)).astype(np.float32)
    bound = 2 * (DEPTH + 2) * 2.0 ** -24 * (np.abs(x) @ np.abs(weights * constants["scales"].astype(np.float64)))
    wanted = hexin.Session(both, device="cpu").run({"x": x})["y"]
    for path in (both, full, moved):
        found = hexin.Session(path, device="opencl:0").run({"x": x})["y"]
        assert np.all(np.abs(found - wanted) <= bound), path
