"""Arguments as C++ wants them; of another type, an InvalidArgumentError that names them."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping
from typing import Any

from . import _core
from .errors import InvalidArgumentError


def text(argument: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{argument} is a str, got {value!r}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{argument} has no UTF-8 form: {value!r}") from None
    return value


def option(argument: str, value: Any) -> str:
    """Text that goes to the operating system or a driver, where a NUL would end it."""
    if "\0" in text(argument, value):
        raise InvalidArgumentError(f"{argument} holds a NUL character: {value!r}")
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
        text(f"a name of {argument}", value)
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
    return option(argument, os.fsdecode(plain))


def integer(argument: str, value: Any, most: int) -> int:
    """0 to `most`, of any type that is an integer, but no bool."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number <= most:
        limit = "2**64 - 1" if most == 2**64 - 1 else most
        raise InvalidArgumentError(f"{argument} is 0 to {limit}, got {value!r}")
    return number


def threads(value: Any) -> int:
    return integer("threads", value, _core.max_threads)


def flag(argument: str, value: Any) -> bool:
    if value is not True and value is not False:
        raise InvalidArgumentError(f"{argument} is True or False, got {value!r}")
    return value


def bound(argument: str, value: Any) -> float:
    """A number from 0 on; infinity is one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise InvalidArgumentError(f"{argument} is a number from 0 on, got {value!r}")
