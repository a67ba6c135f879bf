"""The ``hexin`` command of an installed wheel: runs the executable beside us."""

import os
import sys


def main() -> None:
    command = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "hexin")
    try:
        os.execv(command, ["hexin", *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"hexin: error: cannot run {command}: {error.strerror}")
