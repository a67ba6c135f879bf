"""Draws cases, runs them in batches on a device, judges them, and shrinks what fails."""

import time
import warnings
from collections import defaultdict
from typing import Callable, Iterable, NamedTuple, Optional, Sequence

from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis.errors import HypothesisException

from operators import oracle, verdict
from operators.case import Case
from operators.engine import Engine
from operators.known import known
from operators.registry import Version, cases

SEED = 20260
BATCH = 40  # nodes of a model
SHRINK_SECONDS = 60
_QUIET = dict(database=None, deadline=None, suppress_health_check=list(HealthCheck))


class Finding(NamedTuple):
    """What became of a case: "passed", "known" (with why), or the failure."""

    version: Version
    case: Case
    verdict: str
    reason: str = ""


def draw_cases(version: Version, examples: int, seed_: int = SEED) -> list[Case]:
    """Always the same ones for a seed and a version of hypothesis."""
    found = []

    @seed(seed_)
    @settings(max_examples=examples, phases=[Phase.generate], **_QUIET)
    @given(cases(version))
    def collect(case):
        found.append(case)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collect()
    return found


def _judged(version: Version, case: Case, outcome) -> Finding:
    if outcome.outputs is None:
        failed, reason = outcome.verdict, outcome.reason
    else:
        try:
            found = verdict.judge(case, oracle.expected(case), outcome.outputs)
        except oracle.NoOracle as error:
            return Finding(version, case, "no oracle", str(error))
        if found is None:
            return Finding(version, case, "passed")
        failed, reason = "wrong", found
    note = known(case, failed, reason)
    return Finding(version, case, "known" if note else failed, note or reason)


def run_cases(engine: Engine, drawn: Iterable[tuple[Version, Case]], symbolic: bool = False,
              progress: Callable[[int], None] = lambda count: None) -> list[Finding]:
    """One model per batch of cases of one opset and domain."""
    groups, found = defaultdict(list), []
    for version, case in drawn:
        groups[case.domain, case.opset].append((version, case))
    for group in groups.values():
        for i in range(0, len(group), BATCH):
            part = group[i:i + BATCH]
            outcomes = engine.run([case for _, case in part], symbolic)
            found += [_judged(version, case, outcome) for (version, case), outcome in zip(part, outcomes)]
            progress(len(found))
    return found


def failures(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict not in ("passed", "known")]


def shrink(engine: Engine, finding: Finding, symbolic: bool = False, seconds: float = SHRINK_SECONDS) -> Finding:
    """The smallest case of the version that fails with the same verdict, as far as time allows."""
    best, end = [finding], time.monotonic() + seconds

    def fails(case: Case) -> bool:
        if time.monotonic() > end:
            return False
        try:
            now = _judged(finding.version, case, engine.run([case], symbolic)[0])
        except Exception:  # the oracle cannot judge it
            return False
        if now.verdict != finding.verdict:
            return False
        best.append(now)
        return True

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            find(cases(finding.version), fails, settings=settings(max_examples=300, **_QUIET))
    except (HypothesisException, BaseExceptionGroup):
        pass  # no smaller one, or time is up
    return min(best, key=_size)


def _size(finding: Finding) -> tuple[int, int]:
    case = finding.case
    return sum(getattr(value, "size", 1) for value in case.inputs), len(case.attributes)


def describe(finding: Finding, device: str) -> str:
    return f"{finding.verdict} on {device}: {finding.reason}\n{finding.case.describe()}"
