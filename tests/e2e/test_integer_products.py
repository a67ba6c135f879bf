"""Products of 8-bit integers: every bit, on every instruction set; and those of quantised models, near what their
numbers stand for."""

import itertools

import hexin
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

VNNI, AMX = "x86-64-v4+avx512vnni", "x86-64-v4+avx512vnni+amx-int8"
ARCHS = [AMX, VNNI, "x86-64-v4", "x86-64-v3", "x86-64-v2"]
SIGNS = {"u8": (np.uint8, TensorProto.UINT8), "s8": (np.int8, TensorProto.INT8)}
PAIRS = list(itertools.product(SIGNS, SIGNS))


def sessions(path):
    """One for every arch that the machine runs."""
    [cpu] = [device for device in hexin.devices() if device.id == "cpu"]
    return {arch: hexin.Session(path, max_isa=arch) for arch in ARCHS if arch in cpu.image_archs}


def model_of(nodes, inputs, outputs, constants):
    graph = helper.make_graph(
        nodes, "integers", [helper.make_tensor_value_info(*spec) for spec in inputs],
        [helper.make_tensor_value_info(*spec) for spec in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def numbers(random, dtype, shape, extreme):
    """Extreme ones give the largest sums of pairs, which 16 bits do not hold."""
    info = np.iinfo(dtype)
    if extreme:
        return np.full(shape, random.choice([info.min, info.max]), dtype)
    return random.integers(info.min, info.max + 1, shape).astype(dtype)


# rows, depth, columns: whole words and not, tails of panels, more than a block of rows, nothing at all.
SIZES = [(1, 64, 32), (3, 1, 8), (5, 7, 9), (8, 8, 40), (49, 65, 33), (130, 30, 16), (100, 258, 70), (2, 0, 5), (0, 8, 8)]


@pytest.mark.parametrize("left,right", PAIRS)
@pytest.mark.parametrize("constant", [True, False], ids=["constant", "computed"])
def test_matmul_has_every_bit(tmp_path, left, right, constant):
    random = np.random.default_rng(0)
    (left_type, left_code), (right_type, right_code) = SIGNS[left], SIGNS[right]
    nodes, inputs, outputs, constants, feed, expected = [], [], [], {}, {}, {}
    for i, ((m, k, n), zeros) in enumerate(itertools.product(SIZES, [None, (0, 0), (3, 100)])):
        x = numbers(random, left_type, (m, k), i % 5 == 0)
        y = numbers(random, right_type, (k, n), i % 5 == 0)
        names = [f"x{i}", f"y{i}"]
        inputs.append((f"x{i}", left_code, [None, k]))
        feed[f"x{i}"] = x
        values = {f"y{i}": y}
        a, w = zeros or (0, 0)
        if zeros:
            names += [f"a{i}", f"w{i}"]
            values |= {f"a{i}": np.array(a, left_type), f"w{i}": np.array(w, right_type)}
        if constant:
            constants |= values
        else:
            inputs += [(name, right_code if name[0] in "yw" else left_code, value.shape) for name, value in values.items()]
            feed |= values
        nodes.append(helper.make_node("MatMulInteger", names, [f"z{i}"]))
        outputs.append((f"z{i}", TensorProto.INT32, [None, n]))
        expected[f"z{i}"] = (x.astype(np.int64) - a) @ (y.astype(np.int64) - w)
    hexin.compile(model_of(nodes, inputs, outputs, constants), str(tmp_path / "a.hxm"), targets=["cpu"])
    for arch, session in sessions(str(tmp_path / "a.hxm")).items():
        found = session.run(feed)
        for i, (name, value) in enumerate(expected.items()):
            np.testing.assert_array_equal(found[name], value, err_msg=f"{arch}, {SIZES[i // 3]}, zero points {i % 3}")


# channels, outputs, image, taps, strides, pads, dilations, groups
WINDOWS = {
    "3x3": (16, 24, (9, 11), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "strides and dilations": (4, 9, (12, 13), (3, 2), (2, 1), (2, 0, 1, 3), (1, 2), 1),
    "groups": (24, 16, (6, 7), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 2),
    "1x1": (20, 33, (5, 8), (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "1x1 of odd depth": (7, 12, (5, 8), (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "three channels": (3, 16, (9, 9), (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 1),
    "depthwise": (16, 16, (9, 9), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 16),
    "all pads": (8, 8, (1, 1), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
}


def windows_of(x, taps, strides, pads, dilations, fill):
    """[N, C, taps, out...]"""
    x = np.pad(x, [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])], constant_values=fill)
    height, width = (
        (x.shape[2 + i] - dilations[i] * (taps[i] - 1) - 1) // strides[i] + 1 for i in range(2))
    parts = [x[:, :, ky * dilations[0]:, kx * dilations[1]:][:, :, ::strides[0], ::strides[1]][:, :, :height, :width]
             for ky in range(taps[0]) for kx in range(taps[1])]
    return np.stack(parts, axis=2)


@pytest.mark.parametrize("left,right", PAIRS)
@pytest.mark.parametrize("name", WINDOWS)
def test_convolution_has_every_bit(tmp_path, left, right, name):
    random = np.random.default_rng(1)
    channels, outputs, image, taps, strides, pads, dilations, groups = WINDOWS[name]
    (left_type, left_code), (right_type, _) = SIGNS[left], SIGNS[right]
    x = numbers(random, left_type, (2, channels, *image), False)
    y = numbers(random, right_type, (outputs, channels // groups, *taps), False)
    for a, w in [(0, 0), (5, 0), (100, 9)]:
        node = helper.make_node("ConvInteger", ["x", "y", "a", "w"], ["z"], kernel_shape=taps, strides=strides, pads=pads,
                                dilations=dilations, group=groups)
        model = model_of([node], [("x", left_code, ["n", channels, *image])], [("z", TensorProto.INT32, None)],
                         {"y": y, "a": np.array(a, left_type), "w": np.array(w, right_type)})
        hexin.compile(model, str(tmp_path / "a.hxm"), targets=["cpu"])
        columns = windows_of(x.astype(np.int64) - a, taps, strides, pads, dilations, 0)
        columns = columns.reshape(2, groups, channels // groups, *columns.shape[2:])
        weights = (y.astype(np.int64) - w).reshape(groups, outputs // groups, channels // groups, -1)
        expected = np.einsum("ngcthw,gmct->ngmhw", columns, weights).reshape(2, outputs, *columns.shape[-2:])
        for arch, session in sessions(str(tmp_path / "a.hxm")).items():
            np.testing.assert_array_equal(session.run({"x": x})["z"], expected, err_msg=arch)


def quantised(name, dtype, scale, zero):
    """Nodes that quantise `name` and say again what that stands for, and their constants."""
    constants = {f"{name}_scale": np.float32(scale), f"{name}_zero": np.array(zero, dtype)}
    operands = list(constants)
    return [helper.make_node("QuantizeLinear", [name, *operands], [f"{name}_q"]),
            helper.make_node("DequantizeLinear", [f"{name}_q", *operands], [f"{name}_d"])], constants


def test_quantised_products_are_integers(tmp_path):
    """A product of quantised numbers, requantised: what f64 makes of the same numbers, but where that is half way
    between two."""
    random = np.random.default_rng(2)
    rows, depth, columns = 70, 130, 50
    weights = random.integers(-127, 128, (depth, columns)).astype(np.int8)
    scales = random.uniform(0.001, 0.01, columns).astype(np.float32)
    nodes, constants = quantised("x", np.uint8, 0.02, 113)
    behind, more = quantised("z", np.uint8, 0.05, 120)
    nodes += [helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=1),
              helper.make_node("MatMul", ["x_d", "wd"], ["p"]), helper.make_node("Add", ["p", "bias"], ["z"]), behind[0]]
    bias = random.standard_normal(columns).astype(np.float32)
    constants |= more | {"w": weights, "ws": scales, "wz": np.zeros(columns, np.int8), "bias": bias}
    model = model_of(nodes, [("x", TensorProto.FLOAT, ["n", depth])], [("z_q", TensorProto.UINT8, None)], constants)
    report = hexin.compile(model, str(tmp_path / "a.hxm"), targets=["cpu"], emit="placed")
    assert "hx.matmul_integer" in report.text
    hexin.compile(model, str(tmp_path / "a.hxm"), targets=["cpu"])
    x = random.standard_normal((rows, depth)).astype(np.float32)
    q = np.clip(np.rint(x / np.float32(0.02)) + 113, 0, 255).astype(np.int64)
    exact = ((q - 113) @ weights.astype(np.int64)) * (np.float64(np.float32(0.02)) * scales) + bias
    wanted = exact / np.float64(np.float32(0.05)) + 120
    # Three roundings of f32 on the way to a number of at most 255 and its zero point.
    near = np.abs(wanted - np.floor(wanted) - 0.5) < 8 * 2.0 ** -24 * (np.abs(wanted) + 120)
    expected = np.clip(np.rint(wanted), 0, 255)
    assert near.mean() < 0.01
    for arch, session in sessions(str(tmp_path / "a.hxm")).items():
        np.testing.assert_array_equal(session.run({"x": x})["z_q"][~near], expected[~near], err_msg=arch)


def test_images_beside_a_level_have_only_what_differs(tmp_path):
    """The image for VNNI has the integer products and not the addition, which comes from x86-64-v4's; that for AMX
    only the product that has tiles."""
    nodes = [helper.make_node("MatMulInteger", ["x", "w"], ["y"]), helper.make_node("MatMulInteger", ["x", "v"], ["z"]),
             helper.make_node("Add", ["a", "a"], ["b"])]
    model = model_of(nodes, [("x", TensorProto.UINT8, ["n", 8]), ("a", TensorProto.FLOAT, ["m"])],
                     [("y", TensorProto.INT32, None), ("z", TensorProto.INT32, None), ("b", TensorProto.FLOAT, None)],
                     {"w": np.ones((8, 32), np.int8), "v": np.ones((8, 8), np.int8)})
    text = hexin.compile(model, str(tmp_path / "a.hxm"), targets=["cpu"], emit="kernels").text
    kernels = dict(part.split("\n", 1) for part in text.split("// cpu, ")[1:])
    assert list(kernels) == ARCHS
    counts = [code.count("func.func @") for code in kernels.values()]
    assert counts == [1, 2, 3, 3, 3]
    assert "tdpbusd" in kernels[AMX] and "tdpbusd" not in kernels[VNNI]
    assert "vpdpbusd" in kernels[VNNI] and "vpdpbusd" not in kernels["x86-64-v4"]
