"""What hexin compile and run do not take, whoever asks."""

import os

import pytest


def test_the_model_is_not_replaced(hexin, small_model, tmp_path):
    model = tmp_path / "m.onnx"
    with open(small_model("affine"), "rb") as source:
        model.write_bytes(source.read())
    before = model.read_bytes()
    os.symlink(model, tmp_path / "link.hxm")
    for same in ("m.onnx", "./m.onnx", "link.hxm"):
        hexin("compile", "m.onnx", "-o", same).failed(2, "is the model itself")
    hexin("compile", "m.onnx", "-o", "m.onnx", "--emit=import").failed(2, "is the model itself")
    assert model.read_bytes() == before


def test_an_artifact_is_a_file(hexin, small_model, tmp_path):
    hexin("compile", small_model("affine"), "-o", "-").failed(2, "give -o a path")
    assert not (tmp_path / "-").exists()


def test_a_target_twice(hexin, small_model):
    hexin("compile", small_model("affine"), "-o", "a.hxm", "--targets=cpu,cpu").failed(2, "target 'cpu' is named 2 times")


@pytest.mark.parametrize("threads", ["4097", "99999999"])
def test_more_threads_than_anybody_has(hexin, small_model, small_artifact, threads):
    words = f"threads is {threads}, expected 0 to 4096"
    hexin("compile", small_model("affine"), "-o", "a.hxm", "--compile-threads", threads).failed(2, words)
    hexin("run", small_artifact("affine"), "--random-inputs", "--threads", threads).failed(2, words)
