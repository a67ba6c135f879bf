"""The archive for machines with a GPU: packed, unpacked elsewhere, run there on the stand-in's driver with nothing else set."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import standin

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def bundle(build_dir, tmp_path_factory):
    if not (standin.library_folder(build_dir) / "libcuda.so.1").exists():
        pytest.skip("the stand-in is not built")
    folder = tmp_path_factory.mktemp("bundle")
    subprocess.run([sys.executable, HERE / "bundle" / "pack.py", "--build", build_dir, "--output", folder / "packed" / "a.tar.gz",
                    "--model", "silero-vad-op18-ifless"], check=True, capture_output=True, text=True)
    subprocess.run(["tar", "xzf", folder / "packed" / "a.tar.gz"], cwd=folder, check=True)
    return folder / "hexin-cuda"


def run(bundle, folder, build_dir, *arguments, **environment):
    """The driver is found by its name, as on a machine with a GPU."""
    env = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(standin.library_folder(build_dir)), **environment}
    return subprocess.run([bundle / "run.sh", *arguments], cwd=folder, env=env, capture_output=True, text=True)


def test_all_passes(bundle, build_dir, tmp_path):
    done = run(bundle, tmp_path, build_dir, "--runs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert [row["stage"] for row in rows] == ["test"] * 2 + ["model"] * 3 + ["bench"]
    assert all(row["passed"] for row in rows) and rows[-1]["median_ms"] > 0


@pytest.mark.parametrize("gpu", ["sm_80", "sm_90", "sm_120,sm_120"])
def test_of_the_programs_nothing_needs_the_standin(bundle, build_dir, tmp_path, gpu):
    """One GPU or two, newer than the oldest: all that a real driver can do passes."""
    done = run(bundle, tmp_path, build_dir, "--no-bench", "--only", "test", HEXIN_REAL_CUDA="1", HEXIN_STANDIN_DEVICES=gpu)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {row["name"]: row["said"] for row in json.loads((tmp_path / "results.json").read_text())["rows"]}
    said = rows["hexin_cuda_device_test_seed0"]
    passed, skipped = (int(number) for number in re.findall(r"(\d+) test", said))
    assert passed > 25 and passed > 2 * skipped, said


def test_wrong_numbers_fail(bundle, build_dir, tmp_path):
    done = run(bundle, tmp_path, build_dir, "--no-bench", "--only", "schedules", HEXIN_STANDIN_SABOTAGE="fma")
    assert done.returncode == 1 and "1 of 1 failed: schedules" in done.stdout, done.stdout


def test_no_driver_is_said(bundle, build_dir, tmp_path):
    done = run(bundle, tmp_path, build_dir, HEXIN_CUDA_LIBRARY="libno-such-driver.so")
    assert done.returncode == 3 and "libno-such-driver.so" in done.stderr, done.stderr
