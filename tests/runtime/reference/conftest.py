"""Puts hexin_reference.py, the kernels seen from Python, on the path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
