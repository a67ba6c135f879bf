"""The quick models: every device, from one artifact, within the whole-model bound."""

import fetch_models
import judge
import pytest

CASES = [(model["name"], device) for model in fetch_models.models_of_set("quick") for device in model["devices"]]


@pytest.mark.parametrize("name, device", CASES, ids=[f"{name}-{device}" for name, device in CASES])
def test_model_is_within_its_bound(artifacts, expectation, name, device):
    import hexin

    values, judged, bound_for = expectation(name)
    outputs = hexin.Session(str(artifacts(name)), device=device).run(values)
    error = judge.error_of(outputs, judged)
    assert error <= bound_for(error)
