"""Long-lived workers: a crash or a hang is charged to its case, and the worker starts anew."""

import json
import os
import queue
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple, Optional

WORKER = Path(__file__).resolve().parent / "worker.py"
START_SECONDS = 60  # of processor time, to import an engine and open a device
IDLE_FACTOR = 5


class Task(NamedTuple):
    case: str
    mode: str


class Result(NamedTuple):
    task: Task
    verdict: str  #: pass, refused, error, wrong, crash, timeout
    reason: str
    facts: dict = {}
    seconds: float = 0.0
    retried: str = ""  #: how it ended first, where that was a crash or a hang


class EngineMissing(Exception):
    """A worker did not start: the engine or the device is not there."""


class Worker:
    """One process. Not safe for two threads at a time."""

    def __init__(self, command: list[str], memory_gib: float, step_seconds: float) -> None:
        self._command, self._memory_gib, self._step_seconds = command, memory_gib, step_seconds
        self._process: Optional[subprocess.Popen] = None

    def judge(self, tasks: list[Task]) -> list[Result]:
        """Results of tasks of one mode: of all, unless one ends the process, whose result is then the last."""
        start = time.monotonic()
        self._start()
        results, by_case = [], {task.case: task for task in tasks}
        at, step = tasks[0].case, "?"
        try:
            self._process.stdin.write(json.dumps([task._asdict() for task in tasks]).encode() + b"\n")
            self._process.stdin.flush()
            while len(results) < len(tasks):
                line = self._reply(self._step_seconds)
                at = line.pop("case")
                if "verdict" in line:
                    results.append(Result(by_case[at], **line))
                else:
                    step = line["at"]
            return results
        except TimeoutError:
            verdict, reason = "timeout", f"more than {self._step_seconds:g} s at: {step}"
        except (EOFError, BrokenPipeError):
            verdict, reason = "crash", f"{self._death()} at: {step}"
        self.stop()
        return [*results, Result(by_case[at], verdict, reason, seconds=time.monotonic() - start)]

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        os.close(self._replies)
        self._output.close()
        self._process = None

    def _start(self) -> None:
        if self._process is not None:
            return
        self._replies, theirs = os.pipe()
        self._output = tempfile.TemporaryFile()  # what libraries print, for the reason of a crash
        self._buffer = b""
        self._process = subprocess.Popen(
            [*self._command, str(theirs), str(self._memory_gib)], stdin=subprocess.PIPE, stdout=self._output,
            stderr=self._output, pass_fds=[theirs])
        os.close(theirs)
        try:
            self._reply(START_SECONDS)
        except (EOFError, TimeoutError):
            said = self._said()
            self.stop()
            raise EngineMissing(said or "the worker did not start") from None

    def _reply(self, seconds: float) -> dict:
        """The next line. Raises TimeoutError after so many seconds of processor time: the
        machine may be busy; but a process that waits has IDLE_FACTOR times as long."""
        start, used = time.monotonic(), self._processor_seconds()
        while b"\n" not in self._buffer:
            if not select.select([self._replies], [], [], min(seconds, 5))[0]:
                if (self._processor_seconds() - used > seconds or
                        time.monotonic() - start > IDLE_FACTOR * seconds):
                    raise TimeoutError
                continue
            data = os.read(self._replies, 65536)
            if not data:
                raise EOFError
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def _processor_seconds(self) -> float:
        """Of all its threads, dead ones too; 0 when it is gone."""
        try:
            with open(f"/proc/{self._process.pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError):
            return 0.0

    def _death(self) -> str:
        code = self._process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        said = self._said()
        return f"{how} ({said})" if said else how

    def _said(self) -> str:
        """The last line of the worker's output."""
        self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, self._output.tell() - 4096))
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:160] if lines else ""


class Pool:
    """`jobs` workers for one engine on one device.

    step_seconds: of processor time that a step of a case may take; memory_gib: what a worker may allocate.
    """

    def __init__(self, engine: str, device: str, store: Path, jobs: int = 2, step_seconds: float = 20,
                 memory_gib: float = 4, python: str = sys.executable) -> None:
        self._command = [str(python), "-W", "ignore", str(WORKER), engine, device, str(store)]
        self._jobs, self._step_seconds, self._memory_gib = jobs, step_seconds, memory_gib

    def run(self, batches: Iterable[list[Task]]) -> Iterator[Result]:
        """A result for every task, as they come. A batch is prepared whole before any of it runs.
        What crashed or hung is run once more, alone in a fresh process, and the second verdict
        counts. Raises EngineMissing."""
        waiting, results = queue.SimpleQueue(), queue.SimpleQueue()
        batches = list(batches)
        for batch in batches:
            waiting.put(batch)
        stopping = threading.Event()
        threads = [threading.Thread(target=self._work, args=(waiting, results, stopping), daemon=True)
                   for _ in range(min(self._jobs, len(batches)))]
        for thread in threads:
            thread.start()
        try:
            for _ in range(sum(map(len, batches))):
                result = results.get()
                if isinstance(result, Exception):
                    raise result
                yield result
        finally:
            stopping.set()
            for thread in threads:
                thread.join()

    def _work(self, waiting: queue.SimpleQueue, results: queue.SimpleQueue, stopping: threading.Event) -> None:
        worker = Worker(self._command, self._memory_gib, self._step_seconds)
        try:
            while not stopping.is_set():
                try:
                    batch = waiting.get_nowait()
                except queue.Empty:
                    return
                while batch:
                    for result in worker.judge(batch):
                        batch.remove(result.task)
                        if result.verdict in ("crash", "timeout"):
                            again = worker.judge([result.task])[0]
                            result = again._replace(retried=f"{result.verdict}: {result.reason}")
                        results.put(result)
        except Exception as error:  # hands on to the caller, which would wait for ever
            results.put(error)
        finally:
            worker.stop()
