#!/usr/bin/env python3
"""What compiling a model takes: nothing cached, all cached, and one weight changed.

    compiling.py [MODEL ...] [--set spine] [--targets cpu,opencl]

Each compilation is a process of its own, with a kernel cache that belongs to this
command. Checked: at most EMPTY_SECONDS without a cache and CACHED_SECONDS with one,
whether or not one weight is another; memory of at most WEIGHT_FACTOR times the model's
size and MORE_MIB. Writes compiling.json and compiling.md; exits with 1 when a check fails.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "models")]

import fetch_models  # noqa: E402
import machine  # noqa: E402
import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402

EMPTY_SECONDS = 20.0
CACHED_SECONDS = 3.0
WEIGHT_FACTOR = 1.3
MORE_MIB = 300.0
POLL_SECONDS = 0.005


def change_a_weight(model: Path, changed: Path) -> bool:
    """Another number in the largest f32 constant; False where the model has none."""
    proto = onnx.load(str(model))
    constants = [attribute.t for node in proto.graph.node if node.op_type == "Constant"
                 for attribute in node.attribute if attribute.name == "value"]
    weights = [each for each in [*proto.graph.initializer, *constants] if each.data_type == onnx.TensorProto.FLOAT]
    largest = max(weights, key=lambda each: each.ByteSize(), default=None)
    if largest is None:
        return False
    values = numpy_helper.to_array(largest).copy()
    values.flat[values.size // 2] += 0.125
    largest.CopyFrom(numpy_helper.from_array(values, largest.name))
    onnx.save(proto, str(changed))
    return True


def peak_kib(pid: int) -> int:
    """Of a process that runs; 0 when it has ended. What wait4() tells has the caller's own memory in it."""
    with contextlib.suppress(OSError, IndexError, StopIteration):
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1])
    return 0


def compilation(command: Path, model: Path, targets: str, folder: Path) -> dict:
    """{"seconds", "peak_mib"} of one process."""
    log, kib, begin = folder / "log", 0, time.perf_counter()
    with log.open("w") as messages:
        process = subprocess.Popen(
            [str(command), "compile", str(model), "-o", str(folder / "model.hxm"), f"--targets={targets}"],
            stdout=subprocess.DEVNULL, stderr=messages, env={**os.environ, "HEXIN_CACHE_DIR": str(folder / "cache")})
        while process.poll() is None:
            kib = max(kib, peak_kib(process.pid))
            time.sleep(POLL_SECONDS)
    if process.returncode != 0:
        raise RuntimeError((log.read_text().strip().splitlines() or [f"ended with {process.returncode}"])[-1][:200])
    return {"seconds": time.perf_counter() - begin, "peak_mib": kib / 1024}


def measure(command: Path, model: Path, targets: str) -> dict:
    """What each of the compilations took, and which checks failed."""
    with tempfile.TemporaryDirectory() as name:
        folder, changed = Path(name), Path(name) / "changed.onnx"
        row = {"model_mib": model.stat().st_size / 2**20,
               "empty": compilation(command, model, targets, folder),
               "cached": compilation(command, model, targets, folder)}
        if change_a_weight(model, changed):
            row["changed"] = compilation(command, changed, targets, folder)
    row["peak_mib"] = max(row[each]["peak_mib"] for each in ("empty", "cached", "changed") if each in row)
    row["allowed_mib"] = WEIGHT_FACTOR * row["model_mib"] + MORE_MIB
    row["failures"] = [f"{each}: {row[each]['seconds']:.1f} s, at most {most:g}"
                       for each, most in (("empty", EMPTY_SECONDS), ("cached", CACHED_SECONDS), ("changed", CACHED_SECONDS))
                       if each in row and row[each]["seconds"] > most]
    if row["peak_mib"] > row["allowed_mib"]:
        row["failures"].append(f"{row['peak_mib']:.0f} MiB, at most {row['allowed_mib']:.0f}")
    return row


def markdown(result: dict) -> str:
    lines = [f"Compiling for {result['targets']}; {result['machine']['cpu']}, {result['machine']['cores']} cores. Seconds.", "",
             "| model | MiB | nothing cached | cached | one weight changed | peak MiB | allowed |", "|---" + "|---:" * 6 + "|"]
    for row in (row for row in result["rows"] if "empty" in row):
        times = [f"{row[each]['seconds']:.2f}" if each in row else "" for each in ("empty", "cached", "changed")]
        lines.append(f"| {row['model']} | {row['model_mib']:.3g} | {' | '.join(times)} | {row['peak_mib']:.0f} "
                     f"| {row['allowed_mib']:.0f} |")
    return "\n".join([*lines, ""] + [f"{row['model']}: {failure}  " for row in result["rows"]
                                     for failure in row["failures"]]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="default: the set 'spine'")
    parser.add_argument("--set", default="spine", help="demo, quick, spine, tabular or all")
    parser.add_argument("--targets", default="cpu,opencl")
    parser.add_argument("--build-dir", type=Path, default=Path("build/release"))
    parser.add_argument("--output-dir", type=Path, default=Path("build/bench"))
    options = parser.parse_args()

    options.output_dir.mkdir(parents=True, exist_ok=True)
    models = ([fetch_models.find_model(name) for name in options.models] or fetch_models.models_of_set(options.set))
    result = {"machine": machine.describe(), "targets": options.targets, "rows": []}
    for model in models:
        print(f"compiling: {model['name']}", file=sys.stderr, flush=True)
        row = {"model": model["name"]}
        try:
            row |= measure(options.build_dir / "bin" / "hexin", fetch_models.fetch(model), options.targets)
        except (fetch_models.FetchError, RuntimeError, OSError) as error:
            row["failures"] = [str(error)]
        result["rows"].append(row)
        (options.output_dir / "compiling.json").write_text(json.dumps(result, indent=1) + "\n")
        (options.output_dir / "compiling.md").write_text(markdown(result))
    print(markdown(result))
    return 1 if any(row["failures"] for row in result["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
