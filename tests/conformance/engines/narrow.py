"""Elements of less than a byte: ml_dtypes has one per byte, engines pack them, low bits first."""

import numpy as np

# Name -> bits.
PACKED = {"int4": 4, "uint4": 4, "float4_e2m1fn": 4, "int2": 2, "uint2": 2}


def is_narrow(dtype: np.dtype) -> bool:
    """Whether NumPy itself lacks the type."""
    return dtype.type.__module__ == "ml_dtypes"


def pack(array: np.ndarray) -> np.ndarray:
    bits = PACKED[array.dtype.name]
    per_byte = 8 // bits
    values = array.reshape(-1).view(np.uint8) & ((1 << bits) - 1)
    values = np.pad(values, (0, -len(values) % per_byte)).reshape(-1, per_byte)
    packed = np.zeros(len(values), np.uint8)
    for i in range(per_byte):
        packed |= values[:, i] << (bits * i)
    return packed


def unpack(memory: np.ndarray, dtype: np.dtype, count: int) -> np.ndarray:
    bits = PACKED[dtype.name]
    values = np.stack([(memory >> (bits * i)) & ((1 << bits) - 1) for i in range(8 // bits)], -1).reshape(-1)[:count]
    if dtype.name.startswith("int"):
        values = (values.astype(np.int8) << (8 - bits)) >> (8 - bits)
        return values.astype(np.int8).astype(dtype)
    return values.astype(np.uint8).view(dtype) if dtype.name.startswith("float") else values.astype(dtype)
