"""Contracts that show when a model runs."""

import os
import subprocess
import sys
import textwrap

import numpy
import pytest

DEVICES = ["cpu", "opencl:0"]
SMALL = "ppocr-v2-cls"
DYNAMIC = "ppocr-v4-det"  # picture sizes are symbols


def inputs_of(name, shapes=None):
    import fetch_models
    import inputs

    return inputs.make_inputs(fetch_models.find_model(name), shapes)


def compile_with(hexin_tool, path, *arguments):
    import fetch_models

    return subprocess.run([str(hexin_tool), "compile", str(fetch_models.fetch(SMALL)), "-o", str(path), *arguments],
                          capture_output=True, text=True)


def run_once(path, device, values, threads=0):
    import hexin

    return hexin.Session(str(path), device=device, threads=threads).run(values)


@pytest.mark.parametrize("device", DEVICES)
def test_contract_02_sizes_are_symbols(artifacts, device):
    """One artifact runs at sizes it was not compiled for; outputs have the sizes they must."""
    import hexin

    session = hexin.Session(str(artifacts(DYNAMIC)), device=device)
    for height, width in ((64, 96), (96, 64), (32, 160)):
        (output,) = session.run(inputs_of(DYNAMIC, {"x": [1, 3, height, width]})).values()
        assert numpy.shape(output) == (1, 1, height, width)


def test_contract_02_wrong_sizes_are_typed_errors(artifacts):
    """Rank and fixed sizes are checked with the input's name in the message."""
    import hexin

    session = hexin.Session(str(artifacts(DYNAMIC)), device="cpu")
    for shape in ([1, 3, 64], [1, 4, 64, 64]):
        with pytest.raises(Exception, match="x") as caught:
            session.run({"x": numpy.zeros(shape, numpy.float32)})
        assert type(caught.value).__module__.startswith("hexin") or isinstance(caught.value, ValueError)


def test_contract_03_explain_counts_transfers(hexin_tool, tmp_path):
    """Transfers and syncs per run are reported, not hidden."""
    done = compile_with(hexin_tool, tmp_path / "a.hxm", "--targets=opencl", "--explain")
    assert done.returncode == 0, done.stderr
    assert "transfer" in done.stdout and "sync" in done.stdout


def test_contract_04_no_silent_fallback(hexin_tool, tmp_path):
    """An op that the target cannot take is an error with node, reason and remedy."""
    done = compile_with(hexin_tool, tmp_path / "a.hxm", "--targets=opencl", "--disable=hx.conv")
    assert done.returncode != 0
    assert not (tmp_path / "a.hxm").exists()
    assert "conv" in done.stderr.lower() and "--allow-fallback" in done.stderr


