"""What does not pass, as a reviewed file: cases under their reason, with the places where it holds.

    [refused] unsupported: operator Col2Im of domain ai.onnx is not supported (opset N)
      col2im                    cpu: static dynamic; opencl:0: static
"""

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

PREFIX = "test_"
HEADER = """\
# Cases of onnx's suite that do not pass. Made by runner.py --update; read every change of it.
# [verdict] reason, then the cases with device and modes. The rules: README.md.
"""
SECTION = re.compile(r"\[(\w+)\] (.*)")
# The numbers of one run are no reason: they differ between devices and machines.
DETAIL = re.compile(r"(output \d+: )(?:\d+ of \d+ values, as at .*)")


class Place(NamedTuple):
    device: str
    mode: str


class Finding(NamedTuple):
    verdict: str
    reason: str


Findings = dict[tuple[str, Place], Finding]  # (case, place) -> what it does instead of passing


def reason_of(verdict: str, reason: str) -> str:
    """The part of a reason that is the same in every run."""
    if verdict == "wrong":
        return DETAIL.sub(r"\1other values", reason)
    return reason


def read(path: Path) -> Findings:
    findings, finding = {}, None
    if not Path(path).exists():
        return findings
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        section = SECTION.fullmatch(line)
        if section:
            finding = Finding(*section.groups())
        elif line.strip() and not line.startswith("#"):
            case, _, places = line.strip().partition(" ")
            if finding is None or ": " not in places:
                raise ValueError(f"{path}:{number}: expected '[verdict] reason' or 'case device: modes', got {line!r}")
            for part in places.split(";"):
                device, _, names = part.strip().rpartition(": ")
                for mode in names.split():
                    findings[PREFIX + case, Place(device, mode)] = finding
    return findings


def write(path: Path, findings: Findings, modes: tuple[str, ...]) -> None:
    by_finding = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for (case, place), finding in findings.items():
        by_finding[finding][case][place.device].append(place.mode)
    lines = [HEADER]
    for finding, cases in sorted(by_finding.items()):
        lines.append(f"[{finding.verdict}] {finding.reason}")
        for case, devices in sorted(cases.items()):
            where = "; ".join(f"{device}: {' '.join(sorted(names, key=modes.index))}"
                              for device, names in sorted(devices.items()))
            lines.append(f"  {case.removeprefix(PREFIX):<40} {where}")
        lines.append("")
    Path(path).write_text("\n".join(lines))


class Difference(NamedTuple):
    broken: list[str]  #: not listed, or listed with another verdict
    passing: list[str]  #: listed as anything but wrong, and passes now
    reworded: list[str]  #: another reason, or wrong elsewhere but not here; no failure


def compare(expected: Findings, found: Findings, ran: set[tuple[str, Place]]) -> Difference:
    """`ran`: the cases and places that this run looked at; others are not judged."""
    result = Difference([], [], [])
    for key in sorted(ran):
        case, place = key
        where = f"{case} on {place.device}, {place.mode}"
        want, got = expected.get(key), found.get(key)
        if want == got:
            continue
        if got is None and want.verdict == "wrong":
            # The last unit of a number may hang on the processor's instruction set.
            result.reworded.append(f"{where}: passes here (listed as wrong: {want.reason})")
        elif got is None:
            result.passing.append(f"{where}: passes, but is listed as {want.verdict}: {want.reason}")
        elif want is None:
            result.broken.append(f"{where}: {got.verdict}: {got.reason}")
        elif want.verdict != got.verdict:
            result.broken.append(f"{where}: {got.verdict}: {got.reason} (listed as {want.verdict}: {want.reason})")
        else:
            result.reworded.append(f"{where}: {got.reason} (listed: {want.reason})")
    return result
