#!/usr/bin/env python3
"""Dynamic sizes: one artifact, many sizes.

    dynamic.py [MODEL ...] [--device cpu --device opencl:0] [--threads 1]

Per model and device a session runs all sizes of SIZES in turn: the first run at a
size (which plans), then warm ones. Checked for each size: the numbers (judge.py),
nothing compiled (the artifact's code was built before, in a session of its
own, as on a machine's second start), the first run at most FIRST_RUN_FACTOR times a
warm one. Checked for the whole: all sizes together need hardly more memory than the
largest alone. Times are the shortest of SESSIONS sessions, which other work on the
machine disturbs least. Writes dynamic.json and dynamic.md; exits with 1 when a check
fails.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "models")]

import fetch_models  # noqa: E402
import hexin  # noqa: E402
import inputs as recipes  # noqa: E402
import judge  # noqa: E402
import machine  # noqa: E402
from adapters.onnxruntime_engine import Engine as OnnxRuntime  # noqa: E402
from timing import timed_ms  # noqa: E402

SESSIONS = 5
FIRST_RUN_FACTOR = 3.0
ARENA_FACTOR = 1.1  # all sizes' working memory, against that of the largest size alone
# Per model, the sizes of each input; the first is not judged as "new": with it the
# session does what it does once. Odd ones are among them on purpose.
SIZES = {
    "ppocr-v4-det": [{"x": [1, 3, height, width]} for height, width in
                     ((640, 640), (480, 800), (352, 1056), (736, 416), (96, 160))],
    "ppocr-v4-rec": [{"x": [batch, 3, 48, width]} for batch, width in
                     ((1, 320), (1, 192), (6, 571), (1, 37), (3, 333), (2, 1023))],
    "minilm-l3-fp32": [{"input_ids": [batch, length], "attention_mask": [batch, length]} for batch, length in
                       ((1, 128), (1, 17), (1, 211), (3, 77), (1, 1), (2, 384))],
    "minilm-l6-int8": [{name: [batch, length] for name in ("input_ids", "attention_mask", "token_type_ids")}
                       for batch, length in ((1, 128), (1, 17), (1, 211), (3, 77), (1, 1), (2, 384))],
}


class Case(NamedTuple):
    """One size: inputs, right outputs, and what an error may be."""

    values: dict
    judged: dict
    bound: Callable[[float], float]


def measure_size(session, case: Case, rounds: int) -> dict:
    """The first run of `session` at these sizes and some more."""
    before = session.stats
    outputs = {}

    def run():
        nonlocal outputs
        outputs = session.run(case.values)

    first_ms = timed_ms(run)
    error = judge.error_of(outputs, case.judged)
    after = session.stats
    return {"first_ms": first_ms, "warm_ms": min(timed_ms(run) for _ in range(rounds)), "error": error, "bound": case.bound(error),
            "kernels_compiled": after.kernels_compiled - before.kernels_compiled,
            "commands_prepared": after.commands_prepared - before.commands_prepared}


def combine(samples: list[dict]) -> dict:
    """One size in several sessions: the shortest times, the worst of the rest."""
    best = {key: (min if key.endswith("_ms") else max)(sample[key] for sample in samples) for key in samples[0]}
    return best | {"ratio": best["first_ms"] / best["warm_ms"]}


def make_cases(name: str, path: Path, sizes: list[dict]) -> list[Case]:
    cache = fetch_models.default_cache() / "judged"
    engine = OnnxRuntime(str(path), 1, "cpu")

    def make(shapes: dict) -> Case:
        values = recipes.make_inputs(fetch_models.find_model(name), shapes)
        judged = judge.judged_outputs(path, values, cache)
        engine.bind(values)
        engine_error = judge.error_of(engine.outputs(), judged)
        return Case(values, judged, lambda error: judge.bound_for(
            error, engine_error, lambda: judge.derived_bound(path, values, judged, cache)))

    return [make(shapes) for shapes in sizes]


def measure_device(artifact: Path, device: str, cases: list[Case], threads: int, rounds: int,
                   sessions: int = SESSIONS) -> dict:
    """One row: all sizes on one device."""

    def open_session():
        return hexin.Session(str(artifact), device=device, threads=threads)

    # The machine's first start: what the device builds from source goes to the cache.
    builder = open_session()
    for case in cases:
        builder.run(case.values)
    compiled_at_first = builder.stats.kernels_compiled
    del builder

    alone = []  # the arena of each size in a session of its own
    for case in cases:
        session = open_session()
        session.run(case.values)
        alone.append(session.stats.arena_bytes)
    samples = [[] for _ in cases]
    for _ in range(sessions):
        session = open_session()
        for case, sample in zip(cases, samples):
            sample.append(measure_size(session, case, rounds))
    sizes = [{"sizes": {name: list(value.shape) for name, value in case.values.items()}} | combine(sample)
             for case, sample in zip(cases, samples)]
    return {"device": device, "threads": threads, "compiled_at_first_start": compiled_at_first, "sizes": sizes,
            "arena_bytes": session.stats.arena_bytes, "largest_arena_alone": max(alone)}


def failures_of(row: dict, judges_times: bool = True) -> list[str]:
    """What a row breaks, as text."""
    failures = []
    for i, size in enumerate(row["sizes"]):
        where = "x".join(map(str, next(iter(size["sizes"].values()))))
        if not size["error"] <= size["bound"]:
            failures.append(f"{where}: error {size['error']:.2g}, allowed {size['bound']:.2g}")
        if size["kernels_compiled"]:
            failures.append(f"{where}: {size['kernels_compiled']} kernels were compiled")
        if judges_times and i > 0 and size["ratio"] > FIRST_RUN_FACTOR:
            failures.append(f"{where}: the first run took {size['ratio']:.1f} x a warm one")
    if row["arena_bytes"] > ARENA_FACTOR * row["largest_arena_alone"]:
        failures.append(f"{row['arena_bytes']} bytes of arena, {row['largest_arena_alone']} for the largest size alone")
    return failures


def measure_model(name: str, devices: list[str] | None, threads: int, rounds: int, folder: Path) -> list[dict]:
    model = fetch_models.find_model(name)
    devices = devices or model["devices"]
    path, artifact = fetch_models.fetch(model), folder / f"{name}-dynamic.hxm"
    hexin.compile(str(path), str(artifact), targets=sorted({device.split(":")[0] for device in devices}))
    cases = make_cases(name, path, SIZES[name])
    rows = []
    for device in devices:
        row = {"model": name, "device": device}
        try:
            row |= measure_device(artifact, device, cases, threads, rounds)
            row["failures"] = failures_of(row)
        except Exception as error:  # the other rows still count
            row |= {"sizes": [], "failures": [(str(error).splitlines() or [type(error).__name__])[0][:160]]}
        rows.append(row)
    return rows


def markdown(result: dict) -> str:
    machine = result["machine"]
    lines = [f"Machine: {machine['cpu']}, {machine['cores']} cores, {' '.join(machine['features'])}, "
             f"load {machine['load']:.2f} at the start. Milliseconds.", "",
             "| model | device | sizes | first run | warm | x | compiled | error |", "|---|---|---|---|---|---|---|---|"]
    for row in result["rows"]:
        for size in row["sizes"]:
            dims = "x".join(map(str, next(iter(size["sizes"].values()))))
            lines.append(f"| {row['model']} | {row['device']} | {dims} | {size['first_ms']:.3g} | {size['warm_ms']:.3g} "
                         f"| {size['ratio']:.2g} | {size['kernels_compiled']} | {size['error']:.2g} |")
    lines += [""] + [f"{row['model']}, {row['device']}: {failure}  " for row in result["rows"]
                     for failure in row["failures"]]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", choices=[*SIZES, []], help="default: all of them")
    parser.add_argument("--device", action="append", help="default: each model's devices")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--output-dir", type=Path, default=Path("build/bench"))
    options = parser.parse_args()

    options.output_dir.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine.describe(), "rows": []}
    for name in options.models or SIZES:
        print(f"dynamic: {name}", file=sys.stderr, flush=True)
        result["rows"] += measure_model(name, options.device, options.threads, options.rounds, options.output_dir)
        (options.output_dir / "dynamic.json").write_text(json.dumps(result, indent=1) + "\n")
        (options.output_dir / "dynamic.md").write_text(markdown(result))
    print(markdown(result))
    return 1 if any(row["failures"] for row in result["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
