"""Engines in processes of their own, pinned, and stopped while another has its turn."""

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
SAMPLE_MS = 30.0  # runs of one turn


class EngineError(Exception):
    """An engine refused a model or broke; the message is its own."""


@dataclass
class Setup:
    """What a worker is started with."""

    engine: str  # hexin, onnxruntime, openvino, none
    model: Path  # what that engine opens
    inputs: Path  # of worker.py
    threads: int
    device: str = "cpu"
    python: str = sys.executable
    environment: dict = field(default_factory=dict)


def cores(count: int) -> set[int]:
    """CPUs for `count` threads: of different physical cores, as long as there are such."""
    by_core: dict[str, list[int]] = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        by_core.setdefault(siblings.read_text() if siblings.exists() else str(cpu), []).append(cpu)
    ranked = [cpus[i] for i in range(max(map(len, by_core.values()))) for cpus in by_core.values() if i < len(cpus)]
    if len(ranked) < count:
        raise EngineError(f"{count} threads need {count} CPUs, this process may use {len(ranked)}")
    return set(ranked[:count])


def command_of(setup: Setup) -> list[str]:
    return [setup.python, str(HERE / "worker.py"), setup.engine, str(setup.model), str(setup.threads), setup.device,
            str(setup.inputs)]


class Worker:
    """A worker after its first run. Use as a context manager, or call `close`."""

    def __init__(self, setup: Setup) -> None:
        pinned = cores(setup.threads)
        self.setup = setup
        self._process = subprocess.Popen(
            command_of(setup), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **setup.environment}, preexec_fn=lambda: os.sched_setaffinity(0, pinned))
        try:
            self.opened = self._answer()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @staticmethod
    def parse(line: str, engine: str, process: subprocess.Popen) -> dict:
        """What a worker answered; an EngineError where it says so, or said nothing more."""
        if not line:
            raise EngineError(f"{engine} ended with {process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise EngineError(answer["error"])
        return answer

    def _answer(self) -> dict:
        return self.parse(self._process.stdout.readline(), self.setup.engine, self._process)

    def ask(self, command: str) -> dict:
        print(command, file=self._process.stdin, flush=True)
        return self._answer()

    def stop(self) -> None:
        """Not a thread of it runs until `go`: pools that spin after a run would disturb others."""
        self._process.send_signal(signal.SIGSTOP)

    def go(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()  # stopped or not
        self._process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.close()


@dataclass
class Measured:
    """What is known of one engine after `interleaved`."""

    failure: str = ""  # its own message; the rest is empty then
    opened: dict = field(default_factory=dict)  # open_ms, first_run_ms
    outputs: Path | None = None  # .npz, names with a "_" before
    turns_ms: list[float] = field(default_factory=list)  # the median of each turn

    @property
    def ms(self) -> float:
        return statistics.median(self.turns_ms)


def interleaved(setups: dict[str, Setup], rounds: int, folder: Path) -> dict[str, Measured]:
    """Each round gives every engine a turn, each time another one first. Outputs are written to `folder`."""
    measured = {name: Measured() for name in setups}
    with contextlib.ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name, setup in setups.items():
            try:
                worker = stack.enter_context(Worker(setup))
                measured[name].opened = worker.opened
                measured[name].outputs = folder / f"{name.replace(':', '-')}.npz"
                worker.ask(f"outputs {measured[name].outputs}")
                worker.stop()
                workers[name] = worker
            except EngineError as error:
                measured[name] = Measured(failure=str(error))
        names = list(workers)
        for turn in range(rounds):
            first = turn % max(1, len(names))
            for name in names[first:] + names[:first]:
                workers[name].go()
                sample = workers[name].ask(f"sample {SAMPLE_MS}")["ms"]
                workers[name].stop()
                measured[name].turns_ms.append(statistics.median(sample))
    return measured
