"""What the library says of its work, and where it goes."""

import os
import subprocess
import sys

import hexin
import numpy as np
import pytest
import small_models


@pytest.fixture
def messages():
    """What is said during the test, as (level, message)."""
    said, before = [], hexin.log_level()
    hexin.set_log_sink(lambda level, message: said.append((level, message)))
    yield said
    hexin.set_log_sink(None)
    hexin.set_log_level(before)


def run_all(folder, device="cpu"):
    hexin.compile(small_models.affine(), folder / "a.hxm", targets=["cpu", "opencl"])
    session = hexin.Session(folder / "a.hxm", device=device, cache_dir="none")
    for rows in (2, 2, 3):
        session.run({"x": np.zeros((rows, 3), np.float32)})


def test_nothing_is_said_in_ordinary_work(tmp_path, messages):
    hexin.set_log_level("warning")
    run_all(tmp_path)
    assert not messages


def test_info_tells_what_was_opened_and_compiled(tmp_path, messages, device):
    hexin.set_log_level("info")
    run_all(tmp_path, device)
    assert {level for level, _ in messages} == {"info"}
    text = "\n".join(message for _, message in messages)
    path = str(tmp_path / "a.hxm")
    for part in (f"wrote '{path}'", f"opened '{path}' with programs for cpu, opencl", f"loaded '{path}' on '{device}'"):
        assert part in text, text
    built = f"built the code of '{path}' on '{device}' from source"
    assert (built in text) == (device != "cpu"), text
    assert " ms" in text


def test_debug_tells_of_phases_and_plans(tmp_path, messages):
    hexin.set_log_level("debug")
    run_all(tmp_path)
    debug = [message for level, message in messages if level == "debug"]
    assert any(message.startswith("compile: optimize, ") for message in debug), debug
    plans = [message for message in debug if message.startswith("planned ")]
    # One per new size; a run on a plan that is there says nothing.
    assert len(plans) == 2 and "x [2, 3]" in plans[0] and "x [3, 3]" in plans[1], plans


def test_a_level_that_does_not_exist():
    with pytest.raises(hexin.InvalidArgumentError, match="loud.*debug"):
        hexin.set_log_level("loud")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_failing_sink_does_no_harm(tmp_path, messages):
    def fail(level, message):
        raise RuntimeError("no")

    hexin.set_log_level("debug")
    hexin.set_log_sink(fail)
    run_all(tmp_path)


def test_the_environment_sets_the_level():
    def said(level):
        code = "import hexin; hexin.devices()"
        env = {**os.environ, "HEXIN_LOG_LEVEL": level, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stderr

    assert "hexin: info: loaded '" in said("info") and "libhexin_backend_cpu" in said("info")
    assert said("error") == ""
    assert "HEXIN_LOG_LEVEL is 'loud'" in said("loud")
