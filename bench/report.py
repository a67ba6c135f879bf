"""The table of bench/spine.py as Markdown, and what machine it was made on."""

import math
import os
import platform
from pathlib import Path

# The features that decide which kernels run.
NOTED_FEATURES = ("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8")


def describe_machine() -> dict:
    text = Path("/proc/cpuinfo").read_text()
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    features = fields.get("flags", "").split()
    return {"cpu": fields.get("model name", platform.processor()), "cores": os.cpu_count(),
            "features": [feature for feature in NOTED_FEATURES if feature in features],
            "load": os.getloadavg()[0]}


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def number(value, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}g}"


def ratio(row: dict, threads: int):
    ours = row.get("latency_ms", {}).get(str(threads))
    theirs = row.get("onnxruntime_ms", {}).get(str(threads))
    return ours / theirs if ours and theirs else None


def markdown(result: dict) -> str:
    """One line per model; an empty cell was not measured."""
    machine = result["machine"]
    lines = [f"Judge: {result['judge']}. Machine: {machine['cpu']}, {machine['cores']} cores, "
             f"{' '.join(machine['features'])}, load {machine['load']:.2f} at the start. "
             "Errors are relative to the output's largest value; latencies are medians in ms "
             "of interleaved runs; x is ours over ONNX Runtime's (ORT) on the same threads.", "",
             "| model | error cpu | error opencl:0 | ORT error | bound "
             "| cpu, 1 thread | ORT | x | cpu, 2 threads | ORT | x | opencl:0 | x "
             "| open + first run: cpu | opencl:0 |",
             "|---" * 15 + "|"]
    by_model: dict[str, dict[str, dict]] = {}
    for row in result["rows"]:
        by_model.setdefault(row["model"], {})[row["device"]] = row
    failures = []
    for model, rows in by_model.items():
        failures += [f"{model} on {device}: {row['failure']}  " for device, row in rows.items() if "failure" in row]
        lines.append("| " + " | ".join([model, *cells_of(rows.get("cpu", {}), rows.get("opencl:0", {}))]) + " |")
    lines += ["", *failures, *summary(result["rows"])]
    return "\n".join(lines) + "\n"


def cells_of(cpu: dict, opencl: dict) -> list[str]:
    def error(row):
        if "failure" in row:
            return "failed"
        return number(row.get("error"), 2) + ("" if not row or row["error"] <= row["bound"] else " **over**")

    def latency(row, threads, engine):
        return number(row.get(engine, {}).get(str(threads)))

    def first(row):
        return number(row["open_ms"] + row["first_run_ms"]) if "open_ms" in row else ""

    either = cpu if "bound" in cpu else opencl
    cells = [error(cpu), error(opencl), number(either.get("onnxruntime_error"), 2), number(either.get("bound"), 2)]
    for row, threads, engines in ((cpu, 1, ("latency_ms", "onnxruntime_ms")), (cpu, 2, ("latency_ms", "onnxruntime_ms")),
                                  (opencl, 2, ("latency_ms",))):
        cells += [latency(row, threads, engine) for engine in engines]
        cells.append(number(ratio(row, threads), 2))
    return cells + [first(cpu), first(opencl)]


def summary(rows: list[dict]) -> list[str]:
    """Geometric means over the f32 models, per device and thread count."""
    lines = []
    measured = [row for row in rows if "failure" not in row]
    for device in dict.fromkeys(row["device"] for row in measured):
        for threads in (1, 2):
            ratios = {row["model"]: ratio(row, threads) for row in measured
                      if row["device"] == device and row["precision"] == "f32" and ratio(row, threads)}
            if ratios:
                slowest = max(ratios, key=ratios.get)
                lines.append(f"{device}, {threads} thread{'s' if threads > 1 else ''}: "
                             f"{geometric_mean(list(ratios.values())):.2f}x ONNX Runtime in geometric mean "
                             f"over {len(ratios)} f32 models, at most {ratios[slowest]:.2f}x ({slowest})  ")
    return lines
