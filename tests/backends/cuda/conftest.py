"""Runs a Python text in a process of its own, with the stand-in as its driver.

The text finds `hexin`, `np`, `model` (affine() of tests/python/small_models.py, compiled for
cpu and cuda), `x`, `expected`, `driver` (standin.Standin) and `fails(error, part, call)`.
"""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
OURS = [str(TESTS / "cuda_driver"), str(TESTS / "python")]
sys.path[:0] = [*OURS, str(Path(__file__).resolve().parent)]
import standin  # noqa: E402

PRELUDE = """
import ctypes, gc, os, sys, threading
sys.path[:0] = {paths!r}
import numpy as np
import hexin, small_models, standin
driver = standin.Standin() if {has_driver} else None
model = {model!r}
x = np.arange(12, dtype=np.float32).reshape(4, 3)
expected = x @ small_models.WEIGHTS + small_models.BIAS

def fails(error, part, call):
    try:
        call()
    except error as raised:
        assert part in str(raised), f"{{part!r}} is not in: {{raised}}"
        return str(raised)
    raise AssertionError(f"expected {{error.__name__}} with {{part!r}}")

def session(device="cuda:0"):
    return hexin.Session(model, device=device, cache_dir="none")

def works(device):
    np.testing.assert_allclose(session(device).run({{"x": x}})["y"], expected)

def check_nothing_left():
    gc.collect()
    assert driver.counters().leaks == 0, driver.report()
"""


@pytest.fixture
def needs_cuda(build_dir):
    if not (build_dir / "lib" / "libhexin_backend_cuda.so").exists():
        pytest.skip("this build has no cuda target: -DHEXIN_WITH_CUDA=ON")


@pytest.fixture(scope="session")
def on_standin(build_dir, tmp_path_factory):
    """on_standin(text, has_driver=True, environment={}, SWITCH=value...): the text must end well."""
    if standin.is_real() or not (standin.library_folder(build_dir) / "libcuda.so.1").exists():
        pytest.skip("the stand-in is not built, or HEXIN_REAL_CUDA=1 asks for the machine's driver")
    import hexin
    import small_models

    path = tmp_path_factory.mktemp("cuda") / "affine.hxm"
    hexin.compile(small_models.affine().SerializeToString(), path, targets=["cpu", "cuda"])
    paths = [str(build_dir / "python"), *OURS]

    def run(text, has_driver=True, environment=None, **switches):
        prelude = PRELUDE.format(paths=paths, model=str(path), has_driver=has_driver)
        env = standin.environment(build_dir, **switches) | (environment or {})
        done = subprocess.run([sys.executable, "-c", prelude + text], env=env, capture_output=True, text=True,
                              timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    return run
