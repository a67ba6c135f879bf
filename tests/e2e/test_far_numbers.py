"""Attributes and operands at the ends of 64 bits, and coordinates at the edge of a whole number."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import hexin
from devices import DEVICES

LEAST, MOST = -(2**63), 2**63 - 1
X = np.arange(12, dtype=np.float32).reshape(3, 4)
PICTURE = np.random.default_rng(1).standard_normal((1, 2, 5, 7)).astype(np.float32)


def model(op, feeds, constants=(), opset=21, **attributes):
    node = helper.make_node(op, [*feeds, *(name for name, _ in constants)], ["y"], name="the_node", **attributes)
    graph = helper.make_graph(
        [node], "far",
        [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
         for name, value in feeds.items()],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(value, name) for name, value in constants if name])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10).SerializeToString()


def run(source, feeds, device, folder):
    hexin.compile(source, folder / "m.hxm", targets=[device.partition(":")[0]])
    return hexin.Session(folder / "m.hxm", device=device).run(feeds)["y"]


def reference(source, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(source, options).run(None, feeds)[0]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("k, upper, keeps", [
    (MOST, 1, False), (MOST - 1, 1, False), (LEAST, 1, True), (LEAST, 0, False), (MOST, 0, True), (2**62, 1, False),
])
@pytest.mark.parametrize("is_constant", [True, False])
def test_trilu(k, upper, keeps, is_constant, device, tmp_path):
    k = np.array(k, np.int64)
    feeds = {"x": X} if is_constant else {"x": X, "k": k}
    source = model("Trilu", feeds, [("k", k)] if is_constant else [], upper=upper)
    np.testing.assert_array_equal(run(source, feeds, device, tmp_path), X if keeps else np.zeros_like(X))


@pytest.mark.parametrize("k", [LEAST, MOST, 2**53 + 1, -1])
def test_eye_like(k, tmp_path):
    source = model("EyeLike", {"x": X}, k=k)
    np.testing.assert_array_equal(run(source, {"x": X}, "cpu", tmp_path), np.eye(3, 4, k if k == -1 else 9))


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "MaxPool", "AveragePool"])
@pytest.mark.parametrize("pads", [[LEAST, 0, 0, 0], [0, 0, LEAST + 1, 0], [0, MOST, 0, MOST]])
def test_pads_that_no_axis_has(op, pads, tmp_path):
    feeds = {"x": PICTURE}
    if op.startswith("Conv"):
        feeds["w"] = np.ones((2, 2, 2, 2), np.float32)
        source = model(op, feeds, pads=pads)
    else:
        source = model(op, feeds, pads=pads, kernel_shape=[2, 2])
    with pytest.raises(hexin.CorruptDataError, match="'the_node'.*'pads' holds -?9223372036854775"):
        hexin.compile(source, tmp_path / "m.hxm")


def test_a_stride_that_no_axis_reaches(tmp_path):
    source = model("MaxPool", {"x": PICTURE}, kernel_shape=[2, 2], strides=[MOST, MOST])
    np.testing.assert_array_equal(run(source, {"x": PICTURE}, "cpu", tmp_path),
                                  PICTURE[:, :, :2, :2].max((2, 3), keepdims=True))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("pads", [[-1, -2, 0, -1], [-1, 1, 2, -3]])
@pytest.mark.parametrize("has_bias", [True, False])
def test_conv_transpose_with_negative_pads(pads, has_bias, device, tmp_path):
    rng = np.random.default_rng(2)
    feeds = {"x": PICTURE, "w": rng.standard_normal((2, 3, 3, 2)).astype(np.float32)}
    if has_bias:
        feeds["b"] = np.array([1, -2, 3], np.float32)
    whole = model("ConvTranspose", feeds, strides=[2, 3])
    # What the pads take off, or put around with nothing but the bias in it.
    expected = run(whole, {**feeds, **({"b": np.zeros(3, np.float32)} if has_bias else {})}, device, tmp_path)
    for axis, low, high in ((2, pads[0], pads[2]), (3, pads[1], pads[3])):
        expected = np.take(expected, range(max(low, 0), expected.shape[axis] - max(high, 0)), axis)
        room = [(0, 0)] * 4
        room[axis] = (max(-low, 0), max(-high, 0))
        expected = np.pad(expected, room)
    if has_bias:
        expected = expected + feeds["b"].reshape(1, 3, 1, 1)
    source = model("ConvTranspose", feeds, strides=[2, 3], pads=pads)
    np.testing.assert_allclose(run(source, feeds, device, tmp_path), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("start, end, step", [(0, MOST, MOST), (3, LEAST, LEAST + 1), (3, LEAST, LEAST), (2, MOST, 2**62), (9, LEAST, -3)])
@pytest.mark.parametrize("is_constant", [True, False])
def test_slice_with_long_steps(start, end, step, is_constant, device, tmp_path):
    numbers = [(name, np.array([value], np.int64)) for name, value in zip("seat", (start, end, 1, step))]
    feeds = {"x": X} if is_constant else {"x": X, **dict(numbers)}
    source = model("Slice", feeds, numbers if is_constant else [])
    np.testing.assert_array_equal(run(source, feeds, device, tmp_path), X[:, start:max(end, -99) if end < 0 else end:step]
                                  if end > 0 else X[:, start::step])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("is_constant", [True, False])
def test_resize_takes_the_pixel_that_the_reference_takes(is_constant, device, tmp_path):
    """Element 5 lies at 3 exactly: rounding in another order puts it above, and ceil gives 4."""
    x, scales = np.arange(7, dtype=np.float32).reshape(1, 1, 7), np.array([1, 1, 1.7], np.float32)
    feeds = {"x": x} if is_constant else {"x": x, "s": scales}
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="nearest", nearest_mode="ceil",
                            coordinate_transformation_mode="half_pixel_symmetric")
    graph = helper.make_graph(
        [node], "pixel", [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in feeds.items()],
        [helper.make_empty_tensor_value_info("y")], [numpy_helper.from_array(scales, "s")] if is_constant else [])
    source = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9).SerializeToString()
    y = run(source, feeds, device, tmp_path)
    assert y.ravel()[5] == 3
    np.testing.assert_array_equal(y, reference(source, feeds))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_resize_10_enlarges_and_shrinks(mode, device, tmp_path):
    scales = [("s", np.array([1, 1, 1.6, 0.7], np.float32))]
    source = model("Resize", {"x": PICTURE}, scales, opset=10, mode=mode)
    np.testing.assert_allclose(run(source, {"x": PICTURE}, device, tmp_path), reference(source, {"x": PICTURE}), atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_resize_of_tf_pixels(device, tmp_path):
    constants = [("r", np.zeros(0, np.float32)), ("s", np.array([1, 1, 2, 3], np.float32))]
    source = model("Resize", {"x": PICTURE}, constants, opset=11, mode="nearest", nearest_mode="floor",
                   coordinate_transformation_mode="tf_half_pixel_for_nn")
    np.testing.assert_array_equal(run(source, {"x": PICTURE}, device, tmp_path), reference(source, {"x": PICTURE}))


@pytest.mark.parametrize("device", DEVICES)
def test_the_sign_of_zero(device, tmp_path):
    x = np.array([-0.0, 0.0, np.nan, -np.inf, 2], np.float32)
    y = run(model("Sign", {"x": x}), {"x": x}, device, tmp_path)
    np.testing.assert_array_equal(y, [0, 0, np.nan, -1, 1])
    assert not np.signbit(y[:2]).any()
