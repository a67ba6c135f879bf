"""The library as other processes see it: found by name, told by the environment, read by ctypes."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import standin  # noqa: E402

PROGRAM = """
import ctypes, sys
sys.path.insert(0, {folder!r})
import standin
driver = standin.Standin()
cuda = driver.library
def check(name, *arguments):
    code = getattr(cuda, name)(*arguments)
    assert code == 0, (name, code, driver.last_error())
count, device, context, memory = ctypes.c_int(), ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
check("cuInit", 0)
check("cuDeviceGetCount", ctypes.byref(count))
check("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
check("cuCtxSetCurrent", context)
check("cuMemAlloc_v2", ctypes.byref(memory), ctypes.c_size_t(1000))
print(count.value, driver.counters().allocations, driver.counters().peakDeviceBytes)
assert "leak: allocation 1 of device 0, 1000 bytes" in driver.report()
if {gives_back}:
    check("cuMemFree_v2", memory)
    check("cuDevicePrimaryCtxRelease_v2", 0)
    assert driver.counters().leaks == 0, driver.report()
"""


@pytest.fixture
def build(build_dir):
    if standin.is_real():
        pytest.skip("tests the stand-in; HEXIN_REAL_CUDA=1 asks for the machine's driver")
    if not (standin.library_folder(build_dir) / "libcuda.so.1").exists():
        pytest.skip("the stand-in is not built")
    return build_dir


def run(build, gives_back=True, **switches):
    program = PROGRAM.format(folder=str(Path(__file__).parent), gives_back=gives_back)
    return subprocess.run([sys.executable, "-c", program], env=standin.environment(build, **switches),
                          capture_output=True, text=True, timeout=60)


def test_found_by_name_with_counters(build):
    done = run(build, DEVICES="sm_80,sm_120")
    assert (done.returncode, done.stdout.split()) == (0, ["2", "1", "1000"]), done.stderr
    assert done.stderr == ""


def test_a_leak_fails_the_process(build):
    done = run(build, gives_back=False, LEAKS="fail")
    assert done.returncode == 86
    assert "leak: allocation 1 of device 0, 1000 bytes" in done.stderr


def test_report_at_exit(build, tmp_path):
    report = tmp_path / "report"
    assert run(build, REPORT=report).returncode == 0
    assert "peak device bytes 1000\n" in report.read_text()


def test_a_switch_with_a_wrong_value_is_reported(build):
    done = run(build, SEED="often")
    assert "HEXIN_STANDIN_SEED=often is not understood" in done.stderr


def test_an_old_driver_has_no_new_functions(build):
    program = ("import ctypes; cuda = ctypes.CDLL('libcuda.so.1');"
               "print([hasattr(cuda, n) for n in ('cuMemAlloc_v2', 'cuMemAllocAsync', 'cuGraphExecUpdate_v2')])")
    done = subprocess.run([sys.executable, "-c", program], env=standin.environment(build, driver="11.0"),
                          capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[True, False, False]", done.stderr
