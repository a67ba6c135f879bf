"""Weights in a kernel's own form: shipped, or made on the machine that first runs the model; with the same results."""

import json
import subprocess

import numpy
import onnx
import pytest
from onnx import helper, numpy_helper

import hexin

CHANNELS, SIZE = 64, 28


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """A 3x3 convolution that Winograd's algorithm is for, by what --prepack says."""
    folder = tmp_path_factory.mktemp("prepack")
    random = numpy.random.default_rng(7)
    weights = random.standard_normal((CHANNELS, CHANNELS, 3, 3)).astype(numpy.float32) / CHANNELS
    ports = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, CHANNELS, SIZE, SIZE]) for name in "xy"]
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    graph = helper.make_graph([node], "conv", ports[:1], ports[1:], [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), folder / "conv.onnx")
    paths = {}
    for prepack in (None, "lazy", "full"):
        paths[prepack] = folder / f"{prepack}.hxm"
        hexin.compile(folder / "conv.onnx", paths[prepack], targets=["cpu"], prepack=prepack)
    return paths


def described(hexin_tool, path):
    done = subprocess.run([hexin_tool, "inspect", "--json", path], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["weights"]


def run(path, folder):
    x = numpy.random.default_rng(8).standard_normal((1, CHANNELS, SIZE, SIZE)).astype(numpy.float32)
    return hexin.Session(path, cache_dir=folder).run({"x": x})["y"]


def test_what_is_shipped(artifacts, hexin_tool):
    plain = 4 * CHANNELS * CHANNELS * 9
    lazy, full = (described(hexin_tool, artifacts[prepack]) for prepack in ("lazy", "full"))
    assert lazy == described(hexin_tool, artifacts[None])
    assert lazy["derived"] == 1 and lazy["derivedBytes"] == 4 * plain and lazy["bytes"] < 1.25 * plain
    assert full["derived"] == 0 and full["bytes"] >= 5 * plain


def test_the_same_results(artifacts, tmp_path):
    expected = run(artifacts["full"], "none")
    cache = tmp_path / "cache"
    assert numpy.array_equal(run(artifacts["lazy"], "none"), expected)
    for _ in range(2):  # made, and found
        assert numpy.array_equal(run(artifacts["lazy"], str(cache)), expected)
        assert len(list((cache / "weights").glob("*.entry"))) == 1


def test_of_a_retargeted_model(artifacts, tmp_path, hexin_tool):
    moved = tmp_path / "moved.hxm"
    hexin.retarget(artifacts["full"], moved, targets=["cpu"])
    assert described(hexin_tool, moved)["derived"] == 1
    assert numpy.array_equal(run(moved, "none"), run(artifacts["full"], "none"))


def test_another_word_is_refused(artifacts, tmp_path):
    model = artifacts["full"].parent / "conv.onnx"
    with pytest.raises(hexin.InvalidArgumentError, match="expected lazy or full"):
        hexin.compile(model, tmp_path / "x.hxm", targets=["cpu"], prepack="some")
