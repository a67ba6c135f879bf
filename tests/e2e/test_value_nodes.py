"""The onnx package's node tests whose values are no tensors of numbers, or that make such values,
on every device. The other node tests are in tests/frontends/onnx."""

import hexin
import numpy as np
import pytest
from devices import DEVICES, TARGETS

onnx = pytest.importorskip("onnx")

NAMES = ("sequence", "_seq", "optional", "_opt", "string", "strnorm", "tfidf", "regex", "image_decoder", "label_encoder")


def _cases():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_node_model_tests

        return {case.name: case for case in load_node_model_tests()
                if any(name in case.name for name in NAMES)
                and not case.name.endswith("seq_length") and "reverse_sequence" not in case.name}


CASES = _cases()


def _value(data):
    if isinstance(data, onnx.TensorProto):
        return onnx.numpy_helper.to_array(data)
    if isinstance(data, onnx.SequenceProto):
        return onnx.numpy_helper.to_list(data)
    if isinstance(data, onnx.OptionalProto):
        return onnx.numpy_helper.to_optional(data)
    return data


def _check(actual, expected, case):
    if expected is None:
        assert actual is None
    elif isinstance(expected, (list, tuple)):
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected):
            _check(a, e, case)
    else:
        actual, expected = np.asarray(actual), np.asarray(expected)
        assert actual.shape == expected.shape
        if expected.dtype.kind in "OUS":
            assert [str(s) for s in actual.ravel()] == [str(s) for s in expected.ravel()]
            return
        assert actual.dtype == expected.dtype
        np.testing.assert_allclose(actual, expected, rtol=case.rtol, atol=case.atol)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nodes")

    def get(name):
        path = folder / f"{name}.hxm"
        if not path.exists():
            hexin.compile(CASES[name].model, str(path), targets=TARGETS)
        return str(path)

    return get


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", sorted(CASES))
def test_node(name, device, artifact):
    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    case = CASES[name]
    session = hexin.Session(artifact(name), device=device)
    for inputs, outputs in case.data_sets:
        ports = case.model.graph.input
        try:
            given = session.run({port.name: _value(value) for port, value in zip(ports, inputs)})
        except hexin.UnavailableError as error:
            pytest.skip(str(error))
        for port, expected in zip(case.model.graph.output, outputs):
            _check(given[port.name], _value(expected), case)
