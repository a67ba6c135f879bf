"""A Cast to 16 bits rounds, whatever it is fused with: casts down and up again, to integers
and bools, and what is asked of a number that has become infinite or zero."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from devices import DEVICES
from onnx import TensorProto, helper

F16, BF16 = TensorProto.FLOAT16, TensorProto.BFLOAT16
NARROW = {F16: np.float16, BF16: ml_dtypes.bfloat16}
VALUES = np.array([0, -0.0, 1.0117, 2.999, 2049, 65519, 65520, 70000, 1e-8, 3.3e38, -1e-40, np.inf, np.nan], np.float32)


@pytest.fixture(params=DEVICES)
def run_model(request, tmp_path):
    """run_model(nodes, inputs): the outputs of nodes that end in "y"."""
    import hexin

    device = request.param
    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")

    def run(nodes, inputs):
        ports = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
                 for name, value in inputs.items()]
        graph = helper.make_graph(nodes, "roundings", ports, [helper.make_empty_tensor_value_info("y")])
        model = onnx.shape_inference.infer_shapes(
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10))
        hexin.compile(model, str(tmp_path / "model.hxm"), targets=[device.partition(":")[0]])
        return hexin.Session(str(tmp_path / "model.hxm"), device=device).run(inputs)

    return run


def cast(source, result, to):
    return helper.make_node("Cast", [source], [result], name=result, to=to)


@pytest.mark.parametrize("to", NARROW)
def test_down_and_up(run_model, to):
    got = run_model([cast("x", "narrow", to), cast("narrow", "y", TensorProto.FLOAT)], {"x": VALUES})
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(got["y"], VALUES.astype(NARROW[to]).astype(np.float32))


@pytest.mark.parametrize("to", NARROW)
def test_what_is_lost_is_seen(run_model, to):
    nodes = [helper.make_node("Mul", ["x", "x"], ["square"], name="square"), cast("square", "narrow", to),
             cast("narrow", "wide", TensorProto.FLOAT), helper.make_node("Sub", ["wide", "square"], ["y"], name="y")]
    x = np.array([1.001, 3.3333, 1.7], np.float32)
    # The last product and the difference may be one operation, with one rounding less.
    np.testing.assert_allclose(run_model(nodes, {"x": x})["y"], (x * x).astype(NARROW[to]).astype(np.float32) - x * x,
                               rtol=0, atol=2.0**-24 * (x * x).max())


def test_infinite_only_when_narrow(run_model):
    nodes = [cast("x", "narrow", F16), helper.make_node("IsInf", ["narrow"], ["y"], name="y")]
    np.testing.assert_array_equal(run_model(nodes, {"x": np.float32([65519, 65520, -70000])})["y"], [False, True, True])


def test_to_integers_and_bools(run_model):
    got = run_model([cast("x", "narrow", BF16), cast("narrow", "y", TensorProto.INT32)], {"x": np.float32([2.999, 257])})
    np.testing.assert_array_equal(got["y"], [3, 256])
    got = run_model([cast("x", "narrow", F16), cast("narrow", "y", TensorProto.BOOL)], {"x": np.float32([1e-10, 1])})
    np.testing.assert_array_equal(got["y"], [False, True])


def test_from_wider_numbers_once(run_model):
    """2049 + 2^-30 is above the middle of 2048 and 2050; by way of f32 it would be the middle."""
    x = np.array([2049 + 2.0**-30])
    got = run_model([cast("x", "narrow", F16), cast("narrow", "y", TensorProto.FLOAT)], {"x": x})
    np.testing.assert_array_equal(got["y"], [2050])
