"""The big ops against ONNX Runtime over many settings (it runs in f32)."""

import itertools

import numpy as np
import onnx
import onnxruntime
import pytest

from hexin_reference import run
from node_cases import RULES, Node


def onnxruntime_run(op, inputs, num_outputs, opset=21, **attributes):
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    outputs = [f"y{i}" for i in range(num_outputs)]
    node = onnx.helper.make_node(op, names, outputs, **attributes)
    infos = [onnx.helper.make_tensor_value_info(
        n, onnx.helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for n, x in zip(names, inputs) if n]
    results = [onnx.helper.make_empty_tensor_value_info(o) for o in outputs]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "g", infos, results), ir_version=10,
        opset_imports=[onnx.helper.make_opsetid("", opset)])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    feeds = {n: x for n, x in zip(names, inputs) if n}
    return node, session.run(None, feeds)


def compare(op, inputs, num_outputs=1, tolerance=2e-5, opset=21, **attributes):
    attributes = {k: v for k, v in attributes.items() if v is not None}
    node, expected = onnxruntime_run(op, inputs, num_outputs, opset, **attributes)
    actual = RULES[op](Node(node, opset, inputs, [e.dtype for e in expected]))
    for a, e in zip(actual, expected):
        assert a.shape == e.shape
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance)


def normal(*dims, dtype=np.float32):
    return np.random.default_rng(sum(dims)).normal(size=dims).astype(dtype)


CONVS = [  # x, w, attributes
    ((2, 3, 9, 10), (4, 3, 3, 3), {}),
    ((1, 4, 9, 10), (6, 2, 3, 2), dict(group=2, strides=[2, 3], pads=[1, 0, 2, 1])),
    ((1, 4, 11, 11), (4, 1, 3, 3), dict(group=4, dilations=[2, 3], pads=[2, 3, 2, 3])),
    ((2, 3, 20), (5, 3, 4), dict(strides=[3], auto_pad="SAME_UPPER")),
    ((1, 2, 7, 8), (3, 2, 2, 3), dict(auto_pad="SAME_LOWER", strides=[2, 2])),
    ((1, 2, 5, 6, 7), (3, 2, 2, 3, 2), dict(strides=[1, 2, 1], pads=[1, 0, 0, 0, 1, 1])),
    ((1, 8, 1, 1), (4, 8, 1, 1), {}),
]


@pytest.mark.parametrize("x, w, attributes", CONVS)
@pytest.mark.parametrize("bias", [False, True])
def test_conv(x, w, attributes, bias):
    compare("Conv", [normal(*x), normal(*w), normal(w[0]) if bias else None], **attributes)


@pytest.mark.parametrize("x, w, attributes", CONVS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_conv_layouts_agree(x, w, attributes, dtype):
    attributes = dict(strides=attributes.get("strides", [1] * (len(x) - 2)),
                      dilations=attributes.get("dilations", [1] * (len(x) - 2)),
                      pads=attributes.get("pads", [0] * 2 * (len(x) - 2)),
                      groups=attributes.get("group", 1))
    image, weights = normal(*x, dtype=dtype), normal(*w, dtype=dtype)
    first = run("conv", [image, weights], **attributes)
    last = run("conv", [np.moveaxis(image, 1, -1), weights], layout="nhwc", **attributes)
    np.testing.assert_array_equal(np.moveaxis(last, -1, 1), first)


@pytest.mark.parametrize("x, w, attributes", [
    ((1, 3, 5, 6), (3, 2, 3, 3), dict(strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])),
    ((2, 4, 5, 6), (4, 3, 3, 2), dict(group=2, strides=[3, 2], dilations=[1, 2])),
    ((1, 2, 7), (2, 3, 4), dict(strides=[2], output_shape=[15])),
    ((1, 2, 4, 4), (2, 2, 3, 3), dict(strides=[2, 2], auto_pad="SAME_UPPER")),
    ((1, 2, 3, 4, 3), (2, 1, 2, 2, 3), dict(strides=[2, 1, 2])),
])
def test_conv_transpose(x, w, attributes):
    channels = w[1] * attributes.get("group", 1)
    compare("ConvTranspose", [normal(*x), normal(*w), normal(channels)], **attributes)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("ceil_mode", [0, 1])
