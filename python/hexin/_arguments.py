"""Arguments as C++ wants them; of another type, an InvalidArgumentError that names them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from . import _core
from .errors import InvalidArgumentError


def text(argument: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{argument} is a str, got {value!r}")
    return value


def names(argument: str, values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        raise InvalidArgumentError(f"{argument} is a list of names, got the str {values!r}")
    if not isinstance(values, Iterable):
        raise InvalidArgumentError(f"{argument} is a list of names, got {values!r}")
    listed = list(values)
    for value in listed:
        if not isinstance(value, str):
            raise InvalidArgumentError(f"{argument} is a list of names, got {value!r} in it")
    return listed


def mapping(argument: str, value: Any, form: str) -> dict[str, Any]:
    """`value` as a dict with names as keys; None is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"{argument} is {form}, got {value!r}")
    for key in value:
        text(f"a key of {argument}", key)
    return dict(value)


def path(argument: str, value: Any) -> str:
    try:
        plain = os.fspath(value)
    except TypeError:
        raise InvalidArgumentError(
            f"{argument} is a path, got a {type(value).__name__}"
        ) from None
    return os.fsdecode(plain)


def threads(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _core.max_threads:
        raise InvalidArgumentError(f"threads is 0 to {_core.max_threads}, got {value!r}")
    return value
