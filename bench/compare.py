#!/usr/bin/env python3
"""Hexin beside ONNX Runtime and OpenVINO: latency, errors, start-up, memory, sizes.

    compare.py [MODEL ...] [--set spine] [--rounds 15] [--device cpu --device opencl:0]

Every engine has a process of its own, pinned to as many CPUs as it may have threads,
and is stopped while another has its turn (processes.py). Each one's numbers are held
against the judge's (judge.py). Writes compare.json, compare.md and compare.svg to
--output-dir.

A busy machine is waited for, and then refused (exit code 2; --anyway measures, and the
table says so). A row during which others took more than that is taken once more. Exits
with 1 when one of our rows failed or is over its bound.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "models")]

import fetch_models  # noqa: E402
import hexin  # noqa: E402
import inputs as recipes  # noqa: E402
import judge  # noqa: E402
import machine  # noqa: E402
import numpy  # noqa: E402
import picture  # noqa: E402
import startup  # noqa: E402
import table  # noqa: E402
from processes import EngineError, Setup, cores, interleaved  # noqa: E402

THREADS = (1, 2)
PEERS = ("onnxruntime", "openvino")
QUIET_PATIENCE = 60  # seconds that a busy machine is given
RETAKES = 2  # of a row that others disturbed


class Bench:
    """One model at a time; `options` are the command line's."""

    def __init__(self, options, folder: Path) -> None:
        self.options, self.folder = options, folder

    def setups(self, model: Path, artifact: Path, inputs: Path, threads: int) -> dict[str, Setup]:
        """name -> setup. Devices that are not the cpu have threads of their own: they come with the most."""
        module = str(Path(hexin.__file__).parents[1])  # not resolved: a build's folder has links
        ours = Setup("hexin", artifact, inputs, threads, environment={"PYTHONPATH": module})
        setups = {device: dataclasses.replace(ours, device=device) for device in self.options.device
                  if device == "cpu" or threads == max(THREADS)}
        for peer in self.options.peer:
            setups[peer] = Setup(peer, model, inputs, threads, python=self.options.peer_python)
        return setups

    def measure_model(self, model: dict) -> dict:
        path = fetch_models.fetch(model)
        values = recipes.make_inputs(model)
        artifact = self.folder / f"{model['name']}.hxm"
        begin = time.perf_counter()
        hexin.compile(str(path), str(artifact), targets=sorted({each.split(":")[0] for each in self.options.device}),
                      prepack=self.options.prepack)
        row = {"model": model["name"], "precision": model["precision"], "gflop": model["gflop"],
               "compile_s": time.perf_counter() - begin, "artifact_bytes": artifact.stat().st_size,
               "model_bytes": path.stat().st_size, "latency": {}, "failures": {}}
        inputs = self.folder / "inputs.npz"
        numpy.savez(inputs, **{"_" + name: value for name, value in values.items()})
        errors: dict[str, float] = {}
        judged = judge.judged_outputs(path, values, fetch_models.default_cache() / "judged")
        for threads in THREADS:
            self.measure_latency(row, self.setups(path, artifact, inputs, threads), threads, judged, errors)
        row["errors"] = errors
        cache = fetch_models.default_cache() / "judged"
        ours = [errors[device] for device in self.options.device if device in errors]
        if ours:
            row["bound"] = judge.bound_for(max(ours), errors.get("onnxruntime", 0.0),
                                           lambda: judge.derived_bound(path, values, judged, cache))
        working = {name: setup for name, setup in self.setups(path, artifact, inputs, 1).items()
                   if name not in row["failures"]}
        if self.options.starts and working:
            row["startup"] = startup.measure(working, self.options.starts)
        artifact.unlink()
        return row

    def measure_latency(self, row: dict, setups: dict[str, Setup], threads: int, judged: dict, errors: dict) -> None:
        for attempt in range(1 + RETAKES):
            others = machine.Disturbance()
            measured = interleaved(setups, self.options.rounds, self.folder)
            share = others.share()
            if share <= machine.QUIET or self.options.anyway:
                break
        row["latency"][str(threads)] = {name: each.ms for name, each in measured.items() if each.turns_ms}
        row.setdefault("disturbed", {})[str(threads)] = share
        for name, each in measured.items():
            if each.failure:
                row["failures"][name] = each.failure
                continue
            with numpy.load(each.outputs) as archive:
                outputs = {key[1:]: archive[key] for key in archive.files}
            # A result may not depend on the number of threads.
            errors[name] = max(errors.get(name, 0.0), judge.error_of(outputs, judged))


def wait_until_quiet() -> float:
    """The share of the machine that others take, at last."""
    end = time.monotonic() + QUIET_PATIENCE
    while (share := machine.disturbance()) > machine.QUIET and time.monotonic() < end:
        time.sleep(2)
    return share


def is_good(row: dict, devices: list[str]) -> bool:
    return "failure" not in row and not any(device in row["failures"] for device in devices) \
        and all(row["errors"][device] <= row["bound"] for device in devices)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="default: the set 'spine'")
    parser.add_argument("--set", default="spine", help="demo, quick, spine, tabular or all")
    parser.add_argument("--device", action="append", help="default: cpu, opencl:0")
    parser.add_argument("--peer", action="append", choices=PEERS, help="default: both")
    parser.add_argument("--peer-python", default=str(ROOT / ".venv-engines" / "bin" / "python"),
                        help="the Python that has the other engines")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--starts", type=int, default=4, help="fresh processes per engine; 0: no start-up times")
    parser.add_argument("--prepack", default="lazy", choices=["lazy", "full"], help="as of hexin compile")
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine, too")
    parser.add_argument("--build-dir", type=Path, default=Path("build/release"))
    parser.add_argument("--output-dir", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    options.device = options.device or ["cpu", "opencl:0"]
    options.peer = list(PEERS) if options.peer is None else options.peer
    if not Path(options.peer_python).exists():
        parser.error(f"there is no {options.peer_python}: HEXIN_ENGINES=1 bash cmake/setup.sh makes it")
    return options


def main() -> int:
    options = parse_options()
    options.output_dir.mkdir(parents=True, exist_ok=True)
    models = ([fetch_models.find_model(name) for name in options.models]
              or fetch_models.models_of_set(options.set))
    share = wait_until_quiet()
    if share > machine.QUIET and not options.anyway:
        print(f"compare: others take {share:.0%} of this machine's CPU time, at most {machine.QUIET:.0%} is quiet: "
              "end them, or measure --anyway (ratios may still say something)", file=sys.stderr)
        return 2
    result = {"judge": judge.judge_label(), "machine": machine.describe() | {"others": share},
              "peak": {str(n): machine.peak(options.build_dir, n, cores(n)) for n in THREADS},
              "devices": options.device, "peers": options.peer, "rows": []}
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(options, Path(name))
        for model in models:
            print(f"compare: {model['name']}", file=sys.stderr, flush=True)
            try:
                result["rows"].append(bench.measure_model(model))
            except (fetch_models.FetchError, hexin.Error, EngineError, RuntimeError, OSError) as error:
                result["rows"].append({"model": model["name"], "failure": str(error).splitlines()[0][:200]})
            # Written after each model: a long run that is cut short still leaves its rows.
            (options.output_dir / "compare.json").write_text(json.dumps(result, indent=1) + "\n")
            (options.output_dir / "compare.md").write_text(table.markdown(result))
            (options.output_dir / "compare.svg").write_text(picture.svg(result))
    print(table.markdown(result))
    return 0 if all(is_good(row, options.device) for row in result["rows"]) else 1


if __name__ == "__main__":
    sys.exit(main())
