"""Arguments of another type, and files that a compile must not write to: typed errors in our words."""

import os

import hexin
import numpy as np
import pytest
import small_models


@pytest.fixture
def model_path(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(small_models.affine().SerializeToString())
    return path


@pytest.mark.parametrize("options, words", [
    ({"targets": [3]}, "targets is a list of names, got 3 in it"), ({"targets": 3}, "targets is a list of names, got 3"),
    ({"targets": ["cpu", "cpu"]}, "target 'cpu' is named 2 times"), ({"targets": ["cp\0u"]}, "option target holds a NUL"),
    ({"shapes": 5}, "shapes is a dict"), ({"shapes": {3: (1, 2)}}, "a key of shapes is a str"),
    ({"shapes": {"x": (2, 2**70)}}, "is no size; expected an int below"), ({"states": 5}, "states is a dict"),
    ({"states": {"x": 5}}, r"states\['x'\] is a str, got 5"), ({"progress": 5}, "progress is a function"),
    ({"threads": 4097}, "threads is 0 to 4096, got 4097"), ({"threads": "1"}, "threads is 0 to 4096"),
    ({"shapes": {"x": ("\udcff", 3)}}, "has no UTF-8 form"), ({"disable": ["\ud800"]}, "a name of disable has no UTF-8 form"),
    ({"cache_dir": "a\0b"}, "cache_dir holds a NUL"), ({"threads": True}, "threads is 0 to 4096"), ({"threads": None}, "threads is 0"),
    ({"cache_dir": 5}, "cache_dir is a path, got a int"), ({"emit": 5}, "emit is a str, got 5"),
])
def test_compile(model_path, tmp_path, options, words):
    with pytest.raises(hexin.InvalidArgumentError, match=words):
        hexin.compile(model_path, tmp_path / "a.hxm", **options)
    assert not (tmp_path / "a.hxm").exists()


def test_a_path_with_a_nul(model_path, tmp_path):
    for source in (model_path, model_path.read_bytes()):
        with pytest.raises(hexin.InvalidArgumentError, match="holds a NUL"):
            hexin.compile(source, f"{tmp_path}/a\0b")
    assert not (tmp_path / "a").exists()


def test_the_model_is_not_replaced(model_path, tmp_path):
    before = model_path.read_bytes()
    os.symlink(model_path, tmp_path / "symbolic")
    os.link(model_path, tmp_path / "hard")
    (tmp_path / "folder").mkdir()
    for same in (model_path, tmp_path / "symbolic", tmp_path / "hard", tmp_path / "folder" / ".." / "model.onnx"):
        with pytest.raises(hexin.InvalidArgumentError, match="is the model itself"):
            hexin.compile(model_path, same)
    assert model_path.read_bytes() == before


def test_what_progress_raises_is_raised(model_path, tmp_path):
    calls = []

    def fail(phase, fraction):
        calls.append(phase)
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        hexin.compile(model_path, tmp_path / "a.hxm", progress=fail)
    assert len(calls) == 1
    assert hexin.Session(tmp_path / "a.hxm").inputs  # the compiler was not stopped


def test_an_unusable_cache_is_told(model_path, tmp_path):
    lines = []
    hexin.set_log_sink(lambda level, text: lines.append((level, text)))
    try:
        hexin.compile(model_path, tmp_path / "a.hxm", cache_dir="/proc/no-such-folder")
    finally:
        hexin.set_log_sink(None)
    assert any(level == "warning" and "/proc/no-such-folder" in text for level, text in lines)


def test_session(small_artifact):
    path = small_artifact("affine")
    for arguments, words in [
        ({"model": 5}, "path is a path, got a int"), ({"device": 3}, "device is a str, got 3"),
        ({"dump": [3]}, "dump is a list of names, got 3 in it"), ({"dump": 3}, "dump is a list of names"),
        ({"threads": 100000}, "threads is 0 to 4096"), ({"max_isa": 3}, "max_isa is a str"),
        ({"max_isa": "x86-64-v2\0"}, "max_isa holds a NUL"), ({"device": "cpu\0"}, "device holds a NUL"),
        ({"model": f"{path}\0"}, "path holds a NUL"), ({"model": "\ud800.hxm"}, "path has no UTF-8 form"),
        ({"seed": True}, "seed is 0 to"), ({"seed": 2**64}, "seed is 0 to"), ({"seed": 1.5}, "seed is 0 to"),
    ]:
        with pytest.raises(hexin.InvalidArgumentError, match=words):
            hexin.Session(**{"model": path, **arguments})


def test_calls(small_artifact):
    session = hexin.Session(small_artifact("affine"))
    x = {"x": np.ones((2, 3), np.float32)}
    for call, words in [
        (lambda: session.run(x, outputs=5), "outputs is a list of names, got 5"),
        (lambda: session.run(x, outputs=[5]), "outputs is a list of names, got 5 in it"),
        (lambda: session.prepare(5), "shapes is a dict"), (lambda: session.prepare({"x": 5}), "needs the sizes of input 'x'"),
        (lambda: session.prepare({"x": (2**70, 3)}), "needs the sizes of input 'x'"),
        (lambda: session.import_state("s"), "blob is bytes, got a str"),
    ]:
        with pytest.raises(hexin.InvalidArgumentError, match=words):
            call()
    assert session.run(x)["y"].shape == (2, 2)


def test_integers_of_other_types(small_artifact):
    assert hexin.Session(small_artifact("affine"), threads=np.int64(1), seed=np.uint64(2**64 - 1)).inputs


def test_model_and_log(small_artifact):
    path = small_artifact("affine")
    session = hexin.Session(path)
    for call, words in [
        (lambda: hexin.Model(path, allow_native="no"), "allow_native is True or False, got 'no'"),
        (lambda: hexin.Model(path, verify=1), "verify is True or False"), (lambda: session.get_state(5), "name is a str"),
        (lambda: session.set_state(5, 5), "name is a str"), (lambda: hexin.set_log_level(5), "level is a str"),
        (lambda: hexin.set_log_sink(5), "sink is a function"),
    ]:
        with pytest.raises(hexin.InvalidArgumentError, match=words):
            call()
