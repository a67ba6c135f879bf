"""Bad input to the Python API: a typed exception each, with what to do about it."""

import os

import hexin
import numpy as np
import pytest
import small_models


@pytest.fixture
def affine(small_artifact):
    return hexin.Session(small_artifact("affine"))


def test_exceptions_are_also_the_builtin_ones():
    for ours, builtin in [
        (hexin.InvalidArgumentError, ValueError), (hexin.NotFoundError, FileNotFoundError),
        (hexin.NotFoundError, KeyError), (hexin.UnsupportedError, NotImplementedError),
        (hexin.CorruptDataError, ValueError), (hexin.UnavailableError, RuntimeError),
        (hexin.ResourceExhaustedError, MemoryError), (hexin.OutOfRangeError, IndexError),
        (hexin.IoError, OSError),
    ]:
        assert issubclass(ours, builtin) and issubclass(ours, hexin.Error)
        assert str(ours("what and where")) == "what and where"


@pytest.mark.parametrize("value", [
    np.zeros((2, 3)), np.zeros((2, 3), np.int32), np.zeros((2, 3), ">f4"), np.zeros(3, np.float32),
    np.zeros((2, 4), np.float32), np.zeros((2, 3, 1), np.float32), np.array([["a"] * 3]), "text", None, object(),
    [[1, 2, 3], [4]], b"bytes", {"a": 1},
], ids=lambda value: f"{type(value).__name__}-{getattr(value, 'dtype', '')}-{getattr(value, 'shape', '')}")
def test_wrong_input_values(affine, value):
    with pytest.raises(hexin.InvalidArgumentError, match="'x'"):
        affine.run({"x": value})


def test_python_numbers_must_fit(tmp_path):
    import onnx

    hexin.compile(small_models.double(onnx.TensorProto.INT32), tmp_path / "a.hxm")
    session = hexin.Session(tmp_path / "a.hxm")
    np.testing.assert_array_equal(session.run({"x": [1, 2, 3, 4]})["y"], [2, 4, 6, 8])
    for value in ([1.5, 0, 0, 0], [1 << 40, 0, 0, 0], [1j, 0, 0, 0]):
        with pytest.raises(hexin.InvalidArgumentError, match="'x'"):
            session.run({"x": value})


