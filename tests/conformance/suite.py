"""The cases of onnx's backend suite, made once and read from disk by every worker.

`freeze(folder)` writes them under a name that says which onnx, which NumPy and which
seed they come from, so that every engine and every run sees the same bytes.
"""

import hashlib
import json
import os
import pickle
import warnings
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper

SEED = 0
LIGHT_PREFIX = "onnx/backend/test/data/light/"

# In the order of the table.
CATEGORIES = (
    "other, opset ≤ 26", "other, opset 27–28", "preview", "bfloat16", "float8/4, int4/2", "quantised (int8)",
    "control flow", "sequence, optional, string", "ImageDecoder", "ai.onnx.ml", "training", "random output",
    "pytorch", "light models",
)

# Their expected values were drawn by NumPy's generator; no engine can give the same.
RANDOM = {
    *(f"test_bernoulli{kind}{form}" for kind in ("", "_double", "_seed") for form in ("", "_expanded")),
    *(f"test_training_dropout{kind}" for kind in ("", "_default", "_mask", "_default_mask")),
}

NARROW = {getattr(TensorProto, name) for name in (
    "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "FLOAT8E8M0", "FLOAT4E2M1",
    "INT4", "UINT4", "INT2", "UINT2")}
QUANTISED = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul",
             "ConvInteger", "MatMulInteger"}
TEXT = {"StringNormalizer", "StringConcat", "StringSplit", "RegexFullMatch", "TfIdfVectorizer"}


class Entry(NamedTuple):
    """A case as the index has it; the data lies at `offset` of the file."""

    name: str
    kind: str
    category: str
    offset: int


class Case(NamedTuple):
    model: bytes
    data_sets: list[tuple[list[Any], list[Any]]]  #: (inputs, outputs), in the model's order
    rtol: float
    atol: float


class Suite:
    """A frozen suite; cheap to open, cases are read one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.entries = {row[0]: Entry(*row) for row in json.loads((self.folder / "index.json").read_text())}

    def case(self, name: str) -> Case:
        with open(self.folder / "cases.bin", "rb") as file:
            file.seek(self.entries[name].offset)
            return Case(*pickle.load(file))


def in_sample(name: str, part: int, parts: int) -> bool:
    """Whether the case belongs to that part (1 to `parts`); by its name, so that a new case moves no other."""
    return zlib.crc32(name.encode()) % parts == part - 1


def key() -> str:
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    return f"onnx-{onnx.__version__}-numpy-{np.__version__}-seed{SEED}-{source}"


def freeze(folder: Path) -> Suite:
    """The suite under `folder`, made when it is not there yet (about ten seconds)."""
    path = Path(folder) / key()
    if not (path / "index.json").exists():
        path.mkdir(parents=True, exist_ok=True)
        entries = []
        with open(path / "cases.bin.new", "wb") as file:
            for name, kind, model, case in _all_cases():
                entries.append(Entry(name, kind, category(name, kind, model), file.tell()))
                pickle.dump(tuple(case), file, protocol=5)
        os.replace(path / "cases.bin.new", path / "cases.bin")
        (path / "index.json.new").write_text(json.dumps(entries))
        os.replace(path / "index.json.new", path / "index.json")
    return Suite(path)


def _all_cases():
    np.random.seed(SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of casts that overflow on purpose
        from onnx.backend.test.case.model import collect_testcases
        from onnx.backend.test.loader import load_model_tests

        made = list(load_model_tests(kind="node"))
    stored = [case for kind in ("simple", "pytorch-converted", "pytorch-operator", "real")
              for case in load_model_tests(kind=kind)]
    names = {case.name for case in stored}
    made += [case for case in collect_testcases() if case.name not in names]
    for case in made + sorted(stored, key=lambda case: (case.kind, case.name)):
        if case.model is not None:
            model, data_sets = case.model, case.data_sets
        elif case.url and case.url.startswith(LIGHT_PREFIX):
            model, data_sets = _light(case)
        else:
            model, data_sets = _stored(Path(case.model_dir))
        data_sets = [([_value(item) for item in inputs], [_value(item) for item in outputs])
                     for inputs, outputs in data_sets]
        yield case.name, case.kind, model, Case(model.SerializeToString(), data_sets, case.rtol, case.atol)


def _value(item: Any) -> Any:
    if isinstance(item, TensorProto):
        return numpy_helper.to_array(item)
    if isinstance(item, np.generic):
        return np.asarray(item)
    if isinstance(item, (list, tuple)):
        return [_value(element) for element in item]
    return item


def _light(case):
    """A model with constant weights; its expected output lies beside it."""
    from onnx.backend.test.runner import Runner

    path = Path(onnx.__file__).parent.parent / case.url
    model = onnx.load(path)
    weights = {weight.name for weight in model.graph.initializer}
    inputs = [Runner.generate_dummy_data(port) for port in model.graph.input if port.name not in weights]
    outputs = [onnx.load_tensor(f"{path.with_suffix('')}_output_{i}.pb") for i in range(len(model.graph.output))]
    return model, [(inputs, outputs)]


def _stored(folder: Path):
    model = onnx.load(folder / "model.onnx")

    def values(data_set: Path, stem: str, ports):
        return [_load(data_set / f"{stem}_{i}.pb", port.type) for i, port in enumerate(ports)
                if (data_set / f"{stem}_{i}.pb").exists()]

    return model, [(values(data_set, "input", model.graph.input), values(data_set, "output", model.graph.output))
                   for data_set in sorted(folder.glob("test_data_set*"))]


def _load(path: Path, kind: onnx.TypeProto):
    data = path.read_bytes()
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    return numpy_helper.to_array(TensorProto.FromString(data))


def nodes_of(graph: onnx.GraphProto):
    """All nodes, those of subgraphs too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from nodes_of(attribute.g)
            for nested in attribute.graphs:
                yield from nodes_of(nested)


