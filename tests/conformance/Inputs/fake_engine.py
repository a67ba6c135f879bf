"""An engine for tests of the runner: onnx's reference evaluator, that misbehaves where FAKE_ENGINE says so.

FAKE_ENGINE: a JSON file {graph name: behaviour}.
"""

import json
import os
import signal
import time
from pathlib import Path

from onnx.reference import ReferenceEvaluator


class Prepared:
    def __init__(self, model, behaviour: str) -> None:
        self._evaluator, self._behaviour = ReferenceEvaluator(model), behaviour
        self._names = [port.name for port in model.graph.input]

    def run(self, inputs):
        if self._behaviour == "crash":
            print("about to fall over", flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        if self._behaviour == "crash once":
            marker = Path(os.environ["FAKE_ENGINE"] + ".crashed")
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGSEGV)
        if self._behaviour == "hang":
            time.sleep(600)
        if self._behaviour == "memory":
            bytearray(8 << 30)
        outputs = list(self._evaluator.run(None, dict(zip(self._names, inputs))))
        return [value + 1 for value in outputs] if self._behaviour == "wrong" else outputs

    def facts(self):
        host = {"host by nature": ["string_concat"], "left": ["conv"]}.get(self._behaviour, [])
        return {"kernels": 2, "reused": 1, "built": 0, "host": host, "fallbacks": []}


class Engine:
    def __init__(self, device: str) -> None:
        if device == "absent:0":
            raise RuntimeError("device absent:0 is not available")
        self._behaviours = json.loads(Path(os.environ["FAKE_ENGINE"]).read_text())

    def prepare(self, model):
        behaviour = self._behaviours.get(model.graph.name, "")
        if behaviour == "refuse":
            raise NotImplementedError("no such operator")
        return Prepared(model, behaviour)

    @staticmethod
    def explain(error, running):
        return ("refused" if isinstance(error, NotImplementedError) else "error"), f"{type(error).__name__}: {error}"
