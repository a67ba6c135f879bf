"""What the Python tests share: the build under test, and the models."""

import functools
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("HEXIN_BUILD_DIR") or ROOT / "build" / "release")

# Tests neither see nor leave anything in the user's cache.
os.environ.setdefault("HEXIN_CACHE_DIR", str(BUILD / "tests" / "cache"))

# The module of the build under test comes before any installed one.
sys.path[:0] = [str(BUILD / "python"), *(str(ROOT / folder) for folder in (
    "tests", "tests/models", "tests/contracts", "tests/cuda_driver", "tests/e2e", "tests/speed", "bench", "examples/ocr"))]

import standin  # noqa: E402

standin.use(BUILD)


@pytest.fixture(scope="session", autouse=True)
def sessions_keep_nothing():
    """Sessions of tests do not ask a driver for its binaries, unless a test gives them a `cache_dir`: PoCL, which keeps
    what it compiled anyway, makes each kernel once more for that."""
    import hexin

    hexin.Session.__init__ = functools.partialmethod(hexin.Session.__init__, cache_dir="none")


@pytest.fixture
def sessions_keep_what_they_build(monkeypatch):
    """What users have, for tests that are about it."""
    import hexin

    monkeypatch.setattr(hexin.Session, "__init__", vars(hexin.Session)["__init__"].func)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def build_dir() -> Path:
    return BUILD


@pytest.fixture(scope="session")
def hexin_tool(build_dir) -> Path:
    """The command-line tool of the build under test."""
    tool = build_dir / "bin" / "hexin"
    assert tool.exists(), f"{tool} is not there: build first (make build)"
    return tool


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    """artifact(name) -> the model's .hxm for cpu and opencl, compiled once a session."""
    import fetch_models
    import hexin

    folder = tmp_path_factory.mktemp("artifacts")

    def artifact(name: str) -> Path:
        path = folder / f"{name}.hxm"
        if not path.exists():
            model = fetch_models.find_model(name)
            targets = sorted({device.split(":")[0] for device in model["devices"]})
            hexin.compile(str(fetch_models.fetch(model)), str(path), targets=targets)
        return path

    return artifact
