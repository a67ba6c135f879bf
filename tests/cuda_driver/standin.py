"""How Python tests reach a CUDA driver: the stand-in, or with HEXIN_REAL_CUDA=1 the machine's own.

    env = standin.environment(build, SEED=3, DEVICES="sm_80,sm_90")
    subprocess.run([...], env=env)

In a process that was started so, `Standin()` has the counters and the switches.
"""

import ctypes
import os
import shutil
import sysconfig
from pathlib import Path


def is_real() -> bool:
    return os.environ.get("HEXIN_REAL_CUDA", "0") == "1"


def library_folder(build: str | Path, driver: str = "") -> Path:
    """The folder for LD_LIBRARY_PATH; `driver` "11.0": with the functions of that one only."""
    return Path(build).resolve() / "lib" / ("cuda_driver" + (f"_{driver}" if driver else ""))


def environment(build: str | Path, driver: str = "", **switches: object) -> dict[str, str]:
    """This process's environment with the stand-in first in the library path, and its switches."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HEXIN_STANDIN_")}
    if is_real():
        return env
    env.pop("HEXIN_CUDA_LIBRARY", None)  # comes before the path, and `use` sets it
    paths = [str(library_folder(build, driver)), env.get("LD_LIBRARY_PATH", "")]
    env["LD_LIBRARY_PATH"] = ":".join(path for path in paths if path)
    if driver:
        env["HEXIN_STANDIN_DRIVER"] = driver
    env.update({f"HEXIN_STANDIN_{name}": str(value) for name, value in switches.items()})
    return env


def use(build: str | Path) -> None:
    """This process and those that it starts have the stand-in, unless they ask for another driver or a real one: with
    everything queued until somebody waits, and in the order of a seed. What a test leaves open at the end is no leak.
    Before the backend is loaded."""
    library = library_folder(build) / "libcuda.so.1"
    if is_real() or not library.exists():
        return
    os.environ.setdefault("HEXIN_CUDA_LIBRARY", str(library))
    for name, value in {"SCHEDULE": "late", "SEED": "3", "LEAKS": "ignore", "PTXAS": find_ptxas()}.items():
        if value:
            os.environ.setdefault(f"HEXIN_STANDIN_{name}", value)


def find_ptxas() -> str:
    """The assembler: HEXIN_PTXAS, one on PATH, or that of pip's nvidia-cuda-nvcc; "" where there is none."""
    packages = Path(sysconfig.get_path("purelib"))
    return (os.environ.get("HEXIN_PTXAS") or shutil.which("ptxas") or
            next((str(each) for each in packages.glob("nvidia/*/bin/ptxas")), ""))


class Counters(ctypes.Structure):
    """StandinCounters of Standin.h."""

    _fields_ = [("structSize", ctypes.c_uint32), ("leaks", ctypes.c_uint32)] + [
        (name, ctypes.c_uint64) for name in (
            "launches", "warpInstructions", "threadInstructions", "globalSectors", "idealGlobalSectors",
            "sharedWavefronts", "idealSharedWavefronts", "fma", "mma", "graphLaunches", "synchronisations",
            "allocations", "hostToDeviceBytes", "deviceToHostBytes", "deviceToDeviceBytes", "peakDeviceBytes",
            "faults", "peerAccesses")]


class Standin:
    """The stand-in that this process has loaded, or loads: that of `use`, else found by name."""

    def __init__(self, library: str = ""):
        library = library or os.environ.get("HEXIN_CUDA_LIBRARY") or "libcuda.so.1"
        self.library = ctypes.CDLL(library)
        if not hasattr(self.library, "standinReport"):
            raise RuntimeError(f"{library} is a real driver, the stand-in was expected")
        self.library.standinReport.restype = ctypes.c_size_t
        self.library.standinLastError.restype = ctypes.c_size_t

    def _text(self, function) -> str:
        size = function(None, ctypes.c_size_t(0)) + 1
        buffer = ctypes.create_string_buffer(size)
        function(buffer, ctypes.c_size_t(size))
        return buffer.value.decode()

    def report(self) -> str:
        return self._text(self.library.standinReport)

    def last_error(self) -> str:
        return self._text(self.library.standinLastError)

    def counters(self) -> Counters:
        counters = Counters(structSize=ctypes.sizeof(Counters))
        self.library.standinCounters(ctypes.byref(counters))
        return counters

    def set(self, name: str, value: object = None) -> None:
        text = None if value is None else str(value).encode()
        if not self.library.standinSet(name.encode(), text):
            raise ValueError(f"the stand-in has no switch {name}, or it does not take {value!r}")

    def reset(self) -> None:
        self.library.standinReset()
