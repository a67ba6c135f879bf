"""Small models and their artifacts, compiled once a session."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

# Every test of running is done on both devices of the spine.
DEVICES = ["cpu", "opencl:0"]


@pytest.fixture(scope="session")
def small_artifact(tmp_path_factory):
    """small_artifact("affine") -> the .hxm of small_models.affine(), for both targets."""
    import hexin
    import small_models

    folder = tmp_path_factory.mktemp("small")

    def artifact(name: str, **options) -> str:
        path = folder / ("-".join([name, *options]) + ".hxm")
        if not path.exists():
            model = getattr(small_models, name)().SerializeToString()
            hexin.compile(model, path, targets=["cpu", "opencl"], **options)
        return str(path)

    return artifact


@pytest.fixture(params=DEVICES)
def device(request) -> str:
    return request.param
