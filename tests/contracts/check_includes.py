#!/usr/bin/env python3
"""Checks who includes whom, and who names a concrete frontend or backend.

    check_includes.py [ROOT]

The rule is the table ALLOWED below (README.md, "Who may include whom").
Includes start at the repository root, so a line shows which layer it reaches.
Prints each breach as file:line and exits with 1 when there is one.
"""

import re
import sys
from pathlib import Path

# folder -> folders whose headers it may include, besides its own and the public
# headers ("hexin/..."), which everyone may. X stands for one frontend or backend.
ALLOWED = {
    "runtime/base": [],
    "runtime/device": ["runtime/base"],
    "runtime/artifact": ["runtime/base", "runtime/device"],
    "runtime/reference": ["runtime/base"],
    "runtime/host": ["runtime/base", "runtime/device/Library.h", "runtime/reference"],
    "runtime/hostops": ["runtime/host/hexin_hostops.h"],
    "runtime/exec": ["runtime/base", "runtime/device", "runtime/artifact", "runtime/reference",
                     "runtime/host"],
    "runtime/tools": ["runtime/base", "runtime/device", "runtime/artifact", "runtime/exec"],
    "runtime/include": [],
    "compiler/ir": ["runtime/base", "runtime/reference"],
    "compiler/transforms": ["compiler/ir", "runtime/base", "runtime/reference"],
    "compiler/codegen": ["compiler/ir", "runtime/base",
                         "runtime/reference", "runtime/device/KernelAbi.h"],
    "compiler/target": ["compiler/ir", "compiler/codegen", "runtime/base",
                        "runtime/reference", "runtime/device/KernelAbi.h"],
    "compiler/artifact": ["compiler/ir", "compiler/transforms", "compiler/codegen", "compiler/target",
                          "runtime/base", "runtime/reference", "runtime/artifact",
                          "runtime/device/KernelAbi.h"],
    "compiler/pipeline": ["compiler/ir", "compiler/transforms", "compiler/codegen", "compiler/target",
                          "compiler/artifact", "runtime/base", "runtime/reference", "runtime/artifact"],
    "compiler/api": ["compiler", "frontends", "backends/X/compiler", "runtime/base",
                     "runtime/reference", "runtime/artifact",
                     "runtime/exec/CompilerAbi.h"],  # the one symbol the runtime loads
    "compiler/tools": ["compiler", "runtime/base"],
    "frontends": ["compiler/ir", "runtime/base"],
    "frontends/onnx/wire": ["runtime/base"],
    "frontends/X": ["frontends/Frontend.h", "compiler/ir", "runtime/base"],
    "backends/X/compiler": ["backends/X/abi", "compiler/ir", "compiler/codegen", "compiler/target",
                            "compiler/transforms", "runtime/base", "runtime/device/KernelAbi.h"],
    "backends/X/runtime": ["backends/X/abi", "backends/X/kernels", "backends/X/onednn",
                           "runtime/base", "runtime/device", "runtime/reference"],
    "backends/X/kernels": ["backends/X/abi", "runtime/base", "runtime/device"],
    "backends/X/onednn": ["backends/X/abi", "runtime/base", "runtime/device", "runtime/reference"],
    "backends/X/abi": ["runtime/base", "runtime/device"],
    "python": ["runtime/base", "runtime/exec"],
}

# Folders whose sources never include LLVM or MLIR.
WITHOUT_LLVM = ["runtime", "backends/X/runtime", "backends/X/abi", "backends/X/kernels",
                "backends/X/onednn", "frontends/onnx/wire", "python"]

OURS = ("runtime/", "compiler/", "frontends/", "backends/", "python/", "tests/", "bench/",
        "examples/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# `if (target == "cuda")` and the like, outside of the backend itself.
NAMES_BACKEND = re.compile(r'[=!]=\s*"(cpu|cuda|opencl)\b|"(cpu|cuda|opencl)(:\d+)?"\s*[=!]=')
MAY_NAME_BACKENDS = ("backends/", "compiler/api/", "tests/", "bench/", "examples/",
                     "runtime/device/BackendRegistry.cpp")  # "cpu" is a device without a number


def rule_of(path: str) -> tuple[str, str] | None:
    """The row of ALLOWED for a file, the longest that fits, and what X stands for."""
    best = None
    for row in ALLOWED:
        pattern = re.escape(row).replace("X", "([^/]+)") if "X" in row.split("/") else re.escape(row)
        match = re.match(pattern + "/", path)
        # A folder named in the table goes before one that X stands for.
        if match and (best is None or len(row) > len(best[0]) or "X" in best[0].split("/")):
            best = (row, match.group(1) if match.groups() else "")
    return best


def is_within(header: str, folder: str) -> bool:
    return header == folder or header.startswith(folder + "/")


def fill(folder: str, x: str) -> str:
    return folder.replace("/X", "/" + x) if x else folder


def may_include(path: str, header: str) -> bool:
    found = rule_of(path)
    if found is None:
        return not path.startswith(("runtime/", "compiler/", "frontends/", "backends/"))
    row, x = found
    own = fill(row, x)
    if is_within(header, own):
        # A folder inside that has a row of its own is another layer; a frontend sees its own.
        return rule_of(header) in (None, found) or row == "frontends/X"
    if header.startswith("runtime/include/"):
        return True
    for folder in ALLOWED[row]:
        if "X" in folder.split("/") and not x:  # compiler/api sees every backend
            if re.match(re.escape(folder).replace("X", "[^/]+") + "/", header):
                return True
        elif is_within(header, fill(folder, x)):
            return True
    return False


def check_file(root: Path, file: Path) -> list[str]:
    path = file.relative_to(root).as_posix()
    without_llvm = any(re.match(re.escape(folder).replace("X", "[^/]+") + "/", path) for folder in WITHOUT_LLVM)
    breaches = []
    for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
        where = f"{path}:{number}"
        include = INCLUDE.match(line)
        if include:
            quote, header = include.groups()
            if header.startswith(OURS) and not may_include(path, header):
                breaches.append(f"{where}: may not include {header}")
            elif quote == '"' and not header.startswith(OURS + ("hexin/", "mlir", "llvm", "lld")) \
                    and "/" not in header and (file.parent / header).exists():
                breaches.append(f"{where}: includes start at the repository root: {header}")
            if without_llvm and header.startswith(("mlir/", "mlir-c/", "llvm/", "llvm-c/", "lld/", "clang/")):
                breaches.append(f"{where}: {header}: nothing here may need LLVM")
        elif NAMES_BACKEND.search(line.split("//")[0]) and not path.startswith(MAY_NAME_BACKENDS):
            breaches.append(f"{where}: compares with a backend's name; ask what the target can do instead")
    return breaches


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]).resolve()
    files = [file for folder in ("runtime", "compiler", "frontends", "backends", "python")
             for suffix in ("*.h", "*.cpp", "*.c", "*.td") for file in sorted((root / folder).rglob(suffix))]
    breaches = [breach for file in files for breach in check_file(root, file)]
    print("\n".join(breaches) if breaches else f"{len(files)} files keep the include rule")
    return 1 if breaches or not files else 0


if __name__ == "__main__":
    sys.exit(main())
