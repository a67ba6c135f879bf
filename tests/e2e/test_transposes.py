"""Transposes that move the last axis: sizes around those of a vector and of a block, known and unknown, element types
of every width, with elementwise ops before and behind, on every device and every image of the cpu."""

import numpy as np
import onnx
import pytest
from devices import DEVICES, TARGETS
from onnx import helper

ARCHS = ["x86-64-v2", "x86-64-v3", "x86-64-v4"]
# Shape and permutation. Around 4, 8, 16 (vectors) and 64 (a block); runs of several axes; nothing at all.
CASES = [
    ([3136, 20], [1, 0]),
    ([63, 65], [1, 0]),
    ([4, 16], [1, 0]),
    ([5, 9], [1, 0]),
    ([17, 129], [1, 0]),
    ([2, 7, 19, 24], [0, 3, 1, 2]),
    ([2, 24, 7, 19], [0, 2, 3, 1]),
    ([3, 33, 2, 16], [3, 1, 2, 0]),
    ([5, 6, 7, 8], [3, 2, 1, 0]),
    ([9, 1, 70], [2, 1, 0]),
    ([6, 0, 9], [2, 1, 0]),
    ([2, 3, 130, 4], [0, 1, 3, 2]),
]
TYPES = [np.float32, np.float64, np.float16, np.int8, np.uint16, np.int64, np.bool_]


def type_of(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def model(cases, dtype, before=None, behind=None, is_dynamic=False):
    """y = Transpose(x) of every case; `before` and `behind`: the names of elementwise ops around it."""
    nodes, inputs, outputs = [], [], []
    for i, (shape, perm) in enumerate(cases):
        declared = [f"d{i}_{axis}" for axis in range(len(shape))] if is_dynamic else shape
        inputs.append(helper.make_tensor_value_info(f"x{i}", type_of(dtype), declared))
        outputs.append(helper.make_tensor_value_info(f"y{i}", type_of(dtype), None))
        value = f"x{i}"
        if before:
            nodes.append(helper.make_node(before, [value], [f"b{i}"]))
            value = f"b{i}"
        nodes.append(helper.make_node("Transpose", [value], [f"t{i}" if behind else f"y{i}"], perm=perm))
        if behind:  # with an operand of the very sizes, and with one element
            sizes = [shape[axis] for axis in perm]
            declared = [f"d{i}_{axis}" for axis in perm] if is_dynamic else sizes
            inputs.append(helper.make_tensor_value_info(f"z{i}", type_of(dtype), declared))
            nodes += [
                helper.make_node(behind, [f"t{i}", f"z{i}"], [f"u{i}"]),
                helper.make_node("Add", [f"u{i}", "one"], [f"y{i}"]),
            ]
    constants = [onnx.numpy_helper.from_array(np.ones([1], dtype), "one")] if behind else []
    graph = helper.make_graph(nodes, "transposes", inputs, outputs, constants)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def values_of(cases, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 2 if dtype is np.bool_ else 100, shape).astype(dtype) for shape, _ in cases]


def run(tmp_path, built, values, device, **options):
    import hexin

    path = tmp_path / "transposes.hxm"
    hexin.compile(built, path, targets=TARGETS)
    return hexin.Session(str(path), device=device, **options).run(values)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("is_dynamic", [False, True], ids=["static", "dynamic"])
@pytest.mark.parametrize("dtype", TYPES, ids=lambda dtype: dtype.__name__)
def test_moves_every_element(tmp_path, device, dtype, is_dynamic):
    values = values_of(CASES, dtype)
    outputs = run(
        tmp_path, model(CASES, dtype, is_dynamic=is_dynamic), {f"x{i}": x for i, x in enumerate(values)}, device
    )
    for i, ((_, perm), x) in enumerate(zip(CASES, values)):
        np.testing.assert_array_equal(outputs[f"y{i}"], x.transpose(perm), err_msg=str(CASES[i]))


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("is_dynamic", [False, True], ids=["static", "dynamic"])
def test_every_image_with_ops_around(tmp_path, arch, is_dynamic):
    cases, dtype = CASES, np.float32
    xs, built = values_of(cases, dtype), model(cases, dtype, "Neg", "Sub", is_dynamic)
    zs = [value.transpose(perm) + 1 for value, (_, perm) in zip(values_of(cases, dtype, 1), cases)]
    values = {f"x{i}": x for i, x in enumerate(xs)} | {f"z{i}": np.ascontiguousarray(z) for i, z in enumerate(zs)}
    outputs = run(tmp_path, built, values, "cpu", max_isa=arch)
    for i, ((_, perm), x, z) in enumerate(zip(cases, xs, zs)):
        np.testing.assert_array_equal(outputs[f"y{i}"], (-x).transpose(perm) - z + 1, err_msg=str(cases[i]))
