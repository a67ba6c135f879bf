"""hexin(...) runs the command of the build under test; small models as files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))


class Finished:
    """How a command ended. Any end by a signal is a failure of the test."""

    def __init__(self, done: subprocess.CompletedProcess) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        assert self.code >= 0, f"killed by signal {-self.code}: {self.err}"
        assert "Sanitizer" not in self.err, self.err

    def succeeded(self) -> "Finished":
        assert self.code == 0, f"exit code {self.code}: {self.err}"
        return self

    def failed(self, code: int, *words: str) -> "Finished":
        """Exit code, one error line, and what it has to name."""
        assert self.code == code, f"exit code {self.code}, expected {code}: {self.err}"
        assert "hexin: error: " in self.err
        for word in words:
            assert word in self.err, f"{word!r} is not in: {self.err}"
        return self


@pytest.fixture
def hexin(hexin_tool, tmp_path):
    """Runs the command in tmp_path."""

    def run(*arguments, env=None, **options) -> Finished:
        return Finished(subprocess.run(
            [str(hexin_tool), *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path, timeout=300,
            env={**os.environ, **(env or {})}, **options))

    return run


@pytest.fixture
def small_model(tmp_path):
    """small_model("affine") -> the path of an ONNX file."""
    import small_models

    def write(name: str, *arguments) -> Path:
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(getattr(small_models, name)(*arguments).SerializeToString())
        return path

    return write


@pytest.fixture(scope="session")
def small_artifact(hexin_tool, tmp_path_factory):
    """small_artifact("affine") -> its .hxm for both targets, compiled once a session."""
    import small_models

    folder = tmp_path_factory.mktemp("cli")

    def artifact(name: str) -> Path:
        path, source = folder / f"{name}.hxm", folder / f"{name}.onnx"
        if not path.exists():
            source.write_bytes(getattr(small_models, name)().SerializeToString())
            done = subprocess.run([str(hexin_tool), "compile", str(source), "-o", str(path), "--targets=cpu,opencl"],
                                  capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        return path

    return artifact
