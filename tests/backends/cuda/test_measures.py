"""Every case of measure.py is within the bars of its kind."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import measure  # noqa: E402
import standin  # noqa: E402

pytestmark = pytest.mark.skipif(not measure.find_ptxas(), reason="there is no ptxas: HEXIN_PTXAS, PATH, or pip's nvidia-cuda-nvcc")


@pytest.fixture(scope="module")
def measured(build_dir):
    if standin.is_real():
        pytest.skip("the stand-in counts accesses")
    if not (Path(build_dir) / "lib" / "libhexin_backend_cuda.so").exists():
        pytest.skip("this build has no cuda target: -DHEXIN_WITH_CUDA=ON")
    return measure.measure_all([])


@pytest.mark.parametrize("name", measure.CASES)
def test_within_bars(measured, name, record_property):
    record_property("measured", measured[name]._asdict())
    assert measure.beyond(measured[name], measure.BARS[measure.CASES[name].kind]) == []


def test_what_is_beyond_a_bar_is_said():
    measured = measure.Measured(registers=99, spilled=8, occupancy=0.25, sectors=2, traffic=1, shared=1, fma=0, peak=0)
    wrong = measure.beyond(measured, measure.BARS["elementwise"])
    assert [text.split()[0] for text in wrong] == ["registers", "spilled", "sectors", "occupancy"]
