"""The package itself: names, stubs, devices, ONNX's backend interface."""

import ast
from pathlib import Path

import hexin
import numpy as np
import pytest
from hexin import _core


def test_everything_public_is_documented():
    assert hexin.__version__.count(".") == 2
    for name in hexin.__all__:
        assert name == "__version__" or getattr(hexin, name).__doc__, name
    for cls in (hexin.Model, hexin.Session, hexin.Run):
        for name, member in vars(cls).items():
            if not name.startswith("_") and callable(member):
                assert member.__doc__, f"{cls.__name__}.{name}"


def test_stub_matches_the_extension():
    stub = ast.parse((Path(hexin.__file__).parent / "_core.pyi").read_text())
    assert (Path(hexin.__file__).parent / "py.typed").exists()

    def names(body):
        found = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        return found | {node.target.id for node in body if isinstance(node, ast.AnnAssign)}

    def public(members):
        return {name for name in members if not name.startswith("_")}

    assert public(names(stub.body)) == public(dir(_core))
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            assert names(node.body) == public(vars(getattr(_core, node.name))), node.name


def test_devices():
    devices = {device.id: device for device in hexin.devices()}
    assert devices["cpu"].available and devices["cpu"].image_archs
    assert all(device.available or device.reason for device in devices.values())


def test_onnx_backend_runs_models_and_nodes():
    import hexin.onnx_backend as backend
    import small_models
    from onnx import helper

    assert backend.supports_device("CPU") and not backend.supports_device("TPU")
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = x @ small_models.WEIGHTS + small_models.BIAS
    prepared = backend.prepare(small_models.affine(), device="CPU")
    for inputs in ([x], x, {"x": x}):
        np.testing.assert_allclose(prepared.run(inputs)[0], expected)
    np.testing.assert_allclose(prepared.run([x]).y, expected)
    assert prepared.report.kernels >= 1 and prepared.session.stats.runs == 4
    with pytest.raises(hexin.InvalidArgumentError):
        prepared.run([x, x])
    (sum_,) = backend.run_node(helper.make_node("Add", ["a", "b"], ["c"]), [x, x])
    np.testing.assert_array_equal(sum_, x + x)
