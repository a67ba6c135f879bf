"""The devices of this machine."""

from __future__ import annotations

from typing import NamedTuple

from . import _core


class Device(NamedTuple):
    id: str  #: its name everywhere: ``cpu``, ``opencl:0``, ``opencl:1``
    name: str  #: as the vendor calls it
    driver: str  #: platform and driver version
    image_archs: tuple[str, ...]  #: code it runs, best first
    memory_bytes: int
    compute_units: int
    available: bool
    reason: str  #: when not available: why, and what to do


def devices() -> list[Device]:
    """Every device of every backend that could be loaded, and an entry with
    ``available=False`` and its reason for each backend that could not.
    """
    return [Device(*device) for device in _core.devices()]