def _element_types(model: onnx.ModelProto) -> set[int]:
    """Of the model's ports, and of what its casts and constants name."""
    found = {port.type.tensor_type.elem_type for port in (*model.graph.input, *model.graph.output)}
    for node in nodes_of(model.graph):
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype", "output_dtype") and attribute.type == AttributeProto.INT:
                found.add(attribute.i)
            if attribute.type == AttributeProto.TENSOR:
                found.add(attribute.t.data_type)
    return found


def category(name: str, kind: str, model: onnx.ModelProto) -> str:
    """One per case; the first that fits."""
    ops = {node.op_type for node in nodes_of(model.graph)}
    domains = {node.domain for node in nodes_of(model.graph)}
    ports = [port.type for port in (*model.graph.input, *model.graph.output)]
    types = _element_types(model)
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    if name in RANDOM:
        return "random output"
    if "ai.onnx.preview.training" in domains or "training" in name:
        return "training"
    if "ai.onnx.ml" in domains:
        return "ai.onnx.ml"
    if any(not port.HasField("tensor_type") for port in ports) or TensorProto.STRING in types or ops & TEXT or any(
            op.startswith(("Sequence", "Optional")) for op in ops):
        return "sequence, optional, string"
    if "ImageDecoder" in ops:
        return "ImageDecoder"
    if types & NARROW:
        return "float8/4, int4/2"
    if ops & QUANTISED:
        return "quantised (int8)"
    if ops & {"If", "Loop", "Scan"}:
        return "control flow"
    if kind == "real":
        return "light models"
    if kind.startswith("pytorch"):
        return "pytorch"
    if TensorProto.BFLOAT16 in types:
        return "bfloat16"
    if any(domain.startswith("ai.onnx.preview") for domain in domains):
        return "preview"
    return "other, opset 27–28" if opset > 26 else "other, opset ≤ 26"
