#!/usr/bin/env python3
"""One engine with one model in a process of its own; `processes.Worker` is the other side.

    worker.py ENGINE MODEL THREADS DEVICE INPUTS.npz

Takes commands as lines on stdin, answers each with a line of JSON on stdout:

    outputs FILE.npz   one run; its results are written there
    sample MS          one run that is not counted, then runs for about MS milliseconds
    memory             {"anonymous_kib": ..., "peak_kib": ...} of the process
    again              opens the model once more; {"anonymous_kib"} that this took

The first line, unasked: {"open_ms", "first_run_ms"}, or {"error"}, when the first run is over.
What engines themselves print goes to stderr.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import numpy

sys.path.insert(0, str(Path(__file__).resolve().parent))


def milliseconds_since(start: float) -> float:
    return 1e3 * (time.perf_counter() - start)


def sample(engine, least_ms: float) -> list[float]:
    engine.run()
    times, begin = [], time.perf_counter()
    while not times or milliseconds_since(begin) < least_ms:
        start = time.perf_counter()
        engine.run()
        times.append(milliseconds_since(start))
    return times


def memory() -> dict:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {"anonymous_kib": int(fields["RssAnon"].split()[0]), "peak_kib": int(fields["VmHWM"].split()[0])}


def main() -> int:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value) -> None:
        print(json.dumps(value), file=answers, flush=True)

    name, path, threads, device, inputs = sys.argv[1:]
    with numpy.load(inputs) as archive:
        values = {key[1:]: archive[key] for key in archive.files}
    if name == "none":  # what every engine pays before it begins
        answer({"open_ms": 0, "first_run_ms": 0})
        return 0
    try:
        start = time.perf_counter()
        module = importlib.import_module(f"adapters.{name}_engine")
        import_ms, start = milliseconds_since(start), time.perf_counter()
        engine = module.Engine(path, int(threads), device)
        open_ms, start = milliseconds_since(start), time.perf_counter()
        engine.bind(values)
        engine.run()
        answer({"import_ms": import_ms, "open_ms": open_ms, "first_run_ms": milliseconds_since(start)})
        for line in sys.stdin:
            command, _, argument = line.strip().partition(" ")
            if command == "outputs":
                # The prefix keeps names like "file" from being taken for savez's own arguments.
                numpy.savez(argument, **{"_" + key: numpy.asarray(value) for key, value in engine.outputs().items()})
                answer({})
            elif command == "sample":
                answer({"ms": sample(engine, float(argument))})
            elif command == "memory":
                answer(memory())
            elif command == "again":
                before = memory()["anonymous_kib"]
                _other = module.Engine(path, int(threads), device)
                answer({"anonymous_kib": memory()["anonymous_kib"] - before})
    except Exception as error:
        answer({"error": " ".join(str(error).split())[:300] or type(error).__name__})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
