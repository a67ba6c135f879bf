#!/usr/bin/env python3
"""What Python files of the tree import is in the tree, in Python itself, or pinned for set-up.

    check_requirements.py [ROOT]
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
FOLDERS = ("python", "tests", "bench", "examples", "cmake", "backends")
# The module, where its package is called something else.
MODULES = {"pillow": "PIL", "opencv-python-headless": "cv2", "pytest-xdist": "xdist"}

pinned = set()
for listed in (ROOT / "cmake").glob("requirements-*.txt"):
    for line in listed.read_text().splitlines():
        if match := re.match(r"([\w.-]+)==", line):
            pinned.add(MODULES.get(match[1], match[1]))
files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
ours = {path.stem for path in files} | {path.parent.name for path in files} | {"hexin"}
known = set(sys.stdlib_module_names) | pinned | ours
faults = []
for path in files:
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        faults += [f"{path.relative_to(ROOT)}:{node.lineno}: {name} is in no cmake/requirements-*.txt"
                   for name in names if name.split(".")[0] not in known]
print("\n".join(faults) or f"{len(files)} files")
sys.exit(bool(faults) or not files)
