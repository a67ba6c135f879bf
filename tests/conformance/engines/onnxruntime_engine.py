"""ONNX Runtime, CPU provider, default settings, but opened for models newer than it declares."""

import ctypes
import os

os.environ["ALLOW_RELEASED_ONNX_OPSET_ONLY"] = "0"  # before the library is loaded

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from onnx import helper  # noqa: E402

from engines.narrow import PACKED, is_narrow, pack, unpack  # noqa: E402

NEWEST_IR = 13  # it refuses a newer number, whatever the model holds


def _ort_value(value):
    """Types that NumPy lacks go in as their memory."""
    if not isinstance(value, np.ndarray) or not is_narrow(value.dtype):
        return value
    kind = helper.np_dtype_to_tensor_dtype(value.dtype)
    if value.dtype.name in PACKED:
        result = onnxruntime.OrtValue.ortvalue_from_shape_and_type(list(value.shape), kind)
        packed = pack(value)
        ctypes.memmove(result.data_ptr(), packed.ctypes.data, packed.nbytes)
        return result
    bits = np.array(value, order="C").view(f"u{value.dtype.itemsize}")
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, kind)


def _array(value):
    """An OrtValue as an array."""
    if not value.is_tensor():
        return value
    dtype = helper.tensor_dtype_to_np_dtype(value.element_type())
    if not is_narrow(dtype):
        return value.numpy()
    shape, count = value.shape(), int(np.prod(value.shape(), dtype=np.int64))
    if dtype.name in PACKED:
        size = -(-count * PACKED[dtype.name] // 8)
        memory = np.frombuffer(ctypes.string_at(value.data_ptr(), size), np.uint8)
        return unpack(memory, dtype, count).reshape(shape)
    return np.frombuffer(ctypes.string_at(value.data_ptr(), count * dtype.itemsize), dtype).reshape(shape)


class Prepared:
    def __init__(self, session) -> None:
        self._session = session
        self._names = [port.name for port in session.get_inputs()]
        narrow = ("bfloat16", "float8", "float4", "int4", "int2")
        self._narrow = any(name in port.type for port in session.get_outputs() for name in narrow)

    def run(self, inputs):
        feeds = {name: _ort_value(value) for name, value in zip(self._names, inputs)}
        if not self._narrow:
            return list(self._session.run(None, feeds))
        feeds = {name: value if isinstance(value, onnxruntime.OrtValue) else
                 onnxruntime.OrtValue.ortvalue_from_numpy(np.asarray(value)) for name, value in feeds.items()}
        return [_array(value) for value in self._session.run_with_ort_values(None, feeds)]

    def facts(self):
        return {}


class Engine:
    def __init__(self, device: str) -> None:
        if device != "cpu":
            raise RuntimeError(f"ONNX Runtime runs on cpu here, not on {device}")
        self._options = onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = self._options.inter_op_num_threads = 1
        self._options.log_severity_level = 4

    def prepare(self, model: onnx.ModelProto):
        model.ir_version = min(model.ir_version, NEWEST_IR)
        return Prepared(onnxruntime.InferenceSession(
            model.SerializeToString(), self._options, providers=["CPUExecutionProvider"]))

    @staticmethod
    def explain(error: Exception, running: bool) -> tuple[str, str]:
        return ("error" if running else "refused"), f"{type(error).__name__}: {error}"[:200].splitlines()[0]
