"""A million elements: orders, running sums, scatters and gathers are right at that size, too.

bench/large.py has the same cases (`large_cases`) and their times."""

import pytest

from operators import oracle, verdict
from operators.large import large_cases

CASES = large_cases()


@pytest.mark.parametrize("name", CASES)
def test_large(engine, device, name):
    case = CASES[name]
    outcome = engine(device).run([case])[0]
    assert outcome.outputs is not None, f"{outcome.verdict}: {outcome.reason}"
    found = verdict.judge(case, oracle.expected(case), outcome.outputs)
    assert found is None, found
