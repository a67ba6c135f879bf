#!/usr/bin/env python3
"""ONNX's backend suite on every device in every mode, held against what is expected.

    runner.py                                       # hexin, all devices and modes
    runner.py --device cpu --mode static            # some of it
    runner.py --engine hexin --engine onnxruntime --engine openvino --update

Needs HEXIN_BUILD_DIR (default: build/release). Exits with 1 when a case does not do
what expected.txt says of it (a listed case that passes, too, unless --update takes it out), with 2 when it could not
look: an engine or a device is not there.
"""

import argparse
import json
import os
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "cuda_driver")]

import expectations  # noqa: E402
import modes  # noqa: E402
import second_sizes  # noqa: E402
import standin  # noqa: E402
import suite  # noqa: E402
import table  # noqa: E402
from pool import EngineMissing, Pool, Result, Task  # noqa: E402

ENGINES = ("hexin", "onnxruntime", "openvino")
DEVICES = ("cpu", "opencl:0", "cuda:0")
# Unless --mode asks for others: the stand-in of a GPU takes its time.
MODES_OF = {"cuda:0": ("static", "dynamic")}
SECONDS_OF = {"cuda:0": 600}
BATCH = 24  # cases whose kernels a device builds together
SHOWN = 40  # differences of a kind that are printed; --json has all


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", help=f"of {', '.join(ENGINES)} (default: hexin); others: cpu, static")
    parser.add_argument("--device", action="append", help=f"default: {', '.join(DEVICES)}")
    parser.add_argument("--mode", action="append", choices=modes.MODES, help="default: all; on cuda:0 static, dynamic")
    parser.add_argument("--case", default="", help="only cases whose name has this regular expression")
    parser.add_argument("--sample", default="1/1", metavar="K/N", help="only the K-th of N fixed parts of the suite")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--step-seconds", type=float, help="of processor time, to prepare or to run a case (60; on cuda:0 600)")
    parser.add_argument("--memory-gib", type=float, default=4, help="what a worker may allocate")
    parser.add_argument("--update", action="store_true", help="write what was found to expected.txt and README.md's table")
    parser.add_argument("--json", type=Path, help="write every verdict to this file")
    parser.add_argument("--folder", type=Path, default=HERE, help=argparse.SUPPRESS)  # for tests of the runner
    options = parser.parse_args(arguments)
    match = re.fullmatch(r"(\d+)/(\d+)", options.sample)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        parser.error(f"--sample is K/N with 1 ≤ K ≤ N, got {options.sample}")
    options.part, options.parts = int(match[1]), int(match[2])
    options.engine = options.engine or ["hexin"]
    options.device = options.device or list(DEVICES)
    options.places = [(device, mode) for device in options.device
                      for mode in options.mode or MODES_OF.get(device, modes.MODES)]
    return options


def set_environment() -> Path:
    """The module and the caches of the build under test, for workers; gives the folder of the frozen suite."""
    build = Path(os.environ.get("HEXIN_BUILD_DIR") or ROOT / "build" / "release")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(build / "python"), os.environ.get("PYTHONPATH", "")])
    os.environ.setdefault("HEXIN_CACHE_DIR", str(build / "tests" / "cache"))
    standin.use(build)  # what cuda:0 is
    return build / "tests" / "conformance"


