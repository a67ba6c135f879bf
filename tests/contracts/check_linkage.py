#!/usr/bin/env python3
"""Checks what the built libraries need and how large they are.

    check_linkage.py BUILD_DIR

The runtime and the backends' runtime halves load no LLVM, MLIR or clang, and no
vendor's driver directly (those are loaded when used); libhexin is at most 2 MB.
"""

import re
import subprocess
import sys
from pathlib import Path

MAX_BYTES = {"libhexin.so": 2_000_000}
# Libraries of the compiler's side, which may need LLVM.
COMPILER_SIDE = re.compile(r"libhexin_compiler|/hexin-opt$")
FORBIDDEN = re.compile(r"LLVM|MLIR|clang|lld", re.IGNORECASE)
LOADED_WHEN_USED = re.compile(r"libOpenCL|libcuda|libcudart|libcublas|libcudnn")


def needed(path: Path) -> list[str]:
    """All libraries the loader would load for `path`, their names."""
    text = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in text.splitlines() if line.strip() and "statically" not in line]


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    files = [*sorted((build / "lib").glob("libhexin*.so")), *(build / "bin").glob("hexin")]
    faults = []
    for path in files:
        if COMPILER_SIDE.search(str(path)):
            continue
        size = path.resolve().stat().st_size
        libraries = needed(path)
        print(f"{path.relative_to(build)}: {size / 1e6:.2f} MB, needs {' '.join(libraries)}")
        faults += [f"{path.name} needs {name}" for name in libraries
                   if FORBIDDEN.search(name) or LOADED_WHEN_USED.search(name)]
        if size > MAX_BYTES.get(path.name, size):
            faults.append(f"{path.name} has {size} bytes, at most {MAX_BYTES[path.name]} are allowed")
    if not (build / "lib" / "libhexin.so").exists():
        faults.append(f"{build}/lib/libhexin.so is not there: build it first")
    print("\n".join(f"fault: {fault}" for fault in faults) or "no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
