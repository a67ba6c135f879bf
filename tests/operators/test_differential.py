"""Random cases of every operator's versions: a fixed sample of the full run (differential.py)."""

import os

import pytest

from operators import campaign
from operators.registry import strategies, versions

# In every run the newest version of each operator; sizes are symbols, as versions.py has them known.
EXAMPLES = int(os.environ.get("HEXIN_OPERATOR_EXAMPLES", "4"))
NEWEST = {(v.domain, v.op): v for v in versions() if (v.domain, v.op) in strategies()}
FAMILIES = sorted({strategies()[key].__module__.rsplit(".", 1)[-1] for key in NEWEST})


@pytest.mark.parametrize("family", FAMILIES)
def test_family(engine, family):
    chosen = [v for key, v in NEWEST.items() if strategies()[key].__module__.endswith("." + family)]
    drawn = [(version, case) for version in chosen for case in campaign.draw_cases(version, EXAMPLES)]
    findings = campaign.run_cases(engine("cpu"), drawn, symbolic=True)
    failed = campaign.failures(findings)
    if failed:
        smallest = campaign.shrink(engine("cpu"), failed[0], symbolic=True)
        pytest.fail(f"{len(failed)} of {len(findings)} examples, the first shrunk:\n{campaign.describe(smallest, 'cpu')}")
