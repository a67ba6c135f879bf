"""One artifact, many sizes (bench/dynamic.py), without its times."""

import dynamic
import fetch_models
import pytest

NAME = "ppocr-v4-rec"
# Odd widths, batches that change; the largest comes early and late.
SIZES = [{"x": [batch, 3, 48, width]} for batch, width in ((1, 96), (2, 205), (1, 37), (3, 75), (1, 333))]


@pytest.fixture(scope="module")
def cases():
    return dynamic.make_cases(NAME, fetch_models.fetch(fetch_models.find_model(NAME)), SIZES)


@pytest.mark.usefixtures("sessions_keep_what_they_build")
@pytest.mark.parametrize("device", ["cpu", "opencl:0"])
def test_one_artifact_serves_many_sizes(artifacts, cases, device):
    row = dynamic.measure_device(artifacts(NAME), device, cases, threads=1, rounds=1, sessions=1)
    assert dynamic.failures_of(row, judges_times=False) == []
    # What a first run prepares, later ones use.
    assert all(size["commands_prepared"] > 0 for size in row["sizes"])


def test_failures_are_named():
    good = {"sizes": {"x": [1, 2]}, "ratio": 1.0, "error": 1e-7, "bound": 1e-6, "kernels_compiled": 0}
    row = {"sizes": [good | {"ratio": 9.0}, good], "arena_bytes": 100, "largest_arena_alone": 100}
    assert dynamic.failures_of(row) == []  # the session's very first run does more
    bad = good | {"ratio": 3.5, "error": 0.1, "kernels_compiled": 2}
    failures = dynamic.failures_of(row | {"sizes": [good, bad], "arena_bytes": 200})
    assert [failure.split(":")[0] for failure in failures[:3]] == ["1x2"] * 3 and "200 bytes of arena" in failures[3]
