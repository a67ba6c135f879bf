"""Models of scikit-learn's kind from packages: trees, linear classifiers, labels and maps, beside ONNX Runtime."""

import fetch_models
import inputs as recipes
import numpy as np
import onnxruntime
import pytest
from devices import DEVICES

MODELS = [model["name"] for model in fetch_models.models_of_set("tabular")]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", MODELS)
def test_agrees_with_onnxruntime(name, device, tmp_path):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    model = fetch_models.find_model(name)
    path = str(fetch_models.fetch(model))
    hexin.compile(path, tmp_path / "a.hxm", targets=[device.partition(":")[0]])
    values = recipes.make_inputs(model)
    outputs = hexin.Session(tmp_path / "a.hxm", device=device).run(values)
    engine = onnxruntime.InferenceSession(path)
    for port, expected in zip(engine.get_outputs(), engine.run(None, values)):
        found = outputs[port.name]
        if isinstance(expected, list):  # of maps, one per row
            assert [row.keys() for row in found] == [row.keys() for row in expected]
            found, expected = ([[row[key] for key in row] for row in rows] for rows in (found, expected))
        # Sums of at most a hundred terms of size 1, in f32.
        np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=2e-5, atol=1e-5, err_msg=port.name)
