#!/usr/bin/env python3
"""Checks that a libcuda.so.1 of ours exports what Functions.def lists, and nothing else.

    check_exports.py LIBRARY FUNCTIONS_DEF NEWEST

NEWEST is the CUDA version (12040: 12.4) whose driver the library poses as.
"""

import re
import subprocess
import sys
from pathlib import Path


def main() -> int:
    library, functions, newest = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rows = re.findall(r"^STANDIN_(?:FUNCTION|LEGACY)\((\w+), (\d+)", Path(functions).read_text(), re.M)
    wanted = {name for name, since in rows if int(since) <= newest}
    wanted |= {
        "standinCounters",
        "standinHostAddress",
        "standinReport",
        "standinLastError",
        "standinSet",
        "standinReset",
    }
    text = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    exported = {line.split()[-1].split("@")[0] for line in text.splitlines()}
    for name in sorted(wanted - exported):
        print(f"fault: {name} is not exported")
    for name in sorted(exported - wanted):
        print(f"fault: {name} is exported, and not in Functions.def")
    print(f"{len(exported)} functions of {Path(library).name}")
    return 0 if rows and wanted == exported else 1


if __name__ == "__main__":
    sys.exit(main())
