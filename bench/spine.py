#!/usr/bin/env python3
"""The table: model x device -> error, bound, latency; ONNX Runtime in the same run.

    spine.py [MODEL ...] [--device cpu --device opencl:0] [--rounds 7]

Compiles every model once for all devices, runs it on each, and compares with
the judge (judge.py). Writes spine.json and spine.md to --output-dir. Exits
with 1 when a model failed or an error is over its bound.
"""

import argparse
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "models")]

import fetch_models  # noqa: E402
import hexin  # noqa: E402
import inputs as recipes  # noqa: E402
import judge  # noqa: E402
import onnxruntime  # noqa: E402
import report  # noqa: E402
from timing import interleaved_medians, timed_ms  # noqa: E402

THREADS = (1, 2)


def open_onnxruntime(path: Path, threads: int):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_outputs()]
    return lambda values: dict(zip(names, session.run(None, values)))


def threads_of(device: str) -> tuple[int, ...]:
    """The thread counts to time a device at; only the cpu takes ours."""
    return THREADS if device == "cpu" else (max(THREADS),)


def measure_device(device: str, artifact: Path, values: dict, judged: dict, engines: dict, rounds: int) -> dict:
    """One row of the table. `engines`: threads -> ONNX Runtime with that many."""
    row = {"latency_ms": {}, "onnxruntime_ms": {}}
    for threads in threads_of(device):
        session = None

        def open_session():
            nonlocal session
            session = hexin.Session(str(artifact), device=device, threads=threads)

        open_ms = timed_ms(open_session)
        start = time.perf_counter()
        outputs = session.run(values)
        if "error" not in row:
            row["open_ms"], row["first_run_ms"] = open_ms, 1e3 * (time.perf_counter() - start)
            row["error"] = judge.error_of(outputs, judged)
        # A result may not depend on the number of threads.
        row["error"] = max(row["error"], judge.error_of(outputs, judged))
        medians = interleaved_medians({"hexin": lambda: session.run(values),
                                       "onnxruntime": lambda: engines[threads](values)}, rounds)
        row["latency_ms"][str(threads)] = medians["hexin"]
        row["onnxruntime_ms"][str(threads)] = medians["onnxruntime"]
    return row


def measure_model(model: dict, devices: list[str], rounds: int, folder: Path) -> list[dict]:
    path = fetch_models.fetch(model)
    values = recipes.make_inputs(model)
    artifact = folder / f"{model['name']}.hxm"
    start = time.perf_counter()
    hexin.compile(str(path), str(artifact), targets=sorted({device.split(":")[0] for device in devices}))
    common = {"model": model["name"], "precision": model["precision"], "gflop": model["gflop"],
              "compile_s": time.perf_counter() - start, "artifact_bytes": artifact.stat().st_size,
              "model_bytes": path.stat().st_size}
    judged = judge.judged_outputs(path, values, fetch_models.default_cache() / "judged")
    engines = {threads: open_onnxruntime(path, threads) for threads in THREADS}
    engine_error = judge.error_of(engines[1](values), judged)
    cache = fetch_models.default_cache() / "judged"
    rows = []
    for device in devices:
        row = {**common, "device": device, "onnxruntime_error": engine_error}
        try:
            row |= measure_device(device, artifact, values, judged, engines, rounds)
            row["bound"] = judge.bound_for(row["error"], engine_error,
                                           lambda: judge.derived_bound(path, values, judged, cache))
        except Exception as error:  # whatever it is, the other rows still count
            row["failure"] = first_line(error)
        rows.append(row)
    return rows


def first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].replace("|", "/")[:160]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="default: the set 'spine'")
    parser.add_argument("--set", default="spine", help="demo, quick, spine, later or all")
    parser.add_argument("--device", action="append", help="default: each model's devices")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output-dir", type=Path, default=Path("build/bench"))
    options = parser.parse_args()

    options.output_dir.mkdir(parents=True, exist_ok=True)
    models = ([fetch_models.find_model(name) for name in options.models]
              or fetch_models.models_of_set(options.set))
    result = {"judge": judge.judge_label(), "machine": report.describe_machine(), "rows": []}
    for model in models:
        devices = options.device or model["devices"]
        print(f"spine: {model['name']} on {', '.join(devices)}", file=sys.stderr, flush=True)
        try:
            result["rows"] += measure_model(model, devices, options.rounds, options.output_dir)
        except Exception as error:
            result["rows"] += [{"model": model["name"], "device": device, "failure": first_line(error)}
                               for device in devices]
        # Written after each model: a long run that is cut short still leaves its rows.
        (options.output_dir / "spine.json").write_text(json.dumps(result, indent=1) + "\n")
        (options.output_dir / "spine.md").write_text(report.markdown(result))
    print(report.markdown(result))
    good = all("failure" not in row and row["error"] <= row["bound"] for row in result["rows"])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
