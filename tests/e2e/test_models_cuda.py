"""Every open model on cuda:0, from the artifact that cpu and opencl:0 run, within the whole-model bound.

The stand-in executes every instruction of every thread, so models whose sizes a run may choose get small ones: a few
tokens, half a second of sound, small pictures. The others run as they are; of kokoro-82m-int8 two parts
(test_kokoro.py).

Every test run takes them all: under three minutes of one core, of which light-vgg19 takes 40 s and kokoro-82m-int8 20.
"""

import json

import fetch_models
import inputs
import judge
import numpy as np
import pytest
import standin
from devices import DEVICES, TARGETS

SOUND = {"waveforms": [1, 8000]}
#: name -> the sizes of its inputs that are not those of models.json.
SIZES = {
    "ppocr-v4-det": {"x": [1, 3, 64, 96]},
    "ppocr-v4-rec": {"x": [1, 3, 48, 64]},
    "ppocr-v2-cls": {"x": [1, 3, 48, 64]},
    "minilm-l3-fp32": {"input_ids": [1, 9], "attention_mask": [1, 9]},
    "minilm-l6-int8": {"input_ids": [1, 9], "attention_mask": [1, 9], "token_type_ids": [1, 9]},
    "asr-pre-whisper80": SOUND,
    "asr-pre-whisper80-conv": SOUND,
    "asr-pre-wespeaker": SOUND,
}
NAMES = {model["name"] for model in fetch_models.load_list() if "tabular" not in model["sets"]}  # test_tabular.py has those
NAMES -= {"kokoro-82m-int8"}  # test_kokoro.py has its parts

pytestmark = pytest.mark.skipif("cuda:0" not in DEVICES, reason="this build has no cuda backend")


def values_of(name):
    values = inputs.make_inputs(fetch_models.find_model(name), SIZES.get(name))
    if "waveforms" in values:
        values["waveforms_lens"][:] = values["waveforms"].shape[1]
    return values


@pytest.mark.parametrize("name", sorted(NAMES))
def test_model_is_within_its_bound(expectation, name, tmp_path):
    import hexin

    fetch_models.fetch(name)
    values, judged, bound_for = expectation(name, values_of(name))
    path = tmp_path / "model.hxm"
    hexin.compile(str(fetch_models.fetch(name)), str(path), targets=TARGETS, cpu_archs=["x86-64-v3"])
    session = hexin.Session(str(path), device="cuda:0", profile=True)
    error = judge.error_of(session.run(values), judged)
    assert error <= bound_for(error)
    # Kernels of the device made the numbers: see also tests/cuda_driver/test_sabotage.py.
    engines = [event["args"]["engine"] for event in json.loads(session.trace())["traceEvents"]
               if "engine" in event.get("args", {})]
    assert engines.count("kernel") > 0


#: Of every kind one that is over soon: of recurrent nets with control flow, transformers, convolutional nets, sound.
REPLAYED = ["silero-vad-op18-ifless", "minilm-l3-fp32", "ppocr-v2-cls", "asr-pre-whisper80-conv", "magika-v3_3"]


@pytest.mark.parametrize("name", REPLAYED)
def test_replayed_graphs_give_the_same_numbers(name, tmp_path):
    """A plan's submissions are launched, then captured, then replayed: other inputs in between, the first ones again."""
    import hexin

    path = tmp_path / "model.hxm"
    hexin.compile(str(fetch_models.fetch(name)), str(path), targets=["cuda"])
    session = hexin.Session(str(path), device="cuda:0")
    before = None if standin.is_real() else standin.Standin().counters().graphLaunches
    values = values_of(name)
    others = {port: np.flip(value, -1).copy() if value.ndim else value for port, value in values.items()}
    launched, other = session.run(values), session.run(others)
    for again in range(2):
        for expected, given in ((launched, values), (other, others)):
            for port, value in session.run(given).items():
                np.testing.assert_array_equal(value, expected[port], err_msg=f"{port}, replay {again}")
    if before is not None:
        assert standin.Standin().counters().graphLaunches > before
