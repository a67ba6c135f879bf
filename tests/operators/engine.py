"""Hexin on batches of cases, in a process of its own: what crashes or hangs costs its batch
only, and is found by halving it."""

import multiprocessing
import os
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple, Optional, Sequence

from operators import models
from operators.case import Case

SECONDS = 300  # for one batch
NODE = re.compile(r"'(?:[^']*/)?case(\d+)[^']*'")


class Outcome(NamedTuple):
    """`outputs`, or why there are none: "refused" when compiling, "error" in a run, "crash", "timeout"."""

    outputs: Optional[list]
    verdict: str = "ran"
    reason: str = ""


class Engine:
    """One worker process for one device."""

    def __init__(self, device: str, python_path: str) -> None:
        self.device = device
        self._path, self._worker, self._pipe = python_path, None, None

    def run(self, cases: Sequence[Case], symbolic: bool = False) -> list[Outcome]:
        """The outcome of each case; all have one opset and domain."""
        found: dict[int, Outcome] = {}
        pending = [list(range(len(cases)))]
        while pending:
            chunk = pending.pop()
            if not chunk:
                continue
            kind, detail = self._ask([cases[i] for i in chunk], symbolic)
            if kind == "ran":
                found.update({i: Outcome(outputs) for i, outputs in zip(chunk, detail)})
            elif len(chunk) == 1:
                found[chunk[0]] = Outcome(None, kind, detail)
            else:
                named = {int(i) for i in NODE.findall(detail)} if kind in ("refused", "error") else set()
                guilty = [chunk[i] for i in sorted(named) if i < len(chunk)]
                if guilty:
                    pending += [[i for i in chunk if i not in guilty], *([i] for i in guilty)]
                else:
                    pending += [chunk[:len(chunk) // 2], chunk[len(chunk) // 2:]]
        return [found[i] for i in range(len(cases))]

    def close(self) -> None:
        if self._worker:
            self._worker.kill()
            self._worker.join()
            self._worker = self._pipe = None

    def _ask(self, cases: Sequence[Case], symbolic: bool) -> tuple[str, Any]:
        if not self._worker:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._worker = context.Process(target=_serve, args=(theirs, self.device, self._path), daemon=True)
            self._worker.start()
            theirs.close()
            if not self._pipe.poll(SECONDS) or self._pipe.recv() != "ready":
                raise RuntimeError(f"no hexin in {self._path}, or no device {self.device}: build first")
        model, feeds, names = models.build(cases, symbolic)
        try:
            self._pipe.send((model.SerializeToString(), feeds, names))
            if not self._pipe.poll(SECONDS):
                self.close()
                return "timeout", f"no answer in {SECONDS} s"
            return self._pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._worker.join()
            code = self._worker.exitcode
            self.close()
            return "crash", f"the process ended with {code}"


def _serve(pipe, device: str, python_path: str) -> None:
    import sys
    sys.path.insert(0, python_path)
    import hexin

    if not any(found.id == device and found.available for found in hexin.devices()):
        pipe.send("no device")
        return
    pipe.send("ready")
    target = device.split(":")[0]
    options = {}
    if target == "cpu":  # one image, the machine's own
        options["cpu_archs"] = [next(d for d in hexin.devices() if d.id == "cpu").image_archs[0]]
    with tempfile.TemporaryDirectory() as folder:
        artifact = str(Path(folder) / "cases.hxm")
        while True:
            try:
                model, feeds, names = pipe.recv()
            except EOFError:
                return
            stage = "refused"
            try:
                hexin.compile(model, artifact, targets=[target], **options)
                stage = "error"
                session = hexin.Session(artifact, device=device, threads=1, cache_dir="none")
                results = session.run(feeds)
                pipe.send(("ran", [[results[name] for name in group] for group in names]))
            except hexin.Error as error:
                pipe.send((stage, f"{type(error).__name__}: {error}"))
            except Exception as error:  # not one of ours: a fault of its own
                pipe.send((stage, f"untyped {type(error).__name__}: {error}"))
            session = None


def devices() -> list[str]:
    """The devices asked for by HEXIN_OPERATOR_DEVICES, or both that every machine has."""
    return os.environ.get("HEXIN_OPERATOR_DEVICES", "cpu,opencl:0").split(",")
