"""Instructions that valgrind counts."""

import re
import shutil
import subprocess

import pytest

needs_valgrind = [pytest.mark.speed,
                  pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")]


def instructions(build_dir, folder, what, count, path):
    out = folder / f"{what}{count}"
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                    build_dir / "bin" / "hexin-speed-probe", what, str(count), path],
                   check=True, capture_output=True, timeout=120)
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[1])


def of_one(build_dir, folder, what, path, few=5, many=25):
    """Of one more, when it has been done a few times."""
    counts = [instructions(build_dir, folder, what, count, path) for count in (few, many)]
    return (counts[1] - counts[0]) / (many - few)
