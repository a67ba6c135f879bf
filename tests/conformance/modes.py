"""What a mode does to a case.

`static`            the model as it is
`dynamic`           every size of every input is a symbol; run at its sizes and at one more set
`constant-inputs`   shape operands become constants of the model
`hostile`           the model of `static` and of `dynamic`, with inputs that do not fit
"""

from typing import Any, Iterator, Optional

import numpy as np
import onnx
from onnx import numpy_helper

import suite

MODES = ("static", "dynamic", "constant-inputs", "hostile")

# Operands that say how large something is, not what is in it.
SHAPE_OPERANDS = {
    "AffineGrid": (1,), "BlackmanWindow": (0,), "CenterCropPad": (1,), "Col2Im": (1, 2), "ConstantOfShape": (0,),
    "CumSum": (1,), "CumProd": (1,), "DFT": (1, 2), "Dropout": (1, 2), "Expand": (1,), "HammingWindow": (0,),
    "HannWindow": (0,), "Loop": (0,), "MaxUnpool": (2,), "MelWeightMatrix": (0, 1, 2, 3, 4),
    "NonMaxSuppression": (2, 3, 4), "OneHot": (1,), "Pad": (1, 2, 3), "Range": (0, 1, 2), "Reshape": (1,),
    "Resize": (1, 2, 3), "STFT": (1, 3), "Slice": (1, 2, 3, 4), "Split": (1,), "SplitToSequence": (1,),
    "Squeeze": (1,), "Tile": (1,), "TopK": (1,), "Trilu": (1,), "Unsqueeze": (1,), "Upsample": (1,),
    **{op: (1,) for op in ("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
                           "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare")},
}

# (op, operand): its last size is a number of coordinates, or 1 for real and 2 for complex.
COUNTED_LAST = {("GatherND", 1), ("ScatterND", 1), ("DFT", 0), ("STFT", 0)}


def inputs_of(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that a run gives; old models list their weights among them."""
    weights = {weight.name for weight in model.graph.initializer}
    return [port for port in model.graph.input if port.name not in weights]


def shape_operands(model: onnx.ModelProto) -> set[str]:
    """The inputs that some node reads as a shape operand."""
    return {node.input[i] for node in suite.nodes_of(model.graph) for i in SHAPE_OPERANDS.get(node.op_type, ())
            if i < len(node.input)} & {port.name for port in inputs_of(model)}


def make_dynamic(model: onnx.ModelProto) -> bool:
    """Makes a symbol of each size; False when there is none. The length of a shape operand
    says a rank or a kind, as does the last size of some others: they stay."""
    changed, operands = False, shape_operands(model)
    counted = {node.input[i] for node in suite.nodes_of(model.graph) for op, i in COUNTED_LAST
               if node.op_type == op and i < len(node.input)}
    for port in inputs_of(model):
        if port.name in operands or not port.type.HasField("tensor_type"):
            continue
        dims = port.type.tensor_type.shape.dim
        for axis, dim in enumerate(dims[:-1] if port.name in counted else dims):
            dim.Clear()
            dim.dim_param, changed = f"{port.name}_{axis}", True
    del model.graph.value_info[:]
    for port in model.graph.output:
        if port.type.HasField("tensor_type"):
            for dim in port.type.tensor_type.shape.dim:
                dim.Clear()
    return changed


def fold_shape_operands(model: onnx.ModelProto, data_sets: list) -> Optional[list]:
    """Makes constants of shape operands; gives the data sets without them, None when there are none."""
    ports, operands = inputs_of(model), shape_operands(model)
    folded = [i for i, port in enumerate(ports) if port.name in operands]
    if not folded or len(data_sets) != 1:
        return None
    inputs, outputs = data_sets[0]
    for i in folded:
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(inputs[i]), ports[i].name))
    kept = [port for port in model.graph.input if port.name not in {ports[i].name for i in folded}]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return [([value for i, value in enumerate(inputs) if i not in folded], outputs)]


def applies(mode: str, case: suite.Case) -> bool:
    """Whether the mode makes another model, or another run, of the case."""
    if mode == "static":
        return True
    model = onnx.load_model_from_string(case.model)
    if mode == "dynamic":
        return make_dynamic(model)
    if mode == "constant-inputs":
        return fold_shape_operands(model, case.data_sets) is not None
    return any(isinstance(value, np.ndarray) for inputs, _ in case.data_sets for value in inputs)


def declares_sizes(port: onnx.ValueInfoProto) -> bool:
    """Whether the port is a tensor with a number for every size."""
    return all(dim.HasField("dim_value") for dim in port.type.tensor_type.shape.dim)


def hostile_inputs(inputs: list[Any], declared: Optional[list[bool]] = None) -> Iterator[tuple[str, bool, list[Any]]]:
    """(what is wrong, whether it must be refused, the inputs). `declared`: of which inputs the
    model declares the sizes; all, if not given."""
    for i, value in enumerate(inputs):
        sizes_count = declared is None or declared[i]
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
            continue

        def with_input(other):
            return [*inputs[:i], other, *inputs[i + 1:]]

        other_type = np.float64 if value.dtype != np.float64 else np.float32
        yield f"input {i} of another type", True, with_input(value.astype(other_type))
        yield f"input {i} with an axis more", True, with_input(value[np.newaxis])
        if value.ndim:
            yield f"input {i} with an axis less", True, with_input(np.ones(value.shape[1:], value.dtype))
        for axis in range(value.ndim):
            longer = np.take(value, range(value.shape[axis] + 1), axis, mode="wrap") if value.size else None
            if longer is not None:
                yield f"input {i} longer along axis {axis}", sizes_count, with_input(longer)
            if value.shape[axis]:
                yield f"input {i} empty along axis {axis}", sizes_count, with_input(np.take(value, [], axis))
        if value.dtype.kind in "iu" and value.size:
            limits = np.iinfo(value.dtype)
            for number in dict.fromkeys((limits.max, limits.min, min(limits.max, 1_000_003), max(limits.min, -1_000_003))):
                yield f"input {i} full of {number}", False, with_input(np.full_like(value, number))
        if value.dtype.kind == "f" and value.size:
            yield f"input {i} full of NaN", False, with_input(np.full_like(value, np.nan))
