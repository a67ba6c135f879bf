"""What tests of whole models share."""

import fetch_models
import inputs
import judge
import onnxruntime
import pytest


@pytest.fixture(scope="session")
def expectation():
    """expectation(name) -> (inputs, judged outputs, error -> its bound), once per model."""
    known = {}

    def get(name):
        if name not in known:
            model = fetch_models.find_model(name)
            path, values = fetch_models.fetch(model), inputs.make_inputs(model)
            cache = fetch_models.default_cache() / "judged"
            judged = judge.judged_outputs(path, values, cache)
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            session = onnxruntime.InferenceSession(str(path), options)
            names = [port.name for port in session.get_outputs()]
            engine_error = judge.error_of(dict(zip(names, session.run(None, values))), judged)
            known[name] = values, judged, lambda error: judge.bound_for(
                error, engine_error, lambda: judge.derived_bound(path, values, judged, cache))
        return known[name]

    return get
