"""The quick models: every device, from one artifact, within the whole-model bound."""

import fetch_models
import inputs
import judge
import onnxruntime
import pytest

CASES = [(model["name"], device) for model in fetch_models.models_of_set("quick") for device in model["devices"]]


@pytest.fixture(scope="module")
def expectation():
    """expectation(name) -> (inputs, judged outputs, bound), once per model."""
    known = {}

    def get(name):
        if name not in known:
            model = fetch_models.find_model(name)
            path, values = fetch_models.fetch(model), inputs.make_inputs(model)
            judged = judge.judged_outputs(path, values, fetch_models.default_cache() / "judged")
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            session = onnxruntime.InferenceSession(str(path), options)
            names = [port.name for port in session.get_outputs()]
            engine_error = judge.error_of(dict(zip(names, session.run(None, values))), judged)
            known[name] = values, judged, judge.bound_of(engine_error)
        return known[name]

    return get


@pytest.mark.parametrize("name, device", CASES, ids=[f"{name}-{device}" for name, device in CASES])
def test_model_is_within_its_bound(artifacts, expectation, name, device):
    import hexin

    values, judged, bound = expectation(name)
    outputs = hexin.Session(str(artifacts(name)), device=device).run(values)
    assert judge.error_of(outputs, judged) <= bound


def test_judge_sees_what_is_wrong():
    """The measure of error itself."""
    import numpy

    good = {"a": numpy.array([1.0, -2.0, numpy.inf], numpy.float32), "b": numpy.array([1, 2])}
    assert judge.error_of(good, good) == 0.0
    assert judge.error_of({**good, "a": numpy.array([1.0, -2.1, numpy.inf])}, good) == pytest.approx(0.05)
    for wrong in ({"b": good["b"]}, {**good, "a": good["a"][:2]}, {**good, "b": numpy.array([1, 3])},
                  {**good, "a": numpy.array([numpy.nan, -2.0, numpy.inf])},
                  {**good, "a": numpy.array([1.0, -2.0, 3.0])}):
        assert judge.error_of(wrong, good) == float("inf")
