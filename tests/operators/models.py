"""Many cases as independent nodes of one model, so that they cost one compile."""

import copy
from typing import Sequence

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper

from operators.case import Case, element_type

# ai.onnx beside nodes of other domains, which live in versions of their own.
COMPANION = 21
IR = {**{opset: 8 for opset in range(6, 19)}, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13, 27: 13, 28: 14}
PACKED = {"int4": 4, "uint4": 4, "float4_e2m1fn": 4, "int2": 2, "uint2": 2}


def tensor(value: np.ndarray, name: str) -> TensorProto:
    """An initializer, also of types that NumPy lacks."""
    kind = element_type(value.dtype)
    if value.dtype.kind == "O":
        return helper.make_tensor(name, kind, value.shape, [str(text).encode() for text in value.ravel()])
    bits = PACKED.get(value.dtype.name)
    if bits is None:
        return TensorProto(name=name, data_type=kind, dims=value.shape, raw_data=np.ascontiguousarray(value).tobytes())
    per_byte = 8 // bits
    raw = value.ravel().view(np.uint8) & (2**bits - 1)
    raw = np.concatenate([raw, np.zeros(-len(raw) % per_byte, np.uint8)]).reshape(-1, per_byte)
    packed = np.zeros(len(raw), np.uint8)
    for i in range(per_byte):
        packed |= raw[:, i] << (bits * i)
    return TensorProto(name=name, data_type=kind, dims=value.shape, raw_data=packed.tobytes())


def value_type(value, name: str, symbolic: bool) -> onnx.TypeProto:
    """`symbolic`: sizes are symbols, but for what a rank may hang on: the last axis of integers,
    which may be coordinates, and the length of lists behind the first input."""
    if isinstance(value, np.ndarray):
        listed = value.ndim == 1 and not name.endswith("i0")
        fixed = value.ndim - 1 if value.dtype.kind == "i" or listed else value.ndim
        dims = [f"{name}_{i}" if symbolic and i != fixed else size for i, size in enumerate(value.shape)]
        return helper.make_tensor_type_proto(element_type(value.dtype), dims)
    if isinstance(value, list):
        element = helper.make_tensor_type_proto(element_type(value[0].dtype), [None] * value[0].ndim)
        return helper.make_sequence_type_proto(element)
    raise TypeError(f"the case must say the type of {value!r}")


def build(cases: Sequence[Case], symbolic: bool = False) -> tuple[onnx.ModelProto, dict, list[list[str]]]:
    """-> (model, inputs by name, output names of each case). Node i is named `case<i>`.
    All cases have one opset; `symbolic`: sizes of inputs are symbols."""
    nodes, ports, initializers, outputs, feeds, names = [], [], [], [], {}, []
    imports = {}
    for i, case in enumerate(cases):
        operands = []
        for j, value in enumerate(case.inputs):
            name = f"c{i}i{j}"
            if value is None and j not in case.types:
                operands.append("")
                continue
            operands.append("" if j in case.captured else name)
            if j in case.constants:
                initializers.append(tensor(value, name))
            else:
                kind = case.types.get(j) or value_type(value, name, symbolic)
                ports.append(helper.make_value_info(name, kind))
                feeds[name] = value
        while operands and operands[-1] == "":
            operands.pop()
        results = [f"c{i}o{j}" for j in range(case.outputs)]
        attributes = {key: _placed(value, i) if isinstance(value, onnx.GraphProto) else value
                      for key, value in case.attributes.items()}
        nodes.append(helper.make_node(case.op, operands, results, name=f"case{i}", domain=case.domain, **attributes))
        names.append(results)
        outputs += results
        imports[case.domain] = case.opset
    imports.setdefault("", COMPANION)
    graph = helper.make_graph(nodes, "cases", ports, [onnx.ValueInfoProto(name=name) for name in outputs], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*item) for item in sorted(imports.items())])
    model.ir_version = IR[imports[""]]
    return model, feeds, names


def _placed(graph: onnx.GraphProto, number: int) -> onnx.GraphProto:
    """The graph with its own names made those of case `number`, and "@j" its input j."""
    result = copy.deepcopy(graph)

    def name(old: str) -> str:
        return old and (f"c{number}i{old[1:]}" if old.startswith("@") else f"c{number}.{old}")

    for node in result.node:
        node.input[:], node.output[:] = map(name, node.input), map(name, node.output)
    for port in (*result.input, *result.output, *result.initializer):
        port.name = name(port.name)
    return result


def widened(value, dtype) -> object:
    """A float array in another float type, anything else as it is."""
    if isinstance(value, np.ndarray) and (value.dtype.kind == "f" or value.dtype == ml_dtypes.bfloat16):
        return value.astype(dtype)
    return value
