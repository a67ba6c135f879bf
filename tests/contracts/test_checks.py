"""The checkers of this folder find what they are for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def run_check(script: str, root: Path) -> subprocess.CompletedProcess:
    # The folder is a tree of its own, wherever temporary files happen to lie.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    return subprocess.run([sys.executable, str(HERE / script), str(root)], capture_output=True,
                          text=True, env=environment)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("name, line", [
    ("runtime/base/A.h", '#include "runtime/device/Device.h"'),
    ("runtime/exec/A.cpp", '#include "compiler/ir/Ops.h"'),
    ("runtime/exec/A.cpp", '#include "mlir/IR/Value.h"'),
    ("compiler/ir/A.h", '#include "compiler/transforms/Passes.h"'),
    ("compiler/pipeline/A.cpp", '#include "frontends/onnx/Import.h"'),
    ("frontends/onnx/A.cpp", '#include "compiler/codegen/Emit.h"'),
    ("frontends/onnx/wire/A.cpp", '#include "frontends/onnx/Import.h"'),
    ("frontends/onnx/wire/A.cpp", '#include "llvm/ADT/StringRef.h"'),
    ("backends/cpu/compiler/A.cpp", '#include "backends/cpu/runtime/Device.h"'),
    ("backends/cpu/runtime/A.cpp", '#include "backends/opencl/runtime/OpenclDevice.h"'),
    ("backends/cpu/runtime/A.cpp", '#include "llvm/Support/Error.h"'),
    ("compiler/target/A.cpp", 'if (name == "opencl") return;'),
])
def test_include_rule_refuses(tmp_path, name, line):
    write(tmp_path, name, line + "\n")
    done = run_check("check_includes.py", tmp_path)
    assert done.returncode == 1 and f"{name}:1" in done.stdout


@pytest.mark.parametrize("name, line", [
    ("runtime/exec/A.cpp", '#include "runtime/artifact/Container.h"'),
    ("compiler/codegen/A.cpp", '#include "compiler/ir/Ops.h"'),
    ("compiler/api/A.cpp", '#include "backends/cpu/compiler/CpuTarget.h"'),
    ("compiler/api/A.cpp", '#include "frontends/onnx/Import.h"'),
    ("frontends/onnx/ops/A.cpp", '#include "frontends/onnx/wire/Model.h"'),
    ("backends/cpu/compiler/A.cpp", '#include "backends/cpu/abi/Image.h"'),
    ("backends/cpu/runtime/A.cpp", '#include "hexin/status.h"'),
    ("runtime/base/A.cpp", '#include <vector>'),
])
def test_include_rule_allows(tmp_path, name, line):
    write(tmp_path, name, line + "\n")
    done = run_check("check_includes.py", tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name, text, word", [
    ("runtime/base/A.h", "", "README.md"),
    ("elsewhere/a.txt", "", "not a folder"),
    ("tests/a.onnx", "", "not committed"),
    ("bench/a.py", 'path = "' + "/" + 'home/someone/x"', "one machine"),
    ("runtime/base/README.md", "line\n" * 100, "more than a page"),
])
def test_tree_check_refuses(tmp_path, name, text, word):
    write(tmp_path, name, text)
    done = run_check("check_tree.py", tmp_path)
    assert done.returncode == 1 and word in done.stdout


@pytest.mark.parametrize("line, fault", [
    ("import numpy.linalg, os", ""), ("from cv2 import imread", ""), ("from . import other", ""), ("import helper", ""),
    ("import torch", "torch is in no"), ("from torch.nn import Module", "torch.nn is in no"), ("def f():\n    import cv3", "cv3 is in no"),
])
def test_requirements_check(tmp_path, line, fault):
    write(tmp_path, "cmake/requirements-test.txt", "# a comment\nnumpy==2.0\nopencv-python-headless==5.0\n")
    write(tmp_path, "tests/helper.py", "")
    write(tmp_path, "tests/test_a.py", line + "\n")
    done = run_check("check_requirements.py", tmp_path)
    assert done.returncode == bool(fault) and fault in done.stdout
