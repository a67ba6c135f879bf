"""softmax(f(Q Kt)) V as one kernel of the cpu: sizes around those of its blocks and tiles, known and unknown, every arch,
masked and not finite numbers. Numbers are held against f64."""

import hexin
import numpy as np
import pytest
from onnx import TensorProto, helper

ARCHS = ["x86-64-v4", "x86-64-v3", "x86-64-v2"]
SCALE = 0.21
# queries, keys, features, features of values, sizes of the mask or none
SIZES = {
    "a-tile-and-more": (9, 9, 16, 16, None),
    "two-items": (97, 128, 32, 32, (1, 1, 1, 128)),
    "three-blocks": (70, 513, 16, 96, (70, 513)),
    "odd": (197, 300, 33, 37, (1, 1, 1, 300)),
    "few-features": (12, 257, 3, 5, (12, 1)),
}


def model(sizes, dynamic, type=TensorProto.FLOAT, transposed=False):
    queries, keys, features, values, mask = sizes
    q, k, v = [1, 2, queries, features], [1, 2, features, keys], [1, 2, keys, values]
    if dynamic:
        q[0], q[2], k[0], k[3], v[0], v[2] = "n", "s", "n", "t", "n", "t"
        mask = mask and [size if size == 1 else name for size, name in zip(mask, ["n", "h", "s", "t"][-len(mask):])]
    ports = [("q", q), ("k", [*k[:2], k[3], k[2]] if transposed else k), ("v", v)] + ([("mask", mask)] if mask else [])
    nodes = [helper.make_node("Transpose", ["k"], ["columns"], perm=[0, 1, 3, 2])] if transposed else []
    nodes += [helper.make_node("MatMul", ["q", "columns" if transposed else "k"], ["product"]), helper.make_node("Mul", ["product", "scale"], ["scaled"]),
             helper.make_node("Add", ["scaled", "mask" if mask else "none"], ["scores"]),
             helper.make_node("Softmax", ["scores"], ["weights"], axis=-1), helper.make_node("MatMul", ["weights", "v"], ["y"])]
    constants = [helper.make_tensor("scale", type, [], [SCALE]), helper.make_tensor("none", type, [1], [0])]
    graph = helper.make_graph(nodes, "attention", [helper.make_tensor_value_info(name, type, shape) for name, shape in ports],
                              [helper.make_tensor_value_info("y", type, None)], constants)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def inputs(sizes, dtype=np.float32):
    queries, keys, features, values, mask = sizes
    rng = np.random.default_rng(queries)
    shapes = {"q": (1, 2, queries, features), "k": (1, 2, features, keys), "v": (1, 2, keys, values)}
    if mask:
        shapes["mask"] = mask
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


def reference(given):
    q, k, v = (given[name].astype(np.float64) for name in "qkv")
    scores = q @ k * SCALE + given.get("mask", np.float32(0)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True) @ v


def compiled(tmp_path, model):
    path = str(tmp_path / "attention.hxm")
    report = hexin.compile(model, path, targets=["cpu"], explain=True)
    assert "on cpu, attention" in report.text
    return path


def run(path, arch, given):
    return hexin.Session(path, max_isa=arch).run(given)["y"]


@pytest.mark.parametrize("dynamic", [False, True], ids=["known", "unknown"])
@pytest.mark.parametrize("case", SIZES)
def test_sizes(tmp_path, case, dynamic):
    given = inputs(SIZES[case])
    path = compiled(tmp_path, model(SIZES[case], dynamic))
    for arch in ARCHS:
        np.testing.assert_allclose(run(path, arch, given), reference(given), atol=4e-6, rtol=0, err_msg=arch)


def test_halfs(tmp_path):
    sizes = SIZES["two-items"]
    given = inputs(sizes, np.float16)
    path = compiled(tmp_path, model(sizes, False, TensorProto.FLOAT16))
    for arch in ARCHS:
        np.testing.assert_allclose(run(path, arch, given), reference(given), atol=4e-3, rtol=0, err_msg=arch)


@pytest.mark.parametrize("features", [32, 21])
@pytest.mark.parametrize("transposed", [False, True], ids=["as-they-are", "transposed"])
def test_other_sizes_than_expected(tmp_path, features, transposed):
    path = compiled(tmp_path, model((97, 128, features, 40, (1, 1, 1, 128)), True, transposed=transposed))
    for queries, keys in ((1, 300), (3, 5), (0, 7), (5, 1), (200, 40)):
        given = inputs((queries, keys, features, 40, (1, 1, 1, keys)))
        wanted = reference(given)
        if transposed:
            given["k"] = np.ascontiguousarray(given["k"].swapaxes(2, 3))
        for arch in ARCHS:
            np.testing.assert_allclose(run(path, arch, given), wanted, atol=4e-6, rtol=0, err_msg=arch)


def test_one_query(tmp_path):
    sizes = (1, 513, 64, 64, (1, 513))
    path, given = compiled(tmp_path, model(sizes, False, transposed=True)), inputs(sizes)
    wanted = reference(given)
    given["k"] = np.ascontiguousarray(given["k"].swapaxes(2, 3))
    for arch in ARCHS:
        np.testing.assert_allclose(run(path, arch, given), wanted, atol=4e-6, rtol=0, err_msg=arch)


def test_no_keys(tmp_path):
    path = compiled(tmp_path, model((97, 128, 32, 32, (1, 1, 1, 128)), True))
    given = inputs((9, 0, 32, 32, (1, 1, 1, 0)))
    for arch in ARCHS:
        np.testing.assert_array_equal(run(path, arch, given), np.zeros((1, 2, 9, 32)), err_msg=arch)


@pytest.mark.parametrize("dynamic", [False, True], ids=["known", "unknown"])
def test_masked_and_not_finite(tmp_path, dynamic):
    sizes = (20, 300, 32, 32, (20, 300))
    path = compiled(tmp_path, model(sizes, dynamic))
    given = inputs(sizes)
    given["mask"][:, 100:] = -np.inf  # whole blocks
    given["mask"][3, :280] = -np.inf  # the first block
    given["mask"][3, 280:] = 0
    given["mask"][5] = np.finfo(np.float32).min
    given["q"][0, 1, 7, 2] = np.nan
    wanted = reference(given)
    assert np.isnan(wanted[0, 1, 7]).all() and np.isnan(wanted).sum() == 32
    for arch in ARCHS:
        np.testing.assert_allclose(run(path, arch, given), wanted, atol=4e-6, rtol=0, err_msg=arch)
