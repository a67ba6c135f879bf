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
    return "-" if value is None else f"{value:.{digits}g}"


def ratio(row: dict, threads: int):
    ours, theirs = row["latency_ms"].get(str(threads)), row["onnxruntime_ms"].get(str(threads))
    return ours / theirs if ours and theirs else None


def markdown(result: dict) -> str:
    machine = result["machine"]
    lines = [f"Judge: {result['judge']}. Machine: {machine['cpu']}, {machine['cores']} cores, "
             f"{' '.join(machine['features'])}, load {machine['load']:.2f} at the start. "
             "Errors are relative to the output's largest value; latencies are medians in ms "
             "of interleaved runs; x is ours over ONNX Runtime's (ORT).", "",
             "| model | device | error | bound | ORT error | 1 thread | ORT | x "
             "| 2 threads | ORT | x | open + first run |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in result["rows"]:
        if "failure" in row:
            lines.append(f"| {row['model']} | {row['device']} | failed: {row['failure']} |" + " |" * 9)
            continue
        verdict = "" if row["error"] <= row["bound"] else " **over**"
        cells = [row["model"], row["device"], number(row["error"], 2) + verdict, number(row["bound"], 2),
                 number(row["onnxruntime_error"], 2)]
        for threads in (1, 2):
            cells += [number(row["latency_ms"].get(str(threads))),
                      number(row["onnxruntime_ms"].get(str(threads))), number(ratio(row, threads), 2)]
        cells.append(number(row["open_ms"] + row["first_run_ms"]))
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *summary(result["rows"])]
    return "\n".join(lines) + "\n"


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
