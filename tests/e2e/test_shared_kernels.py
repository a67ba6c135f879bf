"""Kernels are shared by what needs the same one, on every instruction set."""

import hexin
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

ARCHS = ["x86-64-v4", "x86-64-v3", "x86-64-v2"]


def runnable():
    [cpu] = [device for device in hexin.devices() if device.id == "cpu"]
    return [arch for arch in ARCHS if arch in cpu.image_archs]


@pytest.mark.parametrize("arch", ARCHS)
def test_kernels_that_are_alike_on_one_arch_only(tmp_path, arch):
    """Products of many widths: where a vector ends in the last panel differs from arch to arch, so two products
    may share a kernel of one and not of another."""
    if arch not in runnable():
        pytest.skip(f"this machine does not run {arch}")
    random = np.random.default_rng(0)
    widths = [8, 10, 12, 16, 18, 20, 24, 26, 28, 33, 36, 40, 44, 50, 56, 58]
    constants = {f"w{width}": random.standard_normal((20, width)).astype(np.float32) for width in widths}
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", f"w{width}"], [f"y{width}"], f"product{width}") for width in widths],
        "widths", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 20])],
        [helper.make_tensor_value_info(f"y{width}", onnx.TensorProto.FLOAT, ["N", width]) for width in widths],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    hexin.compile(model, str(tmp_path / "widths.hxm"), disable=["onednn"])
    session = hexin.Session(str(tmp_path / "widths.hxm"), max_isa=arch)
    reference = onnxruntime.InferenceSession(model.SerializeToString())
    for rows in (1, 6, 13):
        x = random.standard_normal((rows, 20)).astype(np.float32)
        found = {f"y{width}": np.full((rows, width), np.nan, np.float32) for width in widths}
        session.run({"x": x}, outputs=found)
        for name, expected in zip(found, reference.run(list(found), {"x": x})):
            np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("arch", ARCHS)
def test_a_plan_counts_items_for_every_arch_alike(tmp_path, arch):
    """Tiles fit known numbers of rows, each arch's its own: what an item computes must not follow from that, as a
    launch has as many items on every arch."""
    if arch not in runnable():
        pytest.skip(f"this machine does not run {arch}")
    random = np.random.default_rng(1)
    heights = [1, 5, 7, 47, 48, 49, 50, 55, 63, 64, 65, 98, 100, 144, 196, 245, 256, 257]
    weights = random.standard_normal((20, 40)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", [f"x{rows}", "w"], [f"y{rows}"], f"product{rows}") for rows in heights], "heights",
        [helper.make_tensor_value_info(f"x{rows}", onnx.TensorProto.FLOAT, [rows, 20]) for rows in heights],
        [helper.make_tensor_value_info(f"y{rows}", onnx.TensorProto.FLOAT, [rows, 40]) for rows in heights],
        [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    hexin.compile(model, str(tmp_path / "heights.hxm"), disable=["onednn"])
    session = hexin.Session(str(tmp_path / "heights.hxm"), max_isa=arch)
    inputs = {f"x{rows}": random.standard_normal((rows, 20)).astype(np.float32) for rows in heights}
    found = {f"y{rows}": np.full((rows, 40), np.nan, np.float32) for rows in heights}
    session.run(inputs, outputs=found)
    for rows in heights:
        np.testing.assert_allclose(found[f"y{rows}"], inputs[f"x{rows}"] @ weights, rtol=1e-5, atol=1e-5, err_msg=str(rows))