@pytest.mark.parametrize("device", DEVICES)
def test_contract_05_runs_do_not_grow(artifacts, device):
    """A warm run allocates nothing that stays, at one size or going through many."""
    script = textwrap.dedent("""
        import sys
        import numpy
        import hexin

        def resident():
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

        session = hexin.Session(sys.argv[1], device=sys.argv[2])
        shapes = [(32 * (1 + i % 3), 32 * (1 + i % 4)) for i in range(12)]
        def go():
            for shape in shapes:
                session.run({"x": numpy.zeros((1, 3, *shape), numpy.float32)})
        go()
        go()
        before = resident()
        for _ in range(10):
            go()
        print(resident() - before)
    """)
    done = subprocess.run([sys.executable, "-c", script, str(artifacts(DYNAMIC)), device],
                          capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 8 * 1024, "KiB that 120 warm runs added"


@pytest.mark.parametrize("device", DEVICES)
def test_contract_05_commands_are_shared(artifacts, device):
    """Plans of a session, and sessions of a model, find launches that others prepared, wherever values lie."""
    import hexin

    model = hexin.Model(str(artifacts(DYNAMIC)))
    shapes = [(64, 96), (96, 160), (32, 32)]

    def go(session, order):
        """Per size: the output, and commands prepared and found."""
        found = {}
        for shape in order:
            before = session.stats
            (output,) = session.run(inputs_of(DYNAMIC, {"x": [1, 3, *shape]})).values()
            after = session.stats
            found[shape] = (output, after.commands_prepared - before.commands_prepared,
                            after.commands_reused - before.commands_reused)
        return found

    first, second = hexin.Session(model, device=device), hexin.Session(model, device=device)
    made, again = go(first, shapes), go(second, reversed(shapes))
    total = sum(made[shapes[0]][1:])
    assert made[shapes[0]][1] > 0.9 * total
    for shape in shapes[1:]:  # what does not hang on the picture's size
        assert made[shape][2] > 0 and made[shape][1] + made[shape][2] == total
    for shape in shapes:
        assert again[shape][1:] == (0, total), "another session prepares nothing"
        numpy.testing.assert_array_equal(again[shape][0], made[shape][0])
    assert second.stats.arena_bytes == first.stats.arena_bytes


@pytest.mark.parametrize("device", DEVICES)
def test_contract_06_state_outlives_runs(device, tmp_path):
    """An output tied to an input carries over; the same as passing it by hand."""
    import fetch_models
    import hexin

    source = str(fetch_models.fetch("silero-vad"))
    target = device.split(":")[0]
    tied, plain = str(tmp_path / "tied.hxm"), str(tmp_path / "plain.hxm")
    hexin.compile(source, tied, targets=[target], states={"state": "stateN"})
    hexin.compile(source, plain, targets=[target])
    streaming, explicit = hexin.Session(tied, device=device), hexin.Session(plain, device=device)

    values = inputs_of("silero-vad")
    state = values.pop("state")
    rng = numpy.random.default_rng(1)
    for _ in range(4):
        values["input"] = rng.uniform(-0.5, 0.5, values["input"].shape).astype(numpy.float32)
        streamed = streaming.run(values)
        by_hand = explicit.run({**values, "state": state})
        state = by_hand["stateN"]
        numpy.testing.assert_array_equal(streamed["output"], by_hand["output"])


def test_contract_10_threads_are_bounded(artifacts):
    """N sessions x M callers: at most cores + N threads more; the caller's mask is left alone."""
    script = textwrap.dedent("""
        import os
        import sys
        import threading
        import time
        import numpy
        import hexin

        sessions, callers = 3, 4
        values = {"x": numpy.zeros((1, 3, 64, 64), numpy.float32)}
        mask = os.sched_getaffinity(0)
        opened = [hexin.Session(sys.argv[1], device="cpu") for _ in range(sessions)]
        before = len(os.listdir("/proc/self/task"))  # the interpreter's own, and numpy's
        most, stop = 0, threading.Event()

        def call(session):
            for _ in range(10):
                session.run(values)

        threads = [threading.Thread(target=call, args=(session,)) for session in opened for _ in range(callers)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            alive = sum(thread.is_alive() for thread in threads)
            most = max(most, len(os.listdir("/proc/self/task")) - alive)
            time.sleep(0.001)
        assert os.sched_getaffinity(0) == mask, "the caller's threads were pinned"
        print(most - before, os.cpu_count() + sessions)
    """)
    done = subprocess.run([sys.executable, "-c", script, str(artifacts(DYNAMIC))],
                          capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 0, done.stderr
    added, allowed = map(int, done.stdout.split())
    assert added <= allowed


def test_contract_11_retarget_needs_no_source(hexin_tool, artifacts, tmp_path):
    """A cpu-only artifact, moved to OpenCL, gives the numbers of one compiled for both."""
    cpu_only, moved = tmp_path / "cpu.hxm", tmp_path / "moved.hxm"
    assert compile_with(hexin_tool, cpu_only, "--targets=cpu").returncode == 0
    done = subprocess.run([str(hexin_tool), "retarget", str(cpu_only), "-o", str(moved), "--targets=opencl"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    values = inputs_of(SMALL)
    expected = run_once(artifacts(SMALL), "opencl:0", values)
    found = run_once(moved, "opencl:0", values)
    for name, value in expected.items():
        numpy.testing.assert_array_equal(found[name], value)


def test_contract_12_threads_do_not_change_numbers(hexin_tool, tmp_path):
    """Our reductions split by shape, never by the number of threads."""
    path = tmp_path / "own.hxm"
    done = compile_with(hexin_tool, path, "--targets=cpu", "--disable=onednn")
    assert done.returncode == 0, done.stderr
    values = inputs_of(SMALL)
    one, two = (run_once(path, "cpu", values, threads) for threads in (1, 2))
    for name, value in one.items():
        numpy.testing.assert_array_equal(two[name], value)