class Run:
    """Everything that one call looked at."""

    def __init__(self, options: argparse.Namespace, cases: suite.Suite) -> None:
        self.options, self.cases = options, cases
        self.names = [name for name in cases.entries
                      if suite.in_sample(name, options.part, options.parts) and re.search(options.case, name)]
        self.results: dict[tuple[str, str, str], list[Result]] = {}  # (engine, device, mode)

    def pool(self, engine: str, device: str) -> Pool:
        options = self.options
        seconds = options.step_seconds or SECONDS_OF.get(device, 60)
        return Pool(engine, device, self.cases.folder, options.jobs, seconds, options.memory_gib)

    def prepare_second_sizes(self) -> None:
        """Their numbers, once per frozen suite."""
        done = second_sizes.folder_of(self.cases.folder) / "done.json"
        if done.exists():
            return
        tasks = [[Task(name, "second-sizes")] for name in self.cases.entries if name not in suite.RANDOM]
        oracles = Counter(result.reason if result.verdict == "pass" else "none"
                          for result in self.pool("oracle", "cpu").run(tasks))
        done.write_text(json.dumps(oracles))

    def batches(self, tasks: list[Task], device: str) -> list[list[Task]]:
        """Neighbours together where a device builds their kernels in one go; large models alone."""
        size = 1 if device == "cpu" else BATCH
        alone = [task for task in tasks if self.cases.entries[task.case].category == "light models"]
        others = [task for task in tasks if task not in alone]
        return [[task] for task in alone] + [others[i:i + size] for i in range(0, len(others), size)]

    def judge(self, engine: str, device: str, mode: str) -> None:
        start, used = time.monotonic(), children_seconds()
        tasks = [Task(name, mode) for name in self.names if modes.applies(mode, self.cases.case(name))]
        results, said = [], start
        for result in self.pool(engine, device).run(self.batches(tasks, device)):
            results.append(result)
            if time.monotonic() - said > 60:
                said = time.monotonic()
                print(f"  {len(results)} of {len(tasks)}, {said - start:.0f} s", file=sys.stderr, flush=True)
        results.sort(key=lambda result: result.task)
        if engine not in ENGINES[1:]:
            results = [table.placed(result, self.cases.entries[result.task.case].category) for result in results]
        self.results[engine, device, mode] = results
        counts = Counter(result.verdict for result in results)
        built = Counter()
        for result in results:
            built.update({key: result.facts.get(key, 0) for key in ("kernels", "reused", "built")})
        line = f"{engine} {device} {mode}: {counts.pop('pass', 0)} of {len(results)} pass"
        line += "".join(f", {count} {verdict}" for verdict, count in sorted(counts.items()))
        if built["kernels"]:
            line += (f"; kernels: {built['kernels'] - built['reused']} compiled, {built['reused']} reused"
                     f", {built['built']} built by the device")
        print(f"{line}; {time.monotonic() - start:.0f} s, {children_seconds() - used:.0f} s of CPU", flush=True)

    def write_json(self) -> None:
        """What there is so far: a run may take long, and may be ended."""
        if self.options.json:
            self.options.json.write_text(json.dumps([
                {"engine": engine, "device": device, "mode": mode, "case": result.task.case,
                 **{key: value for key, value in result._asdict().items() if key != "task"}}
                for (engine, device, mode), results in self.results.items() for result in results], indent=1))

    def findings(self) -> tuple[expectations.Findings, set]:
        """What does not pass, and what was looked at, of hexin."""
        found, ran = {}, set()
        for (engine, device, mode), results in self.results.items():
            for result in results if engine not in ENGINES[1:] else ():
                key = result.task.case, expectations.Place(device, mode)
                ran.add(key)
                if result.verdict != "pass":
                    found[key] = expectations.Finding(
                        result.verdict, expectations.reason_of(result.verdict, result.reason))
        return found, ran


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(difference: expectations.Difference) -> None:
    for title, lines in (("do not do what expected.txt says", difference.broken),
                         ("are listed, but pass (--update takes them out)", difference.passing),
                         ("have another reason (--update writes it)", difference.reworded)):
        if lines:
            print(f"\n{len(lines)} {title}:")
            print("\n".join(f"  {line}" for line in lines[:SHOWN]))
            if len(lines) > SHOWN:
                print(f"  and {len(lines) - SHOWN} more")


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    run = Run(options, suite.freeze(set_environment()))
    try:
        if any(mode == "dynamic" for _, mode in options.places) and "hexin" in options.engine:
            run.prepare_second_sizes()
        for engine in options.engine:
            for device, mode in [("cpu", "static")] if engine in ENGINES[1:] else options.places:
                run.judge(engine, device, mode)
                run.write_json()
    except EngineMissing as error:
        print(f"cannot look: {error}", file=sys.stderr)
        return 2
    path = options.folder / "expected.txt"
    expected = expectations.read(path)
    found, ran = run.findings()
    difference = expectations.compare(expected, found, ran)
    report(difference)
    if options.update:
        kept = {key: finding for key, finding in expected.items() if key not in ran and key[0] in run.cases.entries}
        expectations.write(path, kept | found, modes.MODES)
        whole = not options.case and options.parts == 1
        table.update(options.folder, run.cases, run.results, kept | found, whole)
        return 1 if difference.broken else 0
    return 1 if difference.broken or difference.passing else 0


if __name__ == "__main__":
    sys.exit(main())
