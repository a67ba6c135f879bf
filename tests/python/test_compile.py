"""hexin.compile, retarget and inspect."""

import hexin
import numpy as np
import pytest
import small_models


@pytest.fixture
def model_path(tmp_path):
    path = tmp_path / "affine.onnx"
    path.write_bytes(small_models.affine().SerializeToString())
    return path


@pytest.mark.parametrize("form", [lambda path: path, str, lambda path: path.read_bytes(),
                                  lambda path: bytearray(path.read_bytes()), lambda path: small_models.affine()],
                         ids=["path", "str", "bytes", "bytearray", "ModelProto"])
def test_forms_of_a_model(model_path, tmp_path, form):
    out = tmp_path / "a.hxm"
    report = hexin.compile(form(model_path), out)
    assert report.artifact_bytes == out.stat().st_size
    assert report.kernels >= 0 and report.seconds > 0
    assert hexin.Model(out).targets == ["cpu"]


@pytest.mark.parametrize("spec", ["2x3", (2, 3), ["N", 3], (None, 3), (-1, 3), "?,3"])
def test_shapes_fix_sizes(model_path, tmp_path, spec):
    hexin.compile(model_path, tmp_path / "a.hxm", shapes={"x": spec})
    first = hexin.Model(tmp_path / "a.hxm").inputs[0].shape[0]
    assert first == 2 if spec in ("2x3", (2, 3)) else not isinstance(first, int)


@pytest.mark.parametrize("shapes", [{"x": (2, 4)}, {"x": (2,)}, {"nope": (2, 3)}, {"x": (1.5, 3)}])
def test_impossible_shapes(model_path, tmp_path, shapes):
    with pytest.raises(hexin.InvalidArgumentError, match="x|nope"):
        hexin.compile(model_path, tmp_path / "a.hxm", shapes=shapes)


@pytest.mark.parametrize("emit", ["import", "optimized", "placed", "kernels"])
def test_emit_gives_text(model_path, emit):
    assert hexin.compile(model_path, emit=emit).text


def test_explain_names_the_nodes(model_path, tmp_path):
    report = hexin.compile(model_path, tmp_path / "a.hxm", targets=["cpu", "opencl"], explain=True)
    assert "product" in report.text


def test_progress_is_reported(model_path, tmp_path):
    calls = []
    hexin.compile(model_path, tmp_path / "a.hxm", progress=lambda phase, fraction: calls.append((phase, fraction)))
    assert calls
    assert all(isinstance(phase, str) and 0 <= fraction <= 1 for phase, fraction in calls)


def test_inspect(small_artifact):
    description = hexin.inspect(small_artifact("affine"))
    assert {program["target"] for program in description["programs"]} == {"cpu", "opencl"}
    assert description["sections"]


def test_retarget_gives_the_same_numbers(model_path, tmp_path, small_artifact):
    hexin.compile(model_path, tmp_path / "cpu.hxm", targets=["cpu"])
    hexin.retarget(tmp_path / "cpu.hxm", tmp_path / "both.hxm", targets=["opencl"])
    assert set(hexin.Model(tmp_path / "both.hxm").targets) == {"cpu", "opencl"}
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    moved, direct = (hexin.Session(path, device="opencl:0").run({"x": x})["y"]
                     for path in (tmp_path / "both.hxm", small_artifact("affine")))
    np.testing.assert_array_equal(moved, direct)


def test_retarget_to_nothing_is_refused(model_path, tmp_path):
    hexin.compile(model_path, tmp_path / "a.hxm")
    with pytest.raises(hexin.errors.InvalidArgumentError, match="expected at least one"):
        hexin.retarget(tmp_path / "a.hxm", targets=[])


def test_retarget_in_place(model_path, tmp_path):
    hexin.compile(model_path, tmp_path / "a.hxm", targets=["cpu"])
    hexin.retarget(tmp_path / "a.hxm", targets=["opencl"])
    assert set(hexin.Model(tmp_path / "a.hxm").targets) == {"cpu", "opencl"}


def test_bytes_have_no_external_data(tmp_path):
    with pytest.raises(hexin.Error):
        hexin.compile(small_models.external_weight("w.bin"), tmp_path / "a.hxm")
