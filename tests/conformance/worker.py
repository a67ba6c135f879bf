#!/usr/bin/env python3
"""One engine on one device, case after case, until its input ends.

    worker.py ENGINE DEVICE STORE REPLY_FD MEMORY_GIB

Reads a line of tasks, [{"case", "mode"}, …], from stdin: all are prepared, then all are
run, so that a device can build their kernels together. Answers on REPLY_FD, a line each:
{"case", "at"} before every step, then {"case", "verdict", "reason", "facts", "seconds"}.
Whatever kills the process is charged to the case, and to the step, that it was at.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Iterator, NamedTuple, Optional

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import onnx  # noqa: E402

import compare  # noqa: E402
import engines  # noqa: E402
import modes  # noqa: E402
import random_outputs  # noqa: E402
import second_sizes  # noqa: E402
import suite  # noqa: E402


class Failed(Exception):
    """(verdict, reason)"""


class Outcome(NamedTuple):
    verdict: str  #: ran, typed or untyped
    reason: str
    outputs: list


class Judge:
    def __init__(self, engine_name: str, device: str, store: Path, say) -> None:
        self._explain = None
        if engine_name != "oracle":
            module = engines.load(engine_name)
            self._engine, self._explain = module.Engine(device), module.Engine.explain
        self._suite, self._say = suite.Suite(store), say

    def judge(self, name: str, mode: str) -> Iterator[Optional[dict]]:
        """None once everything is prepared, then the verdict."""
        facts: dict = {}
        try:
            if mode == "second-sizes":
                yield None
                reason = second_sizes.make(self._suite.folder, name, self._suite.case(name))
            else:
                how = self._hostile if mode == "hostile" else self._right
                yield from how(name, mode, facts)
                reason = ""
        except Failed as failure:
            yield {"verdict": failure.args[0], "reason": failure.args[1], "facts": facts}
        except Exception as error:  # no engine's fault, and no reason to end
            yield {"verdict": "error", "reason": f"of the runner: {type(error).__name__}: {error}", "facts": {}}
        else:
            yield {"verdict": "pass", "reason": reason, "facts": facts}

    def _prepare(self, model: onnx.ModelProto):
        self._say("prepare")
        try:
            return self._engine.prepare(model)
        except Exception as error:
            raise Failed(*self._explain(error, False)) from None

    def _run(self, prepared, inputs: list) -> list:
        try:
            return prepared.run(inputs)
        except Exception as error:
            raise Failed(*self._explain(error, True)) from None

    def _right(self, name: str, mode: str, facts: dict) -> Iterator[None]:
        """Raises Failed unless the numbers are right; fills in the engine's facts."""
        case = self._suite.case(name)
        model, data_sets = onnx.load_model_from_string(case.model), case.data_sets
        if mode == "dynamic":
            modes.make_dynamic(model)
        if mode == "constant-inputs":
            data_sets = modes.fold_shape_operands(model, data_sets)
        prepared = self._prepare(model)
        yield None
        self._say("run")
        for inputs, outputs in data_sets:
            results, is_random = self._run(prepared, inputs), name in suite.RANDOM
            found = compare.difference(outputs, results, case.rtol, case.atol, values=not is_random)
            if is_random and not found:
                found = random_outputs.impossible(name, inputs, results)
            if found:
                raise Failed("wrong", found)
        second = second_sizes.read(self._suite.folder, name) if mode == "dynamic" else None
        if second and name not in suite.RANDOM:
            self._say("run at other sizes")
            try:
                outputs = self._run(prepared, second["inputs"])
            except Failed as failure:
                raise Failed(failure.args[0], f"at other sizes: {failure.args[1]}") from None
            found = compare.difference(second["outputs"], outputs, *second_sizes.tolerance(second["outputs"], case))
            if found:
                raise Failed("wrong", f"at other sizes, by {second['oracle']}: {found}")
        facts.update(prepared.facts())
        if mode == "dynamic" and not second:
            facts["one_size"] = True

    def _hostile(self, name: str, mode: str, facts: dict) -> Iterator[None]:
        """Raises Failed when inputs that do not fit give anything but a typed error, or spoil the session."""
        case, sessions, refusal = self._suite.case(name), {}, None
        for sizes in ("static", "dynamic"):
            model = onnx.load_model_from_string(case.model)
            if sizes == "dynamic" and not modes.make_dynamic(model):
                continue
            try:
                sessions[sizes] = self._prepare(model)
            except Failed as failure:
                refusal = failure
        yield None
        if not sessions:
            raise refusal
        inputs = case.data_sets[0][0]
        declared = [modes.declares_sizes(port) for port in modes.inputs_of(onnx.load_model_from_string(case.model))]
        for sizes, prepared in sessions.items():
            right = self._outcome(prepared, inputs)
            for what, must_fail, given in modes.hostile_inputs(inputs, declared):
                self._say(f"{sizes}, {what}")
                verdict, reason, _ = self._outcome(prepared, given)
                if verdict == "untyped" or (verdict == "ran" and must_fail and sizes == "static"):
                    raise Failed("error", f"{sizes}, {what}: {reason or 'was accepted'}")
            self._say(f"{sizes}, the right inputs again")
            again = self._outcome(prepared, inputs)
            if again.verdict != right.verdict:
                raise Failed("error", f"{sizes}: the right inputs fail after wrong ones")
            changed = compare.difference(right.outputs, again.outputs, rtol=0, atol=0, values=name not in suite.RANDOM)
            if changed:
                raise Failed("wrong", f"{sizes}: the right inputs give other numbers after wrong ones: {changed}")

    def _outcome(self, prepared, inputs: list) -> Outcome:
        try:
            return Outcome("ran", "", prepared.run(inputs))
        except Exception as error:
            reason = self._explain(error, True)[1]
            typed = getattr(error, "code", "internal error") != "internal error"
            return Outcome("typed" if typed else "untyped", reason, [])


def main() -> int:
    engine_name, device, store, reply_fd, memory_gib = sys.argv[1:]
    limit = int(float(memory_gib) * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    replies = os.fdopen(int(reply_fd), "w", buffering=1)

    def say(**line) -> None:
        replies.write(json.dumps(line) + "\n")

    at = ""
    judge = Judge(engine_name, device, Path(store), lambda step: say(case=at, at=step))
    say(ready=True)
    for line in sys.stdin:
        begun, seconds = {}, {}
        for task in json.loads(line):
            at, start = task["case"], time.perf_counter()
            say(case=at, at="start")
            begun[at] = judge.judge(at, task["mode"])
            verdict = next(begun[at])
            seconds[at] = time.perf_counter() - start
            if verdict:
                say(case=at, **verdict, seconds=seconds[at])
                del begun[at]
        for at in list(begun):
            start = time.perf_counter()
            verdict = next(begun.pop(at))
            say(case=at, **verdict, seconds=seconds[at] + time.perf_counter() - start)
    return 0


if __name__ == "__main__":
    sys.exit(main())
