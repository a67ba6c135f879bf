"""A speech model, quantised, whose output's length hangs on what it rounds.

How long each token is said is predicted, rounded to whole frames and decides all sizes
behind. Two right engines may round one of them differently, and the waveform's phase is
the sine of a long sum: samples cannot be compared. So it is cut there: what is rounded,
and pitch and energy at given durations, are compared as numbers; of the whole, the
length, that it is a sound, and the memory it takes.
"""

import os
import subprocess
import sys
import textwrap

import fetch_models
import inputs
import judge
import numpy
import onnx
import onnxruntime
import pytest
from devices import DEVICES

pytestmark = pytest.mark.slow

NAME = "kokoro-82m-int8"
DURATIONS = "/encoder/Div_output_0"  # frames per token, before they are rounded
ROUNDED = "/encoder/Round_output_0"
PITCH, ENERGY = "/encoder/Reshape_output_0", "/encoder/Reshape_1_output_0"
SAMPLES_PER_FRAME = 600


def cut(path, outputs, given=()):
    """The part of the model at `path` that makes `outputs`, with the values `given` as inputs."""
    model = onnx.load(str(path))
    graph = model.graph
    value = onnx.helper.make_tensor_value_info
    needed, kept = set(outputs), []
    for node in reversed(graph.node):
        if needed.intersection(node.output) and not set(given).intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    for field in (graph.initializer, graph.input):
        left = [entry for entry in field if entry.name in needed]
        del field[:]
        field.extend(left)
    graph.input.extend(value(name, onnx.TensorProto.FLOAT, [1, "sequence_length"]) for name in given)
    del graph.output[:]
    graph.output.extend(value(name, onnx.TensorProto.FLOAT, None) for name in outputs)
    return model


def run_onnxruntime(path, values):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options)
    names = {port.name for port in session.get_inputs()}
    results = session.run(None, {name: value for name, value in values.items() if name in names})
    return dict(zip([port.name for port in session.get_outputs()], results))


@pytest.fixture(scope="module")
def source():
    return fetch_models.fetch(fetch_models.find_model(NAME))


@pytest.fixture(scope="module")
def values():
    return inputs.make_inputs(fetch_models.find_model(NAME))


def check_part(source, folder, values, outputs, given=(), device="cpu"):
    """Runs a part, which must keep to its bound. Gives our outputs and ONNX Runtime's."""
    import hexin

    path = folder / "part.onnx"
    onnx.save(cut(source, outputs, given), str(path))
    hexin.compile(str(path), str(folder / "part.hxm"), targets=[device.partition(":")[0]])
    session = hexin.Session(str(folder / "part.hxm"), device=device)
    values = {port.name: values[port.name] for port in session.inputs}
    ours, theirs = session.run(values), run_onnxruntime(path, values)
    cache = fetch_models.default_cache() / "judged"
    judged = judge.judged_outputs(path, values, cache)
    error = judge.error_of(ours, judged)
    assert error <= judge.bound_for(error, judge.error_of(theirs, judged),
                                    lambda: judge.derived_bound(path, values, judged, cache))
    return ours, theirs


@pytest.fixture(scope="module")
def durations(source, values, tmp_path_factory):
    """(ours, ONNX Runtime's), before they are rounded."""
    ours, theirs = check_part(source, tmp_path_factory.mktemp("durations"), values, [DURATIONS])
    return ours[DURATIONS], theirs[DURATIONS]


def frames(durations):
    return int(numpy.maximum(numpy.round(durations), 1).sum())


def test_durations(durations):
    ours, theirs = durations
    assert ours.shape == theirs.shape == (1, 10)
    assert abs(frames(ours) - frames(theirs)) <= 1


def test_pitch_and_energy_at_given_durations(source, values, tmp_path):
    given = numpy.array([[3, 1, 2, 1, 2, 4, 1, 3, 2, 1]], numpy.float32)
    ours, theirs = check_part(source, tmp_path, {**values, ROUNDED: given}, [PITCH, ENERGY], given=[ROUNDED])
    for name in (PITCH, ENERGY):
        assert ours[name].shape == theirs[name].shape
        assert ours[name].size == 2 * given.sum()


@pytest.mark.skipif("cuda:0" not in DEVICES, reason="this build has no cuda backend")
def test_parts_on_cuda(source, values, tmp_path):
    """What comes before the vocoder, which is too much for the driver's stand-in."""
    check_part(source, tmp_path, values, [DURATIONS], device="cuda:0")
    given = numpy.array([[3, 1, 2, 1, 2, 4, 1, 3, 2, 1]], numpy.float32)
    check_part(source, tmp_path, {**values, ROUNDED: given}, [PITCH, ENERGY], given=[ROUNDED], device="cuda:0")


def test_the_whole(source, values, durations, tmp_path):
    """In a process of its own, whose memory is measured: compiled there, then run."""
    script = textwrap.dedent(r"""
        import re
        import sys
        import numpy
        import hexin

        def peak():  # getrusage would count what the parent had when it forked
            return int(re.search(r"VmHWM:\s*(\d+) kB", open("/proc/self/status").read())[1]) * 1024

        source, artifact, values, audio = sys.argv[2:]
        if sys.argv[1] == "compile":
            before = peak()  # the interpreter's own
            hexin.compile(source, artifact, targets=["cpu"])
            print(peak() - before)
        else:
            session = hexin.Session(artifact)
            outputs = session.run(dict(numpy.load(values)))
            numpy.save(audio, outputs["audio"])
            print(peak(), session.stats.arena_bytes)
    """)
    paths = [str(source), *(str(tmp_path / name) for name in ("whole.hxm", "values.npz", "audio.npy"))]
    numpy.savez(paths[2], **values)

    def run(what):
        done = subprocess.run([sys.executable, "-c", script, what, *paths], capture_output=True, text=True,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        assert done.returncode == 0, done.stderr
        return [int(word) for word in done.stdout.split()]

    (compile_peak,) = run("compile")
    assert compile_peak <= 1.3 * os.path.getsize(source) + 300e6
    run_peak, arena = run("run")
    # The mapped file, the temporaries, and what libraries and the interpreter take.
    assert run_peak <= os.path.getsize(paths[1]) + arena + 250e6
    audio = numpy.load(paths[3])
    assert audio.shape == (SAMPLES_PER_FRAME * frames(durations[0]),)
    theirs = run_onnxruntime(source, values)["audio"]
    assert abs(audio.size - theirs.size) <= SAMPLES_PER_FRAME
    assert numpy.isfinite(audio).all()
    # As loud: the spread of the samples hardly hangs on their phase.
    assert 0.5 < audio.std() / theirs.std() < 2
