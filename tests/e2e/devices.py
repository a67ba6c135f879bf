"""The devices that tests of numbers run on, and the targets that they compile for.

cuda:0 is the stand-in's (tests/cuda_driver): PTX that the CPU executes, with everything queued until somebody waits. It
is left out where the build has no cuda backend. HEXIN_TEST_DEVICES=cuda:0 looks at that one only.
"""

import os
from pathlib import Path

BUILD = Path(os.environ.get("HEXIN_BUILD_DIR") or Path(__file__).resolve().parents[2] / "build" / "release")

DEVICES = ["cpu", "opencl:0"]
if (BUILD / "lib" / "libhexin_backend_cuda.so").exists():
    DEVICES.append("cuda:0")

if os.environ.get("HEXIN_TEST_DEVICES"):
    DEVICES = [device for device in DEVICES if device in os.environ["HEXIN_TEST_DEVICES"].split(",")]

TARGETS = [device.partition(":")[0] for device in DEVICES]