@pytest.mark.parametrize("value, words", [
    (["a", "\ud800"], "'x'.*no UTF-8 form"), ([["a"], ["b", "c"]], "'x' takes an array of strings"), ([1, 2], "'x' takes strings"),
])
def test_strings_that_are_none(tmp_path, value, words):
    from onnx import TensorProto, helper

    ports = [helper.make_tensor_value_info(name, TensorProto.STRING, ["n"]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "strings", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    hexin.compile(model, tmp_path / "s.hxm", targets=["cpu"])
    with pytest.raises(hexin.InvalidArgumentError, match=words):
        hexin.Session(tmp_path / "s.hxm").run({"x": value})


@pytest.mark.parametrize("inputs", [{}, {"nope": 1}, {"x": np.zeros((1, 3), np.float32), "nope": 1}, {1: 2}, [1], None])
def test_wrong_input_names(affine, inputs):
    with pytest.raises(hexin.InvalidArgumentError):
        affine.run(inputs)


def test_one_symbol_has_one_size(small_artifact, device):
    session = hexin.Session(small_artifact("add_rows"), device=device)
    with pytest.raises(hexin.InvalidArgumentError, match="rows"):
        session.run({"in/a:0": np.zeros((2, 4), np.float32), "in/b:0": np.zeros((3, 4), np.float32)})
    # The session is as good as before.
    ones = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(session.run({"in/a:0": ones, "in/b:0": ones})["out/c:0"], ones + ones)


def read_only(shape):
    array = np.zeros(shape, np.float32)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("outputs", [
    ["nope"], "y", {"nope": np.zeros((2, 2), np.float32)}, {"y": np.zeros((2, 2))}, {"y": [[0, 0], [0, 0]]},
    {"y": np.zeros((3, 2), np.float32)}, {"y": np.zeros(4, np.float32)}, {"y": read_only((2, 2))},
    {"y": np.zeros((2, 4), np.float32)[:, ::2]},
], ids=["unknown", "str", "unknown name", "dtype", "list", "size", "rank", "read-only", "strided"])
def test_wrong_outputs(affine, outputs):
    with pytest.raises(hexin.InvalidArgumentError):
        affine.run({"x": np.zeros((2, 3), np.float32)}, outputs=outputs)


@pytest.mark.parametrize("device", ["tpu", "cpu:7", "opencl:99", "", "cuda:99", "cpu:x"])
def test_unknown_devices(small_artifact, device):
    with pytest.raises(hexin.Error) as caught:
        hexin.Session(small_artifact("affine"), device=device)
    assert not isinstance(caught.value, hexin.InternalError)
    assert not device or device.split(":")[0] in str(caught.value)


def test_a_target_that_the_file_lacks(tmp_path):
    hexin.compile(small_models.affine(), tmp_path / "a.hxm", targets=["cpu"])
    with pytest.raises(hexin.Error, match="opencl"):
        hexin.Session(tmp_path / "a.hxm", device="opencl:0")


def test_missing_files(tmp_path):
    for call in (lambda: hexin.Model(tmp_path / "no.hxm"), lambda: hexin.inspect(tmp_path / "no.hxm"),
                 lambda: hexin.compile(tmp_path / "no.onnx", tmp_path / "a.hxm"),
                 lambda: hexin.retarget(tmp_path / "no.hxm", targets=["cpu"])):
        with pytest.raises(FileNotFoundError, match="no\\."):
            call()


def test_directories_are_no_files(tmp_path):
    with pytest.raises(hexin.Error):
        hexin.Model(tmp_path)
    with pytest.raises(hexin.Error):
        hexin.compile(tmp_path, tmp_path / "a.hxm")
    with pytest.raises(hexin.Error):
        hexin.compile(small_models.affine(), tmp_path)


def test_damaged_artifacts(small_artifact, tmp_path):
    """Every cut and many changed bytes: an exception or the right numbers, never a crash."""
    whole = open(small_artifact("affine"), "rb").read()
    damaged = tmp_path / "a.hxm"
    for length in [0, 1, 7, 63, 64, 65, 100, len(whole) // 2, len(whole) - 1]:
        damaged.write_bytes(whole[:length])
        with pytest.raises(hexin.Error):
            hexin.Model(damaged, verify=True)
    generator = np.random.default_rng(0)
    for position in generator.integers(0, len(whole), 200):
        changed = bytearray(whole)
        changed[position] ^= 1 << int(generator.integers(0, 8))
        damaged.write_bytes(changed)
        try:
            hexin.Model(damaged, verify=True)
        except hexin.Error:
            pass


@pytest.mark.parametrize("contents", [b"", b"garbage" * 100, b"\x08" * 1000, b"\xff" * 1000, os.urandom(4096)],
                         ids=["empty", "text", "tags", "ones", "random"])
def test_garbage_models(tmp_path, contents):
    with pytest.raises(hexin.Error):
        hexin.compile(contents, tmp_path / "a.hxm")
    assert not (tmp_path / "a.hxm").exists()


def test_truncated_models(tmp_path):
    whole = small_models.affine().SerializeToString()
    for length in range(0, len(whole) - 1, 7):
        try:
            hexin.compile(whole[:length], tmp_path / "a.hxm", emit="import")
        except hexin.Error:
            pass


@pytest.mark.parametrize("name", ["cyclic", "huge_initializer"])
def test_hostile_models(tmp_path, name):
    with pytest.raises(hexin.Error):
        hexin.compile(getattr(small_models, name)(), tmp_path / "a.hxm")


def test_deep_nesting(tmp_path):
    with pytest.raises(hexin.Error, match="deep|nest|level"):
        hexin.compile(small_models.nested_ifs(2000), tmp_path / "a.hxm", emit="import")


def test_unknown_op_names_node_and_opset(tmp_path):
    with pytest.raises(hexin.UnsupportedError, match="strange") as caught:
        hexin.compile(small_models.unknown_op(), tmp_path / "a.hxm")
    for part in ("Frobnicate", "com.example", "3"):
        assert part in str(caught.value)


@pytest.mark.parametrize("options", [
    {"targets": ["tpu"]}, {"targets": []}, {"targets": "cpu"}, {"emit": "nope"}, {"threads": -1},
    {"cpu_archs": ["x86-64-v9"]},
])
def test_wrong_compile_options(tmp_path, options):
    with pytest.raises(hexin.Error):
        hexin.compile(small_models.affine(), tmp_path / "a.hxm", **options)
    assert not (tmp_path / "a.hxm").exists()


def test_prepare_needs_every_size(affine):
    for shapes in ({}, {"nope": (1, 3)}, {"x": (1,)}, {"x": (1, 4)}, {"x": (-1, 3)}):
        with pytest.raises(hexin.InvalidArgumentError):
            affine.prepare(shapes)


def test_native_code_can_be_refused(small_artifact):
    model = hexin.Model(small_artifact("affine"), allow_native=False)
    with pytest.raises(hexin.FailedPreconditionError, match="holds code"):
        hexin.Session(model, device="cpu")


@pytest.mark.parametrize("name", ["cuda:abc", "cpu:", "cpu:-1", "", "CPU"])
def test_what_names_no_device(small_artifact, name):
    with pytest.raises(hexin.InvalidArgumentError, match="names no device; write it as 'cpu', 'opencl:0' or 'cuda:0'"):
        hexin.Session(small_artifact("affine"), device=name)


@pytest.mark.parametrize("index", ["7", "99999999999"])
def test_a_device_that_is_not_there(small_artifact, index):
    with pytest.raises(hexin.UnavailableError, match=f"there is no device 'cpu:{index}': .* there are: .*cpu"):
        hexin.Session(small_artifact("affine"), device=f"cpu:{index}")
