"""The full run: at least 50 examples of every version of every operator, on one device.

    PYTHONPATH=tests .venv/bin/python -m operators.differential [--device cpu] [--examples 50]
        [--symbolic] [--seed N] [OPERATOR or family …]

Prints examples per second, what failed, shrunk, and what failed as known. Exit code 1 when
something failed otherwise.
"""

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

from operators import campaign
from operators.engine import Engine
from operators.registry import strategies, versions


def chosen(names):
    """Versions of operators or of families, by name; all by default."""
    table = strategies()
    for version in versions():
        draw_case = table.get((version.domain, version.op))
        if draw_case and (not names or version.op in names or draw_case.__module__.rsplit(".", 1)[-1] in names):
            yield version


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="operators or families; all by default")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--examples", type=int, default=50, help="per version")
    parser.add_argument("--seed", type=int, default=campaign.SEED)
    parser.add_argument("--symbolic", action="store_true", help="input sizes are symbols")
    parser.add_argument("--shrink-seconds", type=float, default=campaign.SHRINK_SECONDS)
    options = parser.parse_args(arguments)
    build = Path(os.environ.get("HEXIN_BUILD_DIR") or Path(__file__).resolve().parents[2] / "build/release")

    start = time.monotonic()
    drawn = [(version, case) for version in chosen(options.names)
             for case in campaign.draw_cases(version, options.examples, options.seed)]
    print(f"{len({v for v, _ in drawn})} versions, {len(drawn)} examples drawn in {time.monotonic() - start:.0f} s", flush=True)
    engine = Engine(options.device, str(build / "python"))
    start = time.monotonic()
    findings = campaign.run_cases(engine, drawn, options.symbolic, lambda count: print(
        f"\r{count} of {len(drawn)}, {count / (time.monotonic() - start):.0f} examples/s", end="", flush=True))
    seconds = time.monotonic() - start
    counts = Counter(finding.verdict for finding in findings)
    print(f"\n{options.device}{', symbolic sizes' if options.symbolic else ''}: {len(findings)} examples in {seconds:.0f} s, "
          f"{len(findings) / seconds:.0f} examples/s: {dict(counts)}")
    for (note, op), count in sorted(Counter((f.reason, f.case.op) for f in findings if f.verdict == "known").items()):
        print(f"  known: {op}: {note} ({count})")
    failed = campaign.failures(findings)
    first = {}
    for finding in failed:
        first.setdefault((finding.case.op, finding.verdict), []).append(finding)
    for group in first.values():
        smallest = campaign.shrink(engine, group[0], options.symbolic, options.shrink_seconds)
        print(f"\n{len(group)} of {sorted({str(f.version) for f in group})}\n{campaign.describe(smallest, options.device)}", flush=True)
    engine.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
