"""For `dynamic`: a second set of sizes, with the numbers that are right there.

Sizes grow, values are those of the case, repeated. The truth comes from an engine that
is not ours: ONNX Runtime, else onnx's reference evaluator; from either only where it
gives the case's own expected numbers at the case's own sizes.
"""

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any, Iterator, Optional

import numpy as np
import onnx

import compare
import modes
import suite

# Both sides are rounded here: the truth is no longer exact.
RTOL = {"float16": 2.0**-9, "bfloat16": 2.0**-6}
RELATIVE_ATOL = {"float16": 2.0**-9, "bfloat16": 2.0**-6, "float32": 2e-6, "float64": 1e-12}


# Sizes that an operator has by itself, though no attribute says so.
OWN_SIZES = {"RoiAlign": {4}}


class OnnxRuntime:
    name = "ONNX Runtime"

    def __init__(self, model: onnx.ModelProto) -> None:
        from engines.onnxruntime_engine import Engine

        copy = onnx.ModelProto()
        copy.CopyFrom(model)  # the engine stamps its IR version
        self._prepared = Engine("cpu").prepare(copy)

    def run(self, inputs):
        return self._prepared.run(inputs)


class Reference:
    name = "onnx.reference"

    def __init__(self, model: onnx.ModelProto) -> None:
        from onnx.reference import ReferenceEvaluator

        self._evaluator = ReferenceEvaluator(model)
        self._names = [port.name for port in modes.inputs_of(model)]

    def run(self, inputs):
        return list(self._evaluator.run(None, dict(zip(self._names, inputs))))


def folder_of(suite_folder: Path) -> Path:
    """Named for the code that makes them, so that they are made anew when it changes."""
    sources = b"".join(Path(module.__file__).read_bytes() for module in (modes, compare))
    key = hashlib.sha256(Path(__file__).read_bytes() + sources).hexdigest()[:8]
    return Path(suite_folder) / f"second-sizes-{key}"


def path_of(folder: Path, name: str) -> Path:
    return folder_of(folder) / f"{name}.pickle"


def read(folder: Path, name: str) -> Optional[dict]:
    """{"inputs", "outputs", "oracle"}, or None where no second sizes are known to be right."""
    path = path_of(folder, name)
    return pickle.loads(path.read_bytes()) if path.exists() else None


def make(folder: Path, name: str, case: suite.Case) -> str:
    """Writes the case's second sizes, and says whose numbers they are."""
    path = path_of(folder, name)
    path.parent.mkdir(exist_ok=True)
    found = _find(case)
    if not found:
        return "none"
    new = path.with_suffix(".new")
    new.write_bytes(pickle.dumps(found, protocol=5))
    os.replace(new, path)
    return found["oracle"]


def _find(case: suite.Case) -> Optional[dict]:
    model = onnx.load_model_from_string(case.model)
    operands = modes.shape_operands(model)
    names = [port.name for port in modes.inputs_of(model)]
    modes.make_dynamic(model)
    inputs, outputs = case.data_sets[0]
    # onnx's evaluator takes parts that do not add up to the axis.
    splits = any(node.op_type in ("Split", "SplitToSequence") and (len(node.input) > 1 or any(a.name == "split" for a in node.attribute))
                 for node in suite.nodes_of(model.graph))
    for kind in (OnnxRuntime,) if splits else (OnnxRuntime, Reference):
        try:
            oracle = kind(model)
            own = oracle.run(inputs)
        except Exception:  # an engine that cannot run the case is no oracle for it
            continue
        if compare.difference(outputs, own, case.rtol, case.atol):
            continue
        grows = [isinstance(value, np.ndarray) and name not in operands for name, value in zip(names, inputs)]
        fixed = {size for weight in model.graph.initializer for size in weight.dims}
        fixed |= {size for node in suite.nodes_of(model.graph) for attribute in node.attribute
                  for size in (attribute.i, *attribute.ints) if size > 1}
        fixed = fixed.union(*(OWN_SIZES.get(node.op_type, ()) for node in suite.nodes_of(model.graph)))
        for grown in _grown(inputs, grows, fixed):
            if all(np.shape(new) == np.shape(old) for new, old in zip(grown, inputs)):
                continue
            try:
                right = oracle.run(grown)
            except Exception:  # sizes that the model does not allow
                continue
            return {"inputs": grown, "outputs": right, "oracle": kind.name}
    return None


def _grown(inputs: list[Any], grows: list[bool], fixed: set[int]) -> Iterator[list[Any]]:
    """Sets of inputs with other sizes, the farthest from the case's first. Equal sizes stay
    equal; those that weights or attributes have (`fixed`) grow last."""
    shapes = [value.shape for value, grow in zip(inputs, grows) if grow]
    sizes = sorted({size for shape in shapes for size in shape} - fixed)

    def scaled(new_size):
        return [_repeated(value, [new_size(size) for size in value.shape]) if grow else value
                for value, grow in zip(inputs, grows)]

    yield scaled(lambda size: size + 1 if size > 1 and size not in fixed else size)
    for chosen in sizes:
        yield scaled(lambda size: size + 1 if size == chosen else size)
    for axis in range(max(map(len, shapes), default=0)):
        yield [_repeated(value, [size + (i == axis) for i, size in enumerate(value.shape)]) if grow else value
               for value, grow in zip(inputs, grows)]
    for chosen in sizes:
        yield scaled(lambda size: size * 2 if size == chosen else size)
    for i, grow in enumerate(grows):  # one input alone, along one axis
        alone = grow and shapes.count(inputs[i].shape) == 1
        for axis in range(inputs[i].ndim if alone else 0):
            sizes_of = [size + (j == axis) for j, size in enumerate(inputs[i].shape)]
            yield [*inputs[:i], _repeated(inputs[i], sizes_of), *inputs[i + 1:]]


def _repeated(value: np.ndarray, sizes: list[int]) -> np.ndarray:
    """`value`, cut or repeated to `sizes`."""
    if value.size == 0:
        return np.full(sizes, "" if value.dtype.kind in "OUS" else 0, value.dtype)
    for axis, size in enumerate(sizes):
        value = np.take(value, range(size), axis, mode="wrap")
    return np.array(value, order="C")  # ascontiguousarray makes an axis for a scalar


def tolerance(expected: list[Any], case: suite.Case) -> tuple[float, float]:
    """(rtol, atol) when both sides are rounded."""
    rtol, atol = case.rtol, case.atol
    for value in expected:
        if isinstance(value, np.ndarray) and value.dtype.name in RELATIVE_ATOL and value.size:
            finite = np.abs(value.astype(np.float64))
            largest = finite[np.isfinite(finite)].max(initial=0.0)
            rtol = max(rtol, RTOL.get(value.dtype.name, 0))
            atol = max(atol, RELATIVE_ATOL[value.dtype.name] * float(largest))
    return rtol, atol
