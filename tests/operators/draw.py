"""What strategies draw from: hypothesis for structure, NumPy from a drawn seed for numbers.

Structure (ranks, sizes, attributes, types) shrinks choice by choice; of numbers only the
seed, the range and whether special values are among them."""

import math
from functools import lru_cache
from typing import Any, Sequence

import ml_dtypes
import numpy as np
from hypothesis import strategies as st
from onnx import defs

DTYPES = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16,
    "tensor(bfloat16)": ml_dtypes.bfloat16, "tensor(bool)": np.bool_, "tensor(string)": np.object_,
    "tensor(int8)": np.int8, "tensor(int16)": np.int16, "tensor(int32)": np.int32, "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8, "tensor(uint16)": np.uint16, "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64, "tensor(complex64)": np.complex64, "tensor(complex128)": np.complex128,
    "tensor(float8e4m3fn)": ml_dtypes.float8_e4m3fn, "tensor(float8e4m3fnuz)": ml_dtypes.float8_e4m3fnuz,
    "tensor(float8e5m2)": ml_dtypes.float8_e5m2, "tensor(float8e5m2fnuz)": ml_dtypes.float8_e5m2fnuz,
    "tensor(float8e8m0)": ml_dtypes.float8_e8m0fnu, "tensor(float4e2m1)": ml_dtypes.float4_e2m1fn,
    "tensor(int4)": ml_dtypes.int4, "tensor(uint4)": ml_dtypes.uint4,
    "tensor(int2)": ml_dtypes.int2, "tensor(uint2)": ml_dtypes.uint2,
}
NARROW = {name for name in DTYPES if "float8" in name or "int4" in name or "float4" in name or "int2)" in name}
COMMON = "tensor(float)"  # drawn as often as all others together


@lru_cache(maxsize=None)
def allowed_types(domain: str, op: str, since: int, parameter: str) -> tuple[str, ...]:
    """Tensor types of a type parameter, most common first, or of a formal input by its name."""
    schema = defs.get_schema(op, since, domain)
    for constraint in schema.type_constraints:
        if constraint.type_param_str == parameter:
            found = constraint.allowed_type_strs
            break
    else:
        found = next(port.types for port in (*schema.inputs, *schema.outputs) if port.name == parameter)
    known = [name for name in DTYPES if name in set(found)]
    return tuple(known)


class Draw:
    """One case being drawn. `since` is the version that it is for."""

    def __init__(self, draw, domain: str, op: str, since: int, opset: int) -> None:
        self._draw, self.domain, self.op, self.since, self.opset = draw, domain, op, since, opset

    # Structure.

    def int(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def pick(self, choices: Sequence) -> Any:
        return self._draw(st.sampled_from(list(choices)))

    def flag(self, odds: int = 2) -> bool:
        """True once in `odds`; shrinks to False."""
        return self._draw(st.integers(0, odds - 1)) == odds - 1

    def maybe(self, attributes: dict, key: str, value: Any) -> Any:
        """Puts an attribute in or leaves it to its default; returns it when it is in."""
        if self.flag():
            attributes[key] = value
            return value
        return None

    def dim(self, low: int = 0, high: int = 7) -> int:
        """A size: small, odd ones often; 0 where it is allowed, rarely."""
        if low == 0 and self._draw(st.integers(0, 24)) == 24:
            return 0
        size = self._draw(st.sampled_from([2, 3, 1, 5, 7, 4, 17, 6, 33]))
        return max(low, 1, min(size, high))

    def shape(self, low: int = 0, high: int = 4, least: int = 0, most: int = 7) -> tuple[int, ...]:
        return tuple(self.dim(least, most) for _ in range(self.int(low, high)))

    def broadcast(self, shape: Sequence[int], one_way: bool = False) -> tuple[int, ...]:
        """A shape that broadcasts with `shape`: some dims 1, leading ones missing."""
        kept = list(shape)[self.int(0, len(shape)):] if self.flag() else list(shape)
        return tuple(1 if self.flag(3) else size for size in kept)

    def axis(self, rank: int, negative: bool = True) -> int:
        return self._draw(st.integers(-rank if negative else 0, rank - 1))

    def axes(self, rank: int, negative: bool = True, least: int = 0) -> list[int]:
        """Different axes, some counted from the end, in any order."""
        chosen = self._draw(st.permutations(range(rank)))[:self.int(min(least, rank), rank)]
        return [axis - rank if negative and self.flag(3) else axis for axis in chosen]

    def permutation(self, rank: int) -> list[int]:
        return list(self._draw(st.permutations(range(rank))))

    def dtype(self, parameter: str = "T", without: Sequence[str] = (), narrow: bool = False) -> np.dtype:
        """A type that the schema of this version allows; the common one more often."""
        names = [name for name in allowed_types(self.domain, self.op, self.since, parameter)
                 if name not in without and (narrow or name not in NARROW)]
        if COMMON in names and not self.flag(2):
            return np.dtype(np.float32)
        return np.dtype(DTYPES[self.pick(names)])

    # Numbers.

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self._draw(st.integers(0, 2**20)))

    def values(self, shape: Sequence[int], dtype=np.float32, low: float = -4, high: float = 4,
               special: bool = False) -> np.ndarray:
        """Numbers of a range; `special`: now and then NaN, infinities, -0 and extremes among them."""
        dtype, rng = np.dtype(dtype), self.rng()
        count = math.prod(shape)
        if dtype.kind == "b":
            return rng.integers(0, 2, shape).astype(bool)
        if dtype.kind == "O":
            words = np.array(["", "a", "b", "ab", "Wort", "合芯", "x y", "A"], object)
            return np.array([words[i] for i in rng.integers(0, len(words), count)], object).reshape(shape)
        if dtype.kind == "c":
            return (rng.uniform(low, high, shape) + 1j * rng.uniform(low, high, shape)).astype(dtype)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            result = rng.integers(max(int(low), limits.min), min(int(high), limits.max), shape, dtype=dtype, endpoint=True)
            extremes = [limits.min, limits.max, 0]
        elif dtype.name in ("int4", "uint4", "int2", "uint2"):
            limits = ml_dtypes.iinfo(dtype)
            return rng.integers(int(limits.min), int(limits.max), shape, endpoint=True).astype(np.int8).astype(dtype)
        else:
            if dtype.name in ("float4_e2m1fn",) or dtype.name.startswith("float8"):
                low, special = max(low, 0.25 if "e8m0" in dtype.name else low), False
            result = rng.uniform(low, high, shape).astype(dtype)
            info = ml_dtypes.finfo(dtype)
            extremes = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, float(info.max), float(info.smallest_normal)]
        if special and count and self.flag(3):
            flat = result.reshape(-1)
            for _ in range(1 + count // 4):
                flat[rng.integers(0, count)] = extremes[rng.integers(0, len(extremes))]
        return np.asarray(result).reshape(shape)

    def indices(self, shape: Sequence[int], size: int, dtype=np.int64, negative: bool = True) -> np.ndarray:
        return self.rng().integers(-size if negative else 0, max(size, 1), shape).astype(dtype)

    def constants(self, *positions: int) -> frozenset:
        """Each of these inputs is an initializer or comes with the run."""
        return frozenset(position for position in positions if self.flag())
