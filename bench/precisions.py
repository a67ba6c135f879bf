#!/usr/bin/env python3
"""Lower precisions on the cpu: ours, asked for, beside our f32 and what OpenVINO takes by itself.

    precisions.py [MODEL ...] [--set spine] [--precision bf16 | int8-dynamic] [--threads 1]

A model that our precision changes too much is refused by name, and has a row that says so. The errors are the largest
difference from the judge's numbers, of each output's largest value. OpenVINO's default is bf16 where the CPU has it.
"""

import argparse
import math
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "models")]

import fetch_models  # noqa: E402
import hexin  # noqa: E402
import inputs as recipes  # noqa: E402
import judge  # noqa: E402
import numpy  # noqa: E402
from processes import Setup, interleaved  # noqa: E402

ANY_ERROR = math.inf  # for the row of a model that is refused by default
COLUMNS = ("f32", "ours", "OpenVINO")


def setups(folder: Path, model: Path, inputs: Path, options) -> dict[str, Setup]:
    environment = {"PYTHONPATH": str(Path(hexin.__file__).parents[1])}
    made = {name: Setup("hexin", folder / f"{name}.hxm", inputs, options.threads, environment=environment)
            for name in COLUMNS[:2]}
    made["OpenVINO"] = Setup("openvino", model, inputs, options.threads, python=options.peer_python,
                             environment={"HEXIN_BENCH_OPENVINO_PRECISION": "default"})
    return made


def compile_both(model: Path, folder: Path, precision: str) -> str:
    """Writes f32.hxm and ours.hxm; returns why ours would be refused, if it would."""
    hexin.compile(str(model), str(folder / "f32.hxm"), targets=["cpu"])
    try:
        hexin.compile(str(model), str(folder / "ours.hxm"), targets=["cpu"], precision=precision)
    except hexin.Error as error:
        hexin.compile(str(model), str(folder / "ours.hxm"), targets=["cpu"], precision=precision, max_error=ANY_ERROR)
        return str(error)
    return ""


def measure(model: dict, folder: Path, options) -> tuple[str, float | None]:
    """A line of the table, and our latency over OpenVINO's where the model is not refused."""
    path, values = fetch_models.fetch(model), recipes.make_inputs(model)
    refusal = compile_both(path, folder, options.precision)
    inputs = folder / "inputs.npz"
    numpy.savez(inputs, **{"_" + name: value for name, value in values.items()})
    judged = judge.judged_outputs(path, values, fetch_models.default_cache() / "judged")
    measured = interleaved(setups(folder, path, inputs, options), options.rounds, folder)
    line = f"{model['name']:20}"
    for name in COLUMNS:
        if measured[name].failure:
            return f"{line} {name}: {measured[name].failure}", None
        with numpy.load(measured[name].outputs) as archive:
            error = judge.error_of({key[1:]: archive[key] for key in archive.files}, judged)
        line += f"{measured[name].ms:10.2f} {error:9.1e}"
    ratio = measured["ours"].ms / measured["OpenVINO"].ms
    return f"{line}{ratio:8.2f}{'  refused' if refusal else ''}", None if refusal else ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="default: the set's of f32 (bf16), of 8-bit weights (int8-dynamic)")
    parser.add_argument("--set", default="spine")
    parser.add_argument("--precision", default="bf16", choices=["bf16", "int8-dynamic"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peer-python", default=str(ROOT / ".venv-engines" / "bin" / "python"))
    options = parser.parse_args()
    models = [fetch_models.find_model(name) for name in options.models] or [
        model for model in fetch_models.models_of_set(options.set)
        if (model["precision"] == "f32") == (options.precision == "bf16")]
    print(f"{'ms and error':20}" + "".join(f"{name:>20}" for name in COLUMNS) + f"{'ratio':>8}")
    ratios = []
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            line, ratio = measure(model, Path(folder), options)
        print(line, flush=True)
        ratios += [ratio] if ratio else []
    if ratios:
        print(f"geometric mean over OpenVINO of {len(ratios)} that are not refused: "
              f"{math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
