"""Exceptions of Hexin.

Every failure inside Hexin raises a subclass of :class:`Error`, one per status
code of the C++ API. Each is also the built-in exception that fits best, so
``except ValueError`` or ``except FileNotFoundError`` work as expected. The
message says what was expected, what came, where, and what to do.
"""

from __future__ import annotations


class Error(Exception):
    """Base of all exceptions of Hexin."""

    #: The status code's name, as the command line prints it.
    code: str = "error"

    def __str__(self) -> str:
        # Some built-in bases (KeyError, OSError) would format it their own way.
        return str(self.args[0]) if self.args else self.code


class InvalidArgumentError(Error, ValueError):
    """The caller passed something that the call cannot take."""

    code = "invalid argument"


class NotFoundError(Error, FileNotFoundError, KeyError):
    """A file, name, device or entry does not exist."""

    code = "not found"


class UnsupportedError(Error, NotImplementedError):
    """Understood, but not something this build can do."""

    code = "unsupported"


class CorruptDataError(Error, ValueError):
    """A file whose contents contradict themselves."""

    code = "corrupt data"


class VersionMismatchError(Error, ValueError):
    """A file or library of a version that this build does not read."""

    code = "version mismatch"


class UnavailableError(Error, RuntimeError):
    """A device, driver or library is not there."""

    code = "unavailable"


class ResourceExhaustedError(Error, MemoryError):
    """Memory, disk or a stated limit is used up."""

    code = "resource exhausted"


class OutOfRangeError(Error, IndexError):
    """An index that a run met lies outside its tensor."""

    code = "out of range"


class FailedPreconditionError(Error, RuntimeError):
    """The object is not in a state for this call."""

    code = "failed precondition"


class DeviceLostError(Error, RuntimeError):
    """The device failed during a run."""

    code = "device lost"


class IoError(Error, OSError):
    """The operating system refused a read or write."""

    code = "I/O error"


class InternalError(Error, RuntimeError):
    """A bug in Hexin; please report it."""

    code = "internal error"


# In the order of hexin::StatusCode, without ok.
_BY_CODE = (
    InvalidArgumentError,
    NotFoundError,
    UnsupportedError,
    CorruptDataError,
    VersionMismatchError,
    UnavailableError,
    ResourceExhaustedError,
    OutOfRangeError,
    FailedPreconditionError,
    DeviceLostError,
    IoError,
    InternalError,
)


def from_status(code: int, message: str) -> Error:
    """The exception for a failed status of the C++ API."""
    known = 1 <= code <= len(_BY_CODE)
    return (_BY_CODE[code - 1] if known else InternalError)(message)
