"""The machine that figures were taken on: what it is, what it can do at most, whether it is quiet."""

import json
import os
import platform
import subprocess
import time
from pathlib import Path

# The features that decide which kernels run.
NOTED_FEATURES = ("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8")

# Of all CPU time, what others may take before nothing is judged.
QUIET = 0.05


def describe() -> dict:
    text = Path("/proc/cpuinfo").read_text()
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    features = fields.get("flags", "").split()
    return {"cpu": fields.get("model name", platform.processor()), "cores": os.cpu_count(),
            "features": [feature for feature in NOTED_FEATURES if feature in features],
            "load": os.getloadavg()[0]}


def peak(build: Path, threads: int, cpus: set[int]) -> dict:
    """{"isa", "gflops", "read_gbs"} of that many threads on those CPUs (peak.cpp)."""
    done = subprocess.run([str(build / "bin" / "hexin-peak"), str(threads)], capture_output=True, text=True, check=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    return json.loads(done.stdout)


def _jiffies() -> tuple[int, int]:
    """(busy, all) of all CPUs since the machine began; what a hypervisor took away counts as busy."""
    fields = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def _own_seconds() -> float:
    """CPU time of this process and of its children, those that run too."""
    times = os.times()
    total = times.user + times.system + times.children_user + times.children_system
    tick = os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    for pid in children.read_text().split() if children.exists() else []:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(stat[11]) + int(stat[12])) / tick
        except (OSError, IndexError):
            pass  # it ended meanwhile, and counts with this process's children
    return total


class Disturbance:
    """How much of the machine others take, from its making on."""

    def __init__(self) -> None:
        self._busy, self._all = _jiffies()
        self._own = _own_seconds()

    def share(self) -> float:
        busy, all_ = _jiffies()
        own = (_own_seconds() - self._own) * os.sysconf("SC_CLK_TCK")
        return max(0.0, busy - self._busy - own) / max(1, all_ - self._all)


def disturbance(seconds: float = 1.0) -> float:
    """The share of the machine's CPU time that others took in the next `seconds`."""
    watched = Disturbance()
    time.sleep(seconds)
    return watched.share()
