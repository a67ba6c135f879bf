"""What the library says of its work.

Results and failures are return values and exceptions; messages only tell how things
went: which backend was loaded and why another was not, which code was chosen, what a
plan or a compile took.

>>> hexin.set_log_level("info")
>>> hexin.set_log_sink(lambda level, message: logger.log(getattr(logging, level.upper()), message))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from . import _arguments, _core
from .errors import InvalidArgumentError


def set_log_level(level: str) -> None:
    """``off``, ``error``, ``warning``, ``info`` or ``debug``, for the whole process.

    At first it is that of the environment variable ``HEXIN_LOG_LEVEL``, else
    ``warning``, at which nothing is said in ordinary work. ``info`` speaks once per
    library, device, model, session and compile; ``debug`` also per plan and phase of
    the compiler. Raises InvalidArgumentError for another text.
    """
    _core.set_log_level(_arguments.option("level", level))


def log_level() -> str:
    """The level that holds now."""
    return _core.log_level()


def set_log_sink(sink: Optional[Callable[[str, str], None]]) -> None:
    """Calls ``sink(level, message)`` for each message from now on; None writes to
    stderr, as at first.

    It is called from whatever thread has something to say, and must not call hexin.
    An exception that it raises is reported as unraisable and does no harm.
    """
    if sink is not None and not callable(sink):
        raise InvalidArgumentError(f"sink is a function of (level, message), got {sink!r}")
    _core.set_log_sink(sink)
