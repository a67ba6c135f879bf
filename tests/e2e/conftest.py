"""What tests of whole models share."""

import fetch_models
import inputs
import judge
import onnxruntime
import pytest


@pytest.fixture(scope="session")
def expectation():
    """expectation(name) -> (inputs, judged outputs, error -> its bound), once per model and inputs. `values`: other ones
    than those of models.json."""
    known = {}

    def get(name, values=None):
        key = name, tuple((port, value.shape) for port, value in sorted((values or {}).items()))
        if key not in known:
            model = fetch_models.find_model(name)
            path = fetch_models.fetch(model)
            values = inputs.make_inputs(model) if values is None else values
            cache = fetch_models.default_cache() / "judged"
            judged = judge.judged_outputs(path, values, cache)
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            session = onnxruntime.InferenceSession(str(path), options)
            names = [port.name for port in session.get_outputs()]
            engine_error = judge.error_of(dict(zip(names, session.run(None, values))), judged)
            known[key] = values, judged, lambda error: judge.bound_for(
                error, engine_error, lambda: judge.derived_bound(path, values, judged, cache))
        return known[key]

    return get
