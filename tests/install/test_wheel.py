"""The wheel: builds, installs into a fresh environment, imports, has its command.

Built without the compiler, which is the same but for one library and most of the
time. HEXIN_TEST_WHEEL=1 asks for it: it compiles the runtime once more.
"""

import os
import subprocess
import sys
import venv

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not os.environ.get("HEXIN_TEST_WHEEL"), reason="HEXIN_TEST_WHEEL is not set")]


def call(*command) -> str:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=env)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_wheel(root, tmp_path):
    call(sys.executable, "-m", "pip", "wheel", root, "--no-deps", "-w", tmp_path / "wheels",
         "-C", f"build-dir={tmp_path / 'build'}", "-C", "cmake.define.HEXIN_BUILD_COMPILER=OFF")
    (wheel,) = (tmp_path / "wheels").glob("hexin-*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    call(python, "-m", "pip", "install", wheel)
    assert "cpu" in call(tmp_path / "venv" / "bin" / "hexin", "devices")
    out = call(python, "-c", "import hexin; print([d.id for d in hexin.devices() if d.available])\n"
                             "try: hexin.compile(b'', 'a.hxm')\n"
                             "except hexin.UnavailableError as error: print('unavailable')")
    assert "cpu" in out and "unavailable" in out
