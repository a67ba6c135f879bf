#!/usr/bin/env python3
"""Our kernels beside oneDNN's primitives, problem by problem.

    kernels.py [WORD ...] [--threads 1] [--repetitions 9] [--build-dir build/release]

Problems are those of tests/operators/problems.txt whose line has every WORD. Each is
compiled twice, without oneDNN and with oneDNN wherever it can, and timed by Google
Benchmark (kernels.cpp): repetitions of all in random order, medians. "x": our time over
oneDNN's. Operations are those of the definition, so an algorithm that needs fewer may
be above 100 % of the peak.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests")]

import hexin  # noqa: E402
import machine  # noqa: E402
from operators.problems import inputs_of, model_of, problems  # noqa: E402

CHOICES = {"ours": {"disable": ["onednn"]}, "onednn": {"prefer": ["onednn"]}}


def prepare(problem, folder: Path, threads: int) -> list[dict]:
    """What hexin-bench-kernels is told, for each choice that really is one."""
    entries, model = [], model_of(problem)
    for choice, options in CHOICES.items():
        path = folder / f"{len(list(folder.iterdir()))}.hxm"
        hexin.compile(model, str(path), targets=["cpu"], **options)
        session = hexin.Session(str(path), device="cpu", profile=True)
        session.run(inputs_of(model))
        events = [event["args"] for event in json.loads(session.trace())["traceEvents"] if event["ph"] == "X"]
        if choice == "onednn" and all(event.get("engine") != "library" for event in events):
            continue
        entries.append({"name": f"{problem.name}/{choice}", "path": str(path), "threads": threads,
                        "operations": sum(event.get("operations", 0) for event in events)})
    return entries


def time_all(entries: list[dict], options, folder: Path) -> dict[str, dict]:
    """Name -> {"us", "gflops"}, medians."""
    listed, report = folder / "list.json", folder / "report.json"
    listed.write_text(json.dumps(entries))
    cpus = set(sorted(os.sched_getaffinity(0))[:options.threads])
    subprocess.run([str(Path(options.build_dir) / "bin" / "hexin-bench-kernels"), str(listed),
                    f"--benchmark_repetitions={options.repetitions}", "--benchmark_enable_random_interleaving=true",
                    "--benchmark_min_time=0.05", "--benchmark_report_aggregates_only=true",
                    f"--benchmark_out={report}", "--benchmark_out_format=json"],
                   check=True, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    found = {}
    for row in json.loads(report.read_text())["benchmarks"]:
        if row.get("error_occurred"):
            raise SystemExit(f"kernels: {row['name']}: {row['error_message']}")
        if row.get("aggregate_name") == "median":
            name = row["run_name"].removesuffix("/real_time")
            found[name] = {"us": row["real_time"] * {"ns": 1e-3, "us": 1, "ms": 1e3}[row["time_unit"]],
                           "gflops": row.get("flops", 0) * 1e-9}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--build-dir", type=Path, default=ROOT / "build/release")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chosen = [problem for problem in problems() if all(word in problem.name.split() for word in options.words)]
    if not chosen:
        raise SystemExit("kernels: no problem has all of these words")
    cpus = set(sorted(os.sched_getaffinity(0))[:options.threads])
    peak = machine.peak(options.build_dir, options.threads, cpus)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        entries = [entry for problem in chosen for entry in prepare(problem, folder, options.threads)]
        found = time_all(entries, options, folder)
    print(f"{options.threads} thread(s), {peak['gflops']:.0f} GFLOP/s ({peak['isa']}), {peak['read_gbs']:.0f} GB/s read; "
          f"others took {100 * machine.disturbance():.0f}% of the machine at the end\n\n"
          "| problem | ours, us | oneDNN, us | x | GFLOP/s | % of peak |\n|---|---:|---:|---:|---:|---:|")
    for problem in chosen:
        ours, theirs = found[f"{problem.name}/ours"], found.get(f"{problem.name}/onednn")
        share = [f"{ours['gflops']:.0f}", f"{100 * ours['gflops'] / peak['gflops']:.0f}"] if ours["gflops"] else ["", ""]
        beside = [f"{theirs['us']:.1f}", f"{ours['us'] / theirs['us']:.2f}"] if theirs else ["", ""]
        print("| " + " | ".join([problem.name, f"{ours['us']:.1f}", *beside, *share]) + " |")
    if options.json:
        options.json.write_text(json.dumps({"peak": peak, "threads": options.threads, "kernels": found}, indent=1))


if __name__ == "__main__":
    main()
