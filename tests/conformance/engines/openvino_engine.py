"""OpenVINO on the CPU in f32, tuned for accuracy."""

import numpy as np
import onnx
import openvino
from onnx import helper

from engines.narrow import PACKED, is_narrow, pack, unpack

NARROW = {
    "bfloat16": "bf16", "float8_e4m3fn": "f8e4m3", "float8_e5m2": "f8e5m2", "float8_e8m0fnu": "f8e8m0",
    "int4": "i4", "uint4": "u4", "float4_e2m1fn": "f4e2m1", "uint2": "u2", "int2": "i2",
}


def _type(name: str):
    if name not in NARROW or not hasattr(openvino.Type, NARROW[name]):
        raise NotImplementedError(f"no type for {name}")
    return getattr(openvino.Type, NARROW[name])


def _tensor(value):
    """Types that NumPy lacks go in as their memory."""
    if not isinstance(value, np.ndarray):
        raise NotImplementedError(f"no tensor: {type(value).__name__}")
    if not is_narrow(value.dtype):
        if value.dtype == object:
            value = value.astype(str)
        return openvino.Tensor(np.array(value, order="C"))
    memory = pack(value) if value.dtype.name in PACKED else np.array(value, order="C").reshape(-1).view(np.uint8)
    tensor = openvino.Tensor(_type(value.dtype.name), openvino.Shape(value.shape))
    tensor.data.reshape(-1).view(np.uint8)[:] = memory
    return tensor


def _array(tensor, port: onnx.ValueInfoProto):
    """`port`: the declared output; the engine's own types may be wider (strings, narrow floats)."""
    kind = port.type.tensor_type.elem_type
    wanted = helper.tensor_dtype_to_np_dtype(kind)
    if tensor.get_element_type() == openvino.Type.string:
        return tensor.str_data.astype(object)
    if not is_narrow(wanted):
        return tensor.data
    if tensor.get_element_type() != _type(wanted.name):
        raise NotImplementedError(f"gives {tensor.get_element_type()}, declared {wanted.name}")
    memory = tensor.data.reshape(-1).view(np.uint8)
    shape = tuple(tensor.shape)
    if wanted.name in PACKED:
        return unpack(memory, wanted, int(np.prod(shape, dtype=np.int64))).reshape(shape)
    return memory.view(wanted).reshape(shape)


class Prepared:
    def __init__(self, compiled, model: onnx.ModelProto) -> None:
        self._request = compiled.create_infer_request()
        self._outputs = list(model.graph.output)
        weights = {weight.name for weight in model.graph.initializer}
        self._names = [port.name for port in model.graph.input if port.name not in weights]
        # Inputs in order; but unread ones may be gone, and one that is an output has that name.
        self._ports = dict(zip(self._names, compiled.inputs))
        if len(compiled.inputs) != len(self._names):
            self._ports = {name: port for port in compiled.inputs for name in port.get_names()}

    def run(self, inputs):
        given = {name: _tensor(value) for name, value in zip(self._names, inputs) if name in self._ports}
        for name, tensor in given.items():
            self._request.set_tensor(self._ports[name], tensor)
        self._request.infer()  # an output may be an input's memory: `given` outlives the copies below
        return [_array(self._request.get_output_tensor(i), port).copy() for i, port in enumerate(self._outputs)]

    def facts(self):
        return {}


class Engine:
    def __init__(self, device: str) -> None:
        if device != "cpu":
            raise RuntimeError(f"OpenVINO runs on cpu here, not on {device}")
        self._core = openvino.Core()
        self._config = {"INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY",
                        "INFERENCE_NUM_THREADS": 1}

    def prepare(self, model: onnx.ModelProto):
        compiled = self._core.compile_model(self._core.read_model(model.SerializeToString()), "CPU", self._config)
        if len(compiled.outputs) != len(model.graph.output):
            raise NotImplementedError(f"{len(compiled.outputs)} outputs of {len(model.graph.output)}")
        return Prepared(compiled, model)

    @staticmethod
    def explain(error: Exception, running: bool) -> tuple[str, str]:
        unsupported = not running or isinstance(error, NotImplementedError)
        return ("refused" if unsupported else "error"), f"{type(error).__name__}: {error}"[:200].splitlines()[0]
