"""Every (operator, since version) that onnx.defs has: one case each, on every device, and none
that nobody covers."""

import os

import pytest

from operators import campaign, known
from operators.engine import devices
from operators.registry import strategies, versions

# (domain, operator): why no case is drawn.
UNCOVERED = {
    ("ai.onnx.preview.training", "Gradient"): "refused by design: a graph is differentiated where it was trained",
}
COVERED = [version for version in versions() if (version.domain, version.op) in strategies()]
NEWEST = {(version.domain, version.op): version for version in COVERED}
# Older versions differ from the newest in what the frontend reads: one device is enough for
# them in every run, as kernels of OpenCL take their time to build. HEXIN_OPERATOR_VERSIONS=all
# has all of them on all devices.
EVERYWHERE = os.environ.get("HEXIN_OPERATOR_VERSIONS") == "all"
# The second example: the first is the smallest that there is, often of one element.
EXAMPLES = 2


def on_device(version, device) -> bool:
    return EVERYWHERE or device == "cpu" or NEWEST[version.domain, version.op] == version


def pytest_generate_tests(metafunc):
    if "version" in metafunc.fixturenames:
        metafunc.parametrize("device,version", [(device, version) for device in devices() for version in COVERED
                                                if on_device(version, device)], ids=str, scope="session")


def test_every_version_is_covered():
    missing = {(v.domain, v.op) for v in versions()} - set(strategies())
    assert missing == set(UNCOVERED), "operators of onnx.defs without a strategy in tests/operators/families"


def test_every_strategy_is_of_an_operator():
    assert not set(strategies()) - {(v.domain, v.op) for v in versions()}


@pytest.fixture(scope="session")
def findings(engine):
    """findings(device) -> the last example of each version, judged."""
    done = {}

    def get(device):
        if device not in done:
            drawn = [(version, campaign.draw_cases(version, EXAMPLES)[-1]) for version in COVERED
                     if on_device(version, device)]
            done[device] = {f.version: f for f in campaign.run_cases(engine(device), drawn)}
        return done[device]

    return get


def test_version(findings, device, version):
    finding = findings(device)[version]
    if known.unsupported(version.op, version.since):
        assert finding.verdict == "known", f"{version} passes: take it off known.UNSUPPORTED"
    if finding.verdict == "known":
        pytest.xfail(finding.reason)
    assert finding.verdict == "passed", campaign.describe(finding, device)
