"""What the tests of operators share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from operators.engine import Engine, devices  # noqa: E402


def pytest_generate_tests(metafunc):
    if "device" in metafunc.fixturenames and "version" not in metafunc.fixturenames:
        metafunc.parametrize("device", devices(), scope="session")


@pytest.fixture(scope="session")
def engine(build_dir):
    """engine(device) -> the worker for it, one for all tests."""
    engines = {}

    def get(device):
        return engines.setdefault(device, Engine(device, str(build_dir / "python")))

    yield get
    for worker in engines.values():
        worker.close()
