"""Element types, and the slow paths between Python objects and tensors.

Called by hexin._core where the buffer protocol and DLPack do not suffice.
"""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np

from .errors import InvalidArgumentError, ResourceExhaustedError

try:
    import ml_dtypes
except ImportError:  # bf16 and the 8-bit floats are then arrays of their bits
    ml_dtypes = None

# Hexin's name -> NumPy's type.
_NUMPY = {
    "bool": np.bool_,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "u8": np.uint8,
    "u16": np.uint16,
    "u32": np.uint32,
    "u64": np.uint64,
    "f16": np.float16,
    "f32": np.float32,
    "f64": np.float64,
    "c64": np.complex64,
    "c128": np.complex128,
    "string": np.object_,
}

# Hexin's name -> (ml_dtypes' name, type of the bits). One byte per element below
# eight bits, in both.
_NARROW = {
    "bf16": ("bfloat16", np.uint16),
    "f8e4m3fn": ("float8_e4m3fn", np.uint8),
    "f8e4m3fnuz": ("float8_e4m3fnuz", np.uint8),
    "f8e5m2": ("float8_e5m2", np.uint8),
    "f8e5m2fnuz": ("float8_e5m2fnuz", np.uint8),
    "f8e8m0": ("float8_e8m0fnu", np.uint8),
    "i4": ("int4", np.int8),
    "u4": ("uint4", np.uint8),
    "i2": ("int2", np.int8),
    "u2": ("uint2", np.uint8),
    "f4e2m1": ("float4_e2m1fn", np.uint8),
}


def numpy_dtype(name: str) -> np.dtype:
    """The dtype that arrays of Hexin's type `name` have on their way out."""
    if name in _NUMPY:
        return np.dtype(_NUMPY[name])
    narrow_name, bits = _NARROW[name]
    return np.dtype(getattr(ml_dtypes, narrow_name, bits))


def _as_bits(array: Any, name: str, what: str) -> Optional[np.ndarray]:
    """An ml_dtypes array as its bits; None when `array` is something else."""
    if not isinstance(array, np.ndarray):
        return None
    for hexin_name, (narrow_name, bits) in _NARROW.items():
        if array.dtype.name == narrow_name:
            if hexin_name != name:
                raise InvalidArgumentError(
                    f"{what} takes {name}, got {hexin_name}; convert it first, as in "
                    f"array.astype(…)"
                )
            return array.view(bits)
    return None


def output_bits(array: Any, name: str, what: str) -> np.ndarray:
    """The memory of a preallocated output that has no buffer of its own."""
    bits = _as_bits(array, name, what)
    if bits is None:
        raise InvalidArgumentError(
            f"{what} needs a writable array of {name}, got a {type(array).__name__}"
        )
    return bits


def _check_numbers(given: np.ndarray, wanted: np.dtype, name: str, what: str) -> None:
    """Python numbers may become wider kinds (bool, int, float, complex), never
    narrower ones."""
    order = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
    if given.dtype.kind not in order:
        raise InvalidArgumentError(
            f"{what} takes an array of {name}, got {given.dtype} elements"
        )
    # The types of ml_dtypes have kind V; all but the small integers are floats.
    wanted_kind = wanted.kind if wanted.kind in order else "f"
    if given.size and order[given.dtype.kind] > order[wanted_kind]:
        raise InvalidArgumentError(f"{what} takes {name}, got {given.dtype} numbers")


def to_array(value: Any, name: str, what: str) -> np.ndarray:
    """Python numbers and nested lists as an array of `name`.

    Numbers must fit: 1.5 is no i64 and 300 is no u8. `what` names the value in
    errors.
    """
    bits = _as_bits(value, name, what)
    if bits is not None:
        return bits
    if isinstance(value, np.ndarray):
        raise InvalidArgumentError(f"{what} takes {name}, got an array of {value.dtype}")
    dtype = numpy_dtype(name)
    try:
        given = np.asarray(value)
        _check_numbers(given, dtype, name, what)
        array = np.asarray(value, dtype=dtype)
    except InvalidArgumentError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgumentError(
            f"{what}: cannot make an array of {name} from a {type(value).__name__}: "
            f"{error}"
        ) from None
    bits = _as_bits(array, name, what)
    return array if bits is None else bits


def from_bits(bits: np.ndarray, name: str) -> np.ndarray:
    """An array of bits as the narrow type it stands for, where NumPy knows it."""
    dtype = numpy_dtype(name)
    return bits if dtype == bits.dtype else bits.view(dtype)


def flatten_strings(value: Any, what: str) -> tuple[tuple[int, ...], list[bytes]]:
    """(shape, elements as UTF-8) of a str, bytes, or (nested) array of them."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # lists of different lengths
        raise InvalidArgumentError(
            f"{what} takes an array of strings, got a {type(value).__name__} that is "
            f"none: {error}"
        ) from None
    if array.dtype.kind not in "USO" and array.size:
        raise InvalidArgumentError(f"{what} takes strings, got {array.dtype}")
    elements = []
    for element in array.ravel().tolist():
        if isinstance(element, str):
            try:
                element = element.encode("utf-8", "surrogateescape")
            except UnicodeEncodeError as error:
                raise InvalidArgumentError(
                    f"{what}: {element!r} has no UTF-8 form: {error.reason} at "
                    f"character {error.start}"
                ) from None
        elif not isinstance(element, bytes):
            raise InvalidArgumentError(
                f"{what} takes strings, got a {type(element).__name__}"
            )
        elements.append(element)
    return array.shape, elements


def string_array(elements: list[str], dims: list[int]) -> np.ndarray:
    """An object array of str."""
    if math.prod(dims) != len(elements):
        raise ResourceExhaustedError(f"{len(elements)} strings do not fill {dims}")
    array = np.empty(len(elements), dtype=np.object_)
    array[:] = elements
    try:
        return array.reshape(dims)
    except ValueError:  # sizes beside a 0 may be more than NumPy counts
        raise ResourceExhaustedError(
            f"NumPy has no array of the sizes {list(dims)}; do without this output, or ask for smaller sizes"
        ) from None
