"""The onnx package's node tests: imported, run with the reference kernels, compared.

What the importer does not support yet is skipped with its message. Numbers that
differ for a known reason are listed in KNOWN; a listed test that passes fails.
"""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))

from suite import RANDOM  # noqa: E402  drawn by NumPy; tests/e2e/test_random.py looks at how ours are spread

# Test name -> why our numbers differ.
KNOWN = {
    "test_dft_inverse": "the expected zeros were rounded to 1.9e-7 by a transform in f32",
    "test_dft_inverse_opset19": "the expected zeros were rounded to 1.9e-7 by a transform in f32",
}

BATCH = 100  # models per process


def _cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_node_model_tests

        return {case.name: case for case in load_node_model_tests()}


CASES = _cases()


def _write_inputs(case, folder):
    folder.mkdir()
    onnx.save(case.model, folder / "model.onnx")
    for i, value in enumerate(case.data_sets[0][0]):
        if not isinstance(value, onnx.TensorProto):
            value = onnx.numpy_helper.from_array(np.asarray(value))
        (folder / f"input_{i}.pb").write_bytes(value.SerializeToString())


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, build_dir):
    """Every case in a folder of its own, run by a few processes."""
    tool = build_dir / "bin" / "hexin-onnx-evaluate"
    if not tool.exists():
        pytest.skip(f"{tool} is not built")
    root = tmp_path_factory.mktemp("nodes")
    folders = []
    for name, case in CASES.items():
        try:
            _write_inputs(case, root / name)
        except Exception:  # sequences, optionals, maps: reported as such by the import
            pass
        folders.append(str(root / name))
    for i in range(0, len(folders), BATCH):
        done = subprocess.run([tool, *folders[i : i + BATCH]], capture_output=True, text=True)
        assert done.returncode == 0, f"crashed within {folders[i:i + BATCH]}: {done.stderr}"
    return root


def _equal(actual, expected, case):
    assert actual.dtype == expected.dtype, (actual.dtype, expected.dtype)
    assert actual.shape == expected.shape, (actual.shape, expected.shape)
    if case.name in RANDOM:
        return
    if actual.dtype.kind in "biu":
        np.testing.assert_array_equal(actual, expected)
        return
    wide = np.complex128 if actual.dtype.kind == "c" else np.float64
    # Of 16-bit floats the expected values may be two units in the last place off:
    # they were rounded after every addition.
    bits = {"float16": 10, "bfloat16": 7}.get(actual.dtype.name, 52)
    np.testing.assert_allclose(actual.astype(wide), expected.astype(wide),
                               rtol=max(case.rtol, 2 * 2.0**-bits), atol=case.atol)


def _compare(case, folder):
    for i, expected in enumerate(case.data_sets[0][1]):
        actual = onnx.load_tensor(folder / f"result_{i}.pb")
        if not isinstance(expected, onnx.TensorProto):
            expected = onnx.numpy_helper.from_array(np.asarray(expected))
        _equal(onnx.numpy_helper.to_array(actual), onnx.numpy_helper.to_array(expected), case)


@pytest.mark.parametrize("name", sorted(CASES))
def test_node(name, evaluated):
    folder = evaluated / name
    error = folder / "error.txt"
    if error.exists():
        message = error.read_text()
        if message.startswith(("unsupported", "version mismatch")):
            pytest.skip(message.split("': ", 1)[-1][:200])
        if name in KNOWN:
            pytest.xfail(KNOWN[name])
        pytest.fail(message)
    if name not in KNOWN:
        _compare(CASES[name], folder)
        return
    with pytest.raises(AssertionError):
        _compare(CASES[name], folder)
