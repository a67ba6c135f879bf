#!/usr/bin/env python3
"""Operators on a million elements: our latency over ONNX Runtime's, in turns.

    large.py [NAME ...] [--device cpu --device opencl:0] [--threads 1] [--rounds 3]

Cases are those of tests/operators/large.py; more than MOST times ONNX Runtime's
latency is marked, and makes the exit code 1.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests")]

import hexin  # noqa: E402
import onnxruntime  # noqa: E402
from operators import models  # noqa: E402
from operators.large import large_cases  # noqa: E402
from timing import interleaved_medians  # noqa: E402

MOST = 10.0


def measure(case, devices, threads: int, rounds: int) -> dict[str, float]:
    """Engine -> median latency in ms."""
    model, feeds, _ = models.build([case])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    reference = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    engines = {"ONNX Runtime": lambda: reference.run(None, feeds)}
    with tempfile.TemporaryDirectory() as folder:
        artifact = os.path.join(folder, "case.hxm")
        hexin.compile(model, artifact, targets=sorted({device.split(":")[0] for device in devices}))
        for device in devices:
            session = hexin.Session(artifact, device=device, threads=threads)
            engines[device] = lambda session=session: session.run(feeds)
        return interleaved_medians(engines, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--device", action="append")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    devices, slow = options.device or ["cpu", "opencl:0"], 0
    print(f"{'case':24}{'ONNX Runtime ms':>16}" + "".join(f"{device + ' ms':>14}{'ratio':>8}" for device in devices))
    for name, case in large_cases().items():
        if options.names and name not in options.names:
            continue
        times = measure(case, devices, options.threads, options.rounds)
        base, line = times["ONNX Runtime"], f"{name:24}{times['ONNX Runtime']:16.2f}"
        for device in devices:
            ratio = times[device] / base
            slow += ratio > MOST
            line += f"{times[device]:14.2f}{ratio:7.2f}{'!' if ratio > MOST else ' '}"
        print(line, flush=True)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
