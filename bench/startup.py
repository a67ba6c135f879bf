"""From the start of a process to its first result, and what memory that took.

The page cache is warm (each start is made once before), an engine's own caches are
empty: HEXIN_CACHE_DIR is a new folder for each start, the others have none. Ours starts
once more with what that start left in its folder.
"""

import contextlib
import dataclasses
import os
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from processes import SAMPLE_MS, Setup, Worker, command_of, cores

POLL_SECONDS = 0.002


class _AnonymousPeak(threading.Thread):
    """The largest RssAnon that a process was seen with."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status, self.kib, self._done = Path(f"/proc/{pid}/status"), 0, threading.Event()

    def run(self) -> None:
        while not self._done.wait(POLL_SECONDS):
            with contextlib.suppress(OSError, IndexError, StopIteration):
                line = next(line for line in self._status.read_text().splitlines() if line.startswith("RssAnon"))
                self.kib = max(self.kib, int(line.split()[1]))

    def stop(self) -> int:
        self._done.set()
        self.join()
        return self.kib


def one_start(setup: Setup, cache: Path) -> dict:
    """{"total_ms", "open_ms", "first_run_ms", "anonymous_mib"} up to the first result, "over_warm_ms" by which
    the first run takes longer than later ones, and ours: "second_mib" of another session before its first run."""
    pinned = cores(setup.threads)
    environment = {**os.environ, **setup.environment, "HEXIN_CACHE_DIR": str(cache)}
    begin = time.perf_counter()
    process = subprocess.Popen(command_of(setup), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, env=environment,
                               preexec_fn=lambda: os.sched_setaffinity(0, pinned))
    peak = _AnonymousPeak(process.pid)
    peak.start()
    try:
        answer = Worker.parse(process.stdout.readline(), setup.engine, process)
        total_ms = 1e3 * (time.perf_counter() - begin)
        result = {"total_ms": total_ms, "open_ms": answer["open_ms"], "first_run_ms": answer["first_run_ms"],
                  "anonymous_mib": peak.stop() / 1024}
        return result | later(setup, process, answer["first_run_ms"])
    finally:
        peak.stop()
        process.kill()
        process.communicate()


def later(setup: Setup, process: subprocess.Popen, first_run_ms: float) -> dict:
    """What `one_start` asks a worker when the first result is there."""
    if setup.engine == "none":
        return {}

    def ask(command: str) -> dict:
        print(command, file=process.stdin, flush=True)
        return Worker.parse(process.stdout.readline(), setup.engine, process)

    found = {"over_warm_ms": first_run_ms - statistics.median(ask(f"sample {SAMPLE_MS}")["ms"])}
    if setup.engine == "hexin":
        found["second_mib"] = ask("again")["anonymous_kib"] / 1024
    return found


def measure(setups: dict[str, Setup], repeats: int) -> dict[str, dict]:
    """name -> medians of `one_start`, taken in turn; "total_ms" is less what a worker without an engine takes."""
    first = next(iter(setups.values()))
    setups = {"": dataclasses.replace(first, engine="none"), **setups}
    samples: dict[str, list[dict]] = {name: [] for name in setups}
    for turn in range(repeats + 1):  # the first warms the page cache
        for name, setup in setups.items():
            with tempfile.TemporaryDirectory() as folder:
                sample = one_start(setup, Path(folder))
                if setup.engine == "hexin":
                    sample["over_warm_cached_ms"] = one_start(setup, Path(folder))["over_warm_ms"]
            if turn > 0:
                samples[name].append(sample)
    medians = {name: {key: statistics.median(sample[key] for sample in of) for key in of[0]}
               for name, of in samples.items()}
    bare = medians.pop("")
    for of in medians.values():
        of["total_ms"] = max(0.0, of["total_ms"] - bare["total_ms"])
        of["anonymous_mib"] = max(0.0, of["anonymous_mib"] - bare["anonymous_mib"])
    return medians