@pytest.mark.parametrize("attributes", [
    dict(kernel_shape=[3, 3], strides=[2, 2]),
    dict(kernel_shape=[3, 2], strides=[2, 3], pads=[1, 0, 1, 1]),
    dict(kernel_shape=[2, 2], dilations=[2, 2], strides=[1, 2]),
    dict(kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_LOWER"),
])
def test_pool(op, ceil_mode, attributes):
    compare(op, [normal(2, 3, 10, 11)], 2 if op == "MaxPool" else 1, opset=19,
            ceil_mode=ceil_mode, **attributes)


@pytest.mark.parametrize("storage_order", [0, 1])
def test_pool_indices_in_both_layouts(storage_order):
    x = normal(2, 3, 6, 7)
    settings = dict(fn="max", window=[2, 3], strides=[2, 2], pads=[0] * 4, dilations=[1, 1],
                    storageOrder=storage_order)
    values, indices = run("pool", [x], [np.float32, np.int64], **settings)
    last, last_indices = run("pool", [np.moveaxis(x, 1, -1)], [np.float32, np.int64],
                             layout="nhwc", **settings)
    np.testing.assert_array_equal(np.moveaxis(last, -1, 1), values)
    np.testing.assert_array_equal(np.moveaxis(last_indices, -1, 1), indices)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("extras", [False, True])
@pytest.mark.parametrize("activations", [None, ["HardSigmoid", "Elu", "LeakyRelu"]])
def test_lstm(direction, extras, activations):
    T, B, I, H = 5, 3, 4, 9
    D = 2 if direction == "bidirectional" else 1
    optional = [normal(D, 8 * H), np.array([5, 1, 3], np.int32), normal(D, B, H),
                normal(D, B, H), normal(D, 3 * H)] if extras else [None] * 5
    attributes = dict(hidden_size=H, direction=direction)
    if activations:
        attributes |= dict(activations=activations * D, activation_alpha=[0.3, 0.7, 0.1] * D,
                           activation_beta=[0.4] * D)
    if extras:
        attributes |= dict(clip=1.5)
    compare("LSTM", [normal(T, B, I), normal(D, 4 * H, I) / 2, normal(D, 4 * H, H) / 4, *optional],
            3, **attributes)


def test_lstm_of_projected_inputs():
    T, B, I, H = 5, 3, 4, 9
    x, w, r, b = normal(T, B, I), normal(2, 4 * H, I) / 2, normal(2, 4 * H, H) / 4, normal(2, 8 * H)
    attributes = dict(hiddenSize=H, direction="bidirectional")
    projected = np.einsum("tbi,dgi->tbdg", x, w).reshape(T, B, 8 * H)
    expected = run("lstm", [x, w, r, b], [np.float32] * 3, **attributes)
    found = run("lstm", [projected, None, r.reshape(8, H, H), b], [np.float32] * 3, **attributes)
    for ours, other in zip(found, expected):
        np.testing.assert_allclose(ours, other, rtol=1e-5, atol=1e-6)


def test_lstm_with_coupled_gates_and_an_empty_row():
    T, B, I, H = 3, 2, 2, 3
    x, w, r = normal(T, B, I), normal(1, 4 * H, I), normal(1, 4 * H, H)
    h0 = normal(1, B, H)
    y, h, c = run("lstm", [x, w, r, None, np.array([0, 3], np.int32), h0], [np.float32] * 3,
                  hiddenSize=H, inputForget=1)
    assert not y[:, :, 0].any() and not h[:, 0].any() and not c[:, 0].any()

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))
    state, cell = h0[0, 1].astype(np.float64), np.zeros(H)
    for t in range(T):
        i, o, _, g = np.split(w[0] @ x[t, 1] + r[0] @ state, 4)
        cell = (1 - sigmoid(i)) * cell + sigmoid(i) * np.tanh(g)
        state = sigmoid(o) * np.tanh(cell)
    np.testing.assert_allclose(h[0, 1], state, rtol=1e-5)


COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
               "tf_crop_and_resize"]


