"""Hexin: compile a model once, run it on every chip.

>>> import hexin
>>> hexin.compile("model.onnx", "model.hxm", targets=["cpu", "opencl"])
>>> session = hexin.Session("model.hxm", device="opencl:0")
>>> outputs = session.run({"x": image})
"""

from ._core import version as __version__
from ._device_array import DeviceArray, to_device
from .compiler import CompileReport, compile, retarget
from .device import Device, devices
from .errors import (
    CorruptDataError,
    DeviceLostError,
    Error,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    IoError,
    NotFoundError,
    OutOfRangeError,
    ResourceExhaustedError,
    UnavailableError,
    UnsupportedError,
    VersionMismatchError,
)
from .log import log_level, set_log_level, set_log_sink
from .model import Model, Port, State, inspect
from .session import Run, Session, SessionStats

__all__ = [
    "CompileReport",
    "CorruptDataError",
    "Device",
    "DeviceArray",
    "DeviceLostError",
    "Error",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "IoError",
    "Model",
    "NotFoundError",
    "OutOfRangeError",
    "Port",
    "ResourceExhaustedError",
    "Run",
    "Session",
    "SessionStats",
    "State",
    "UnavailableError",
    "UnsupportedError",
    "VersionMismatchError",
    "__version__",
    "compile",
    "devices",
    "inspect",
    "log_level",
    "retarget",
    "set_log_level",
    "set_log_sink",
    "to_device",
]
