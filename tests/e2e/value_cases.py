"""What tests of values that are no tensors share: models as text, beside ONNX Runtime."""

import hexin
import numpy as np
import onnx
import onnxruntime
import pytest
from devices import DEVICES, TARGETS


def array(*shape, seed=7):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def text(*strings):
    return np.array(strings, object)


def assert_same(actual, expected, where):
    if expected is None:
        assert actual is None, where
    elif isinstance(expected, dict):
        assert list(actual) == list(expected), where
        for key in expected:
            assert_same(actual[key], expected[key], f"{where}[{key!r}]")
    elif isinstance(expected, (list, tuple)):
        assert isinstance(actual, list) and len(actual) == len(expected), where
        for i, (a, e) in enumerate(zip(actual, expected)):
            assert_same(a, e, f"{where}[{i}]")
    else:
        actual, expected = np.asarray(actual), np.asarray(expected)
        assert actual.shape == expected.shape, where
        if expected.dtype.kind in "OU":
            assert [str(s) for s in actual.ravel()] == [str(s) for s in expected.ravel()], where
        else:
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6, err_msg=where)


def parsed(source, opset=18):
    imports = f'opset_import: ["": {opset}, "ai.onnx.ml": 2]'
    return onnx.parser.parse_model(f"<ir_version: 8, {imports}> model {source}")


class Values:
    """Sessions of models that are written as text, made once per text."""

    def __init__(self, folder):
        self.folder, self.known, self.references = folder, {}, {}

    def compiled(self, source, opset=18):
        """Sessions by device."""
        if source not in self.known:
            artifact = str(self.folder / f"{len(self.known)}.hxm")
            hexin.compile(parsed(source, opset), artifact, targets=TARGETS, verify_each=True)
            found = {device.id for device in hexin.devices() if device.available}
            self.known[source] = {name: hexin.Session(artifact, device=name) for name in DEVICES if name in found}
        return self.known[source]

    def model(self, source, opset=18):
        """Sessions by device, and ONNX Runtime's."""
        if source not in self.references:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            self.references[source] = onnxruntime.InferenceSession(parsed(source, opset).SerializeToString(), options)
        return self.compiled(source, opset), self.references[source]

    def check(self, device, source, opset=18, **inputs):
        """The outputs, which are those of ONNX Runtime."""
        sessions, reference = self.model(source, opset)
        if device not in sessions:
            pytest.skip(f"there is no {device} here")
        outputs = sessions[device].run(inputs)
        for port, expected in zip(reference.get_outputs(), reference.run(None, inputs)):
            assert_same(outputs[port.name], expected, port.name)
        return outputs
