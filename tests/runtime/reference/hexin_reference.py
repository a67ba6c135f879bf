"""The reference kernels from Python: run("conv", [x, w], strides=[1, 1], ...)."""

import ctypes
import functools
import os
from pathlib import Path

import ml_dtypes
import numpy as np

NUMPY_TYPES = {
    "bool": np.bool_, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64,
    "f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32, "f64": np.float64,
    "c64": np.complex64, "c128": np.complex128, "string": None,
    "f8e4m3fn": ml_dtypes.float8_e4m3fn, "f8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "f8e5m2": ml_dtypes.float8_e5m2, "f8e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "f8e8m0": ml_dtypes.float8_e8m0fnu, "i4": ml_dtypes.int4, "u4": ml_dtypes.uint4,
    "i2": ml_dtypes.int2, "u2": ml_dtypes.uint2, "f4e2m1": ml_dtypes.float4_e2m1fn,
}
DTYPES = {np.dtype(t): i for i, t in enumerate(NUMPY_TYPES.values()) if t}
OUT_OF_RANGE, INVALID_ARGUMENT, UNSUPPORTED, EXHAUSTED = 8, 1, 3, 7


class CTensor(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("dims", ctypes.POINTER(ctypes.c_int64)), ("data", ctypes.c_void_p),
                ("byte_length", ctypes.c_uint64)]


class ReferenceError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


@functools.cache
def library():
    build = Path(os.environ.get("HEXIN_BUILD_DIR") or
                 Path(__file__).resolve().parents[3] / "build" / "release")
    lib = ctypes.CDLL(os.environ.get("HEXIN_REFERENCE_CAPI") or
                      build / "lib" / "libhexin_reference_capi.so")
    lib.hexin_reference_run.restype = ctypes.c_void_p
    lib.hexin_reference_message.restype = ctypes.c_char_p
    lib.hexin_reference_ops.restype = ctypes.c_char_p
    for name in ("free", "code", "message", "result"):
        getattr(lib, f"hexin_reference_{name}").argtypes = [ctypes.c_void_p] + (
            [ctypes.c_int32, ctypes.POINTER(CTensor)] if name == "result" else [])
    return lib


def ops():
    return library().hexin_reference_ops().decode().split()


def _attribute_line(name, value):
    if isinstance(value, (bool, int, np.integer)):
        return f"{name} i {int(value)}"
    if isinstance(value, (float, np.floating)):
        return f"{name} f {float(value)!r}"
    if isinstance(value, str):
        return f"{name} s {value}"
    value = list(value)
    kind = ("S" if value and isinstance(value[0], str) else
            "F" if value and isinstance(value[0], (float, np.floating)) else "I")
    return f"{name} {kind} " + ",".join(
        v if kind == "S" else repr(float(v)) if kind == "F" else str(int(v)) for v in value)


def run(op, operands, types=None, box=None, **attributes):
    """The results as arrays; `types` are dtypes, by default that of operand 0.

    A single result comes alone, several as a list. `box` is (begin, end).
    """
    arrays = [None if x is None else np.array(x, order="C") for x in operands]
    c_operands = (CTensor * max(len(arrays), 1))()
    keep = []
    for slot, array in zip(c_operands, arrays):
        if array is None:
            slot.dtype = -1
            continue
        dims = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
        keep.append(dims)
        slot.dtype = DTYPES[array.dtype]
        slot.rank, slot.dims = array.ndim, dims
        slot.data, slot.byte_length = array.ctypes.data, array.nbytes
    is_single = types is None or not isinstance(types, (list, tuple))
    types = [arrays[0].dtype] if types is None else [types] if is_single else types
    c_types = (ctypes.c_int32 * len(types))(*(DTYPES[np.dtype(t)] for t in types))
    c_box, rank = None, 0
    if box is not None:
        rank = len(box[0])
        c_box = (ctypes.c_int64 * (2 * rank + 1))(*box[0], *box[1])
    text = "\n".join(_attribute_line(k, v) for k, v in attributes.items())
    lib = library()
    outcome = lib.hexin_reference_run(op.encode(), text.encode(), c_operands, len(arrays),
                                      c_types, len(types), c_box, rank)
    try:
        if code := lib.hexin_reference_code(outcome):
            raise ReferenceError(code, lib.hexin_reference_message(outcome).decode())
        results, tensor = [], CTensor()
        for i in range(len(types)):
            assert lib.hexin_reference_result(outcome, i, ctypes.byref(tensor))
            dims = [tensor.dims[k] for k in range(tensor.rank)]
            raw = ctypes.string_at(tensor.data, tensor.byte_length)
            results.append(np.frombuffer(raw, np.dtype(types[i])).reshape(dims).copy())
        return results[0] if is_single else results
    finally:
        lib.hexin_reference_free(outcome)
