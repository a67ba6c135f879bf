"""The ``onnx.backend.base.Backend`` interface, for ONNX's own test suite and for
programs written against it.

>>> import hexin.onnx_backend as backend
>>> outputs = backend.prepare(model, device="OPENCL:0").run([x])
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import onnx
from onnx import helper
from onnx.backend.base import Backend, BackendRep, namedtupledict

from .compiler import CompileReport, compile
from .device import devices
from .errors import InvalidArgumentError
from .model import Model
from .session import Session


def _device_id(device: str) -> str:
    """ONNX's names ("CPU", "CUDA:1") and ours (``cpu``, ``opencl:0``) as ours."""
    kind, _, index = device.lower().partition(":")
    if kind == "cpu":
        return "cpu"
    return f"{kind}:{index or 0}"


class HexinRep(BackendRep):
    """A prepared model: a session that runs again and again, and what its compile reported."""

    def __init__(self, session: Session, report: CompileReport) -> None:
        self.session = session
        self.report = report
        self._input_names = [port.name for port in session.inputs]
        self._output_names = [port.name for port in session.outputs]

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """`inputs`: values in the model's order, {name: value}, or one value.

        Gives a named tuple of the outputs in the model's order.
        """
        if not isinstance(inputs, Mapping):
            if not isinstance(inputs, (list, tuple)):
                inputs = [inputs]
            if len(inputs) > len(self._input_names):
                raise InvalidArgumentError(
                    f"the model takes {len(self._input_names)} inputs "
                    f"{self._input_names}, got {len(inputs)}"
                )
            inputs = dict(zip(self._input_names, inputs))
        outputs = self.session.run(inputs)
        values = [outputs[name] for name in self._output_names]
        return namedtupledict("Outputs", self._output_names)(*values)


class HexinBackend(Backend):
    """Compiles each model into a temporary artifact and runs it."""

    @classmethod
    def prepare(
        cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any
    ) -> HexinRep:
        """`kwargs`: ``threads`` and the dict ``session_options`` for the session,
        anything else for :func:`hexin.compile`."""
        device = _device_id(device)
        options = {"threads": kwargs.pop("threads", 0)} | kwargs.pop("session_options", {})
        with tempfile.TemporaryDirectory(prefix="hexin-") as directory:
            path = os.path.join(directory, "model.hxm")
            report = compile(
                model, path, targets=[device.partition(":")[0]], **kwargs
            )
            # The mapping outlives the file.
            return HexinRep(Session(Model(path), device, **options), report)

    @classmethod
    def run_model(
        cls, model: onnx.ModelProto, inputs: Any, device: str = "CPU", **kwargs: Any
    ) -> tuple[Any, ...]:
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(
        cls,
        node: onnx.NodeProto,
        inputs: Any,
        device: str = "CPU",
        outputs_info: Optional[Sequence[tuple[Any, tuple[int, ...]]]] = None,
        opset: Optional[int] = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Runs one node. `inputs`: arrays in the node's order or {name: array};
        `opset`: the version of the node's domain, by default the newest."""
        import numpy as np

        names = list(dict.fromkeys(name for name in node.input if name))
        values = inputs if isinstance(inputs, Mapping) else dict(zip(names, inputs))
        arrays = {name: np.asarray(values[name]) for name in names}
        graph_inputs = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in arrays.items()
        ]
        graph_outputs = [
            helper.make_empty_tensor_value_info(name) for name in node.output if name
        ]
        if outputs_info is not None:
            graph_outputs = [
                helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape
                )
                for name, (dtype, shape) in zip(node.output, outputs_info)
            ]
        graph = helper.make_graph([node], "node", graph_inputs, graph_outputs)
        newest = onnx.defs.onnx_opset_version()
        if node.domain == "ai.onnx.ml":
            imports = [
                helper.make_opsetid("", newest),
                helper.make_opsetid(
                    "ai.onnx.ml", opset or onnx.defs.onnx_ml_opset_version()
                ),
            ]
        else:
            imports = [helper.make_opsetid(node.domain, opset or newest)]
        model = helper.make_model(graph, opset_imports=imports)
        model = onnx.shape_inference.infer_shapes(model)
        return cls.run_model(model, arrays, device, **kwargs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        device = _device_id(device)
        return any(found.id == device and found.available for found in devices())


is_compatible = HexinBackend.is_compatible
prepare = HexinBackend.prepare
run_model = HexinBackend.run_model
run_node = HexinBackend.run_node
supports_device = HexinBackend.supports_device