@pytest.mark.parametrize("mode", ["linear", "cubic", "nearest"])
@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("sizes", [(7, 13), (3, 4), (9, 5)])
def test_resize(mode, coordinates, sizes):
    if mode == "nearest" and coordinates == "tf_crop_and_resize":
        pytest.skip("f32 coordinates of ORT fall on other pixels")
    x = normal(1, 2, 5, 8)
    roi = (np.array([0, 0, 0.1, 0.2, 1, 1, 0.9, 1.3], np.float32)
           if coordinates == "tf_crop_and_resize" else None)
    compare("Resize", [x, roi, None, np.array([1, 2, *sizes])], tolerance=2e-4, opset=19,
            mode=mode, coordinate_transformation_mode=coordinates,
            nearest_mode="floor" if coordinates == "asymmetric" else "round_prefer_floor",
            extrapolation_value=7.0)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_resize_with_antialias(mode):
    # ORT always leaves out what lies outside; ONNX only with exclude_outside.
    compare("Resize", [normal(1, 1, 16, 17), None, None, np.array([1, 1, 5, 6])],
            tolerance=2e-4, opset=19, mode=mode, antialias=1, exclude_outside=1)


def test_resize_rounds_integers_to_even():
    x = np.array([[0, 1, 2, 3]], np.uint8)
    y = run("resize", [x, np.array([1, 2]), np.array([1.0, 0.5])], mode="linear",
            coordinates="half_pixel", nearest="floor")
    assert y.tolist() == [[0, 2]]  # 0.5 and 2.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint64])
@pytest.mark.parametrize("a, b", [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (3, 4, 5)),
                                  ((9, 33), (33, 17))])
def test_matmul(dtype, a, b):
    random = np.random.default_rng(4)
    x, y = (random.integers(0, 9, d).astype(dtype) for d in (a, b))
    for left, right in itertools.product((0, 1), (0, 1)):
        operands = [np.swapaxes(x, -1, -2) if left else x, np.swapaxes(y, -1, -2) if right else y]
        np.testing.assert_array_equal(
            run("matmul", operands, transposeLhs=left, transposeRhs=right), x @ y)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "output_half_pixel"])
@pytest.mark.parametrize("ratio", [0, 1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_roi_align(mode, coordinates, ratio, dtype):
    boxes = np.random.default_rng(6).uniform(-5, 15, (50, 4)).astype(dtype)
    if ratio == 0:  # ORT fails on boxes from end to start
        boxes = np.sort(boxes.reshape(50, 2, 2), axis=1).reshape(50, 4)
    compare("RoiAlign", [normal(2, 3, 9, 11, dtype=dtype), boxes, np.arange(50) % 2], mode=mode,
            coordinate_transformation_mode=coordinates, sampling_ratio=ratio, output_height=3,
            output_width=2, spatial_scale=0.75)


@pytest.mark.parametrize("shape", [(1, 1), (2, 4), (8, 3)])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_max_roi_pool(shape, scale):
    boxes = np.random.default_rng(7).uniform(-5, 15, (50, 5)).astype(np.float32)
    boxes[:, 0] = np.arange(50) % 2
    compare("MaxRoiPool", [normal(2, 3, 9, 11), boxes], tolerance=0, pooled_shape=shape,
            spatial_scale=scale)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_recurrence(cell, direction):
    T, B, I, H = 5, 3, 4, 9
    D, G = 2 if direction == "bidirectional" else 1, {"rnn": 1, "gru": 3}[cell]
    x, w, r, b = normal(T, B, I), normal(D, G * H, I) / 2, normal(D, G * H, H) / 4, normal(D, 2 * G * H)
    lengths, h0 = np.array([5, 1, 3], np.int32), normal(D, B, H)
    node = onnx.helper.make_node({"rnn": "RNN", "gru": "GRU"}[cell], ["x", "w", "r", "b", "n", "h0"], ["y", "h"],
                                 hidden_size=H, direction=direction, clip=1.5,
                                 **({"linear_before_reset": 1} if cell == "gru" else {}))
    feeds = {"x": x, "w": w, "r": r, "b": b, "n": lengths, "h0": h0}
    ports = [onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
             for name, value in feeds.items()]
    graph = onnx.helper.make_graph([node], "layer", ports, [onnx.ValueInfoProto(name=name) for name in "yh"])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)
    added = b[:, :G * H] + b[:, G * H:]
    reset = None
    if cell == "gru":
        added[:, 2 * H:], reset = b[:, 2 * H:3 * H], b[:, 5 * H:]
    projected = (np.einsum("tbi,dgi->tbdg", x, w) + added).reshape(T, B, -1).astype(np.float32)
    found = run("recurrence", [projected, r.reshape(D * G, H, H), reset, lengths, h0], [np.float32] * 2, cell=cell,
                hiddenSize=H, direction=direction, clip=1.5)
    for ours, theirs in zip(found, expected):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
