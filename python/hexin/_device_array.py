"""Arrays in the memory of a device."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _core
from ._arrays import _NARROW, numpy_dtype


class DeviceArray:
    """A dense array in the memory of a CUDA device: an output that stayed there, or what
    :func:`hexin.to_device` made.

    Sessions of that device take it as an input without a copy. Other libraries do so by
    DLPack (``torch.from_dlpack(array)``) or ``__cuda_array_interface__`` (CuPy, Numba).
    Its contents are complete: there is no stream to wait for. Its memory goes with the
    last object that holds it, at once: work of other streams on it must be over by then.
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.DeviceArray) -> None:
        self._core = core

    @property
    def shape(self) -> tuple[int, ...]:
        return self._core.shape

    @property
    def dtype(self) -> np.dtype:
        """As the array that :meth:`numpy` gives."""
        return numpy_dtype(self._core.dtype)

    @property
    def device(self) -> str:
        return self._core.device

    def numpy(self) -> np.ndarray:
        """A copy on the host."""
        return self._core.numpy()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._core.dlpack_device()

    def __dlpack__(self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None,
                   copy: Any = None) -> Any:
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError(f"the array is on {self.device}; copy it first, as by numpy()")
        if copy:
            raise BufferError("the array is lent, not copied")
        return self._core.dlpack()

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self._core.dtype in _NARROW:
            raise AttributeError(f"the interface has no type for {self._core.dtype}; use DLPack")
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self._core.address, False),
            "strides": None,
            "version": 3,
            "stream": None,
        }

    def __repr__(self) -> str:
        return f"<hexin.DeviceArray {self._core.dtype}{list(self.shape)} on {self.device}>"


def to_device(array: Any, device: str) -> Any:
    """A copy of `array` on `device`: a :class:`DeviceArray`, or a NumPy array where the
    device's memory is the host's.

    Raises UnavailableError for a device that is not there, UnsupportedError for one that
    gives out no addresses of its memory (OpenCL).
    """
    if isinstance(array, DeviceArray):
        return _core.to_device(array, array._core.dtype, device)
    array = np.asarray(array)
    name = next((name for name in _names() if numpy_dtype(name) == array.dtype), None)
    return _core.to_device(array, name or str(array.dtype), device)


def _names() -> list[str]:
    from ._arrays import _NUMPY

    return [name for name in _NUMPY if name != "string"] + list(_NARROW)
