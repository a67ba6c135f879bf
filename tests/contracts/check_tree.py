#!/usr/bin/env python3
"""Checks the tree: READMEs, top-level names, paths of one machine, stray files.

    check_tree.py [ROOT]
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP_FOLDERS = {"compiler", "runtime", "backends", "frontends", "python", "tests", "bench", "examples",
               "cmake", "build"}
TOP_FILES = {"CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md", "LICENSE", "Makefile", "NOTICE",
             "README.md", "pyproject.toml"}
MAX_README_LINES = 70  # a page
# Absolute paths that hold on one machine only. /usr is everywhere.
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:home|root|work|mnt|media|srv|Users|tmp/\w)[/\w][^\s\"')]*")
MAY_NAME_PATHS = re.compile(r"^LICENSE$|^tests/contracts/check_tree\.py$")
MODEL_FILE = re.compile(r"\.(onnx|hxm|gguf|whl|so|o|a)$")
BINARY = re.compile(r"\.(png|npy|npz|bin)$")


def project_files(root: Path) -> list[str]:
    """What belongs to the project: by git where there is one, else all but ignored folders."""
    if shutil.which("git"):
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, text=True)
        if listed.returncode == 0:
            return sorted(set(listed.stdout.splitlines()))
    ignored = re.compile(r"^(build[^/]*|\.venv|\.cache|\.git)/|__pycache__")
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(name for name in names if not ignored.search(name))


def check_readmes(root: Path, files: list[str]) -> list[str]:
    faults = []
    folders = {"/".join(name.split("/")[:2]) for name in files if name.count("/") >= 2}
    for folder in sorted(folders):
        top = folder.split("/")[0]
        if top in ("compiler", "runtime", "backends", "frontends") and folder != "runtime/include":
            if f"{folder}/README.md" not in files:
                faults.append(f"{folder}: no README.md (purpose, files in reading order, who may include it)")
    for name in files:
        if name.endswith("README.md") and name != "README.md":
            lines = (root / name).read_text().count("\n")
            if lines > MAX_README_LINES:
                faults.append(f"{name}: {lines} lines, more than a page")
    return faults


def check_names(files: list[str]) -> list[str]:
    faults = []
    for name in files:
        top = name.split("/")[0]
        if "/" in name and not top.startswith(".") and top not in TOP_FOLDERS:
            faults.append(f"{name}: '{top}' is not a folder of the tree")
        if "/" not in name and not name.startswith(".") and name not in TOP_FILES:
            faults.append(f"{name}: not a file of the top level")
        if MODEL_FILE.search(name):
            faults.append(f"{name}: models and built files are not committed")
    return faults


def check_paths(root: Path, files: list[str]) -> list[str]:
    faults = []
    for name in files:
        if MAY_NAME_PATHS.search(name) or BINARY.search(name) or not (root / name).is_file():
            continue
        for number, line in enumerate((root / name).read_text(errors="replace").splitlines(), 1):
            found = MACHINE_PATH.search(line)
            if found:
                faults.append(f"{name}:{number}: a path of one machine: {found.group(0)}")
    return faults


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]).resolve()
    files = project_files(root)
    faults = check_names(files) + check_readmes(root, files) + check_paths(root, files)
    print("\n".join(faults) if faults else f"{len(files)} files are in order")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
