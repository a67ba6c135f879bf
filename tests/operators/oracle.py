"""What a case should give: its own reference, else ONNX Runtime, else the onnx package.

ONNX Runtime is asked with the floats widened to f64 first (its errors then do not count),
then with narrow floats widened to f32, then as the case is; where it does not know the opset
yet, at the newest older version of the operator that has the same signature. The onnx package
comes last, and not for operators it computes wrongly."""

import os

os.environ["ALLOW_RELEASED_ONNX_OPSET_ONLY"] = "0"  # before ONNX Runtime is loaded

import ctypes  # noqa: E402
import dataclasses  # noqa: E402
import warnings  # noqa: E402
from typing import NamedTuple, Optional  # noqa: E402

import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from onnx import defs, helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from operators import models  # noqa: E402
from operators.case import Case, is_float  # noqa: E402

NEWEST_IR, NEWEST_OPSET = 13, 26  # of ONNX Runtime
NARROW = ("bfloat", "float8", "float4", "int4", "uint4", "int2", "uint2")  # types that NumPy lacks

# onnx.reference is not asked for these: it ignores or mistakes what the schema says.
REFERENCE_IS_WRONG = {
    "LRN", "LpNormalization", "MaxPool", "LpPool", "AveragePool", "QLinearConv", "QLinearMatMul", "QuantizeLinear",
    "RNN", "LSTM", "GRU", "Unique", "Scan", "StringNormalizer", "GridSample", "Pad", "BatchNormalization",
    "GatherElements", "Bernoulli", "Resize", "RoiAlign",
}
# ONNX Runtime is not: what it computes is another thing.
RUNTIME_IS_WRONG = {"Bernoulli"}


class Expected(NamedTuple):
    outputs: list
    magnitude: object  # for Bound.magnitude "linear"
    source: str
    own_error: bool  # the oracle rounds like the engine under test


class NoOracle(Exception):
    pass


def expected(case: Case) -> Expected:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        magnitude = case.bound.magnitude
        if isinstance(magnitude, str):
            assert magnitude == "linear"
            absolute = [np.abs(value) if isinstance(value, np.ndarray) and is_float(value.dtype) else value
                        for value in case.inputs]
            magnitude = _ask(dataclasses.replace(case, inputs=absolute)).outputs[0]
        if case.check:
            return Expected([], 0.0, "check", False)
        return _ask(case)._replace(magnitude=magnitude)


def _ask(case: Case) -> Expected:
    if case.reference:
        found = case.reference(*case.inputs)
        return Expected(list(found) if isinstance(found, (tuple, list)) else [found], 0.0, "reference", False)
    reasons = []
    if case.op not in RUNTIME_IS_WRONG:
        # Narrow floats that it has kernels for it may add up in the narrow type.
        for source, attempt in (("f64", _doubled), ("f32", _singled), ("runtime", _runtime)):
            try:
                return Expected(attempt(case), 0.0, f"ONNX Runtime, {source}", source != "f64")
            except Exception as error:
                reasons.append(f"{source}: {str(error).splitlines()[0][:150]}")
    if case.op not in REFERENCE_IS_WRONG:
        try:
            model, feeds, _ = models.build([case])
            return Expected(ReferenceEvaluator(model).run(None, feeds), 0.0, "onnx.reference", True)
        except Exception as error:
            reasons.append(f"onnx.reference: {type(error).__name__} {str(error)[:150]}")
    raise NoOracle("; ".join(reasons))


def _floats(case: Case) -> set[str]:
    return {value.dtype.name for value in case.inputs if isinstance(value, np.ndarray) and is_float(value.dtype)}


def _widened(case: Case, dtype) -> list:
    kinds = _floats(case)
    if not kinds or not kinds <= {"float16", "bfloat16", "float32"} or kinds == {np.dtype(dtype).name}:
        raise NoOracle("nothing to widen")
    if any(key in case.attributes for key in ("dtype", "to", "output_dtype", "stash_type")):
        raise NoOracle("types are attributes")
    inputs = [models.widened(value, dtype) for value in case.inputs]
    return _runtime(dataclasses.replace(case, inputs=inputs))


def _doubled(case: Case) -> list:
    return _widened(case, np.float64)


def _singled(case: Case) -> list:
    return _widened(case, np.float32)


def _runtime(case: Case) -> list:
    """ONNX Runtime on this node, at the opset of the case or an equivalent older one."""
    error: Optional[Exception] = None
    for opset in _equivalent_opsets(case):
        try:
            return _run(dataclasses.replace(case, opset=opset))
        except Exception as failure:
            error = error or failure
    raise error


def _equivalent_opsets(case: Case) -> list[int]:
    found, schema = [case.opset], defs.get_schema(case.op, case.opset, case.domain)
    if not case.domain:
        found += {min(case.opset, NEWEST_OPSET), max(schema.since_version, 7)} - {case.opset}
    while schema.since_version > 1:
        try:
            older = defs.get_schema(case.op, schema.since_version - 1, case.domain)
        except defs.SchemaError:
            break
        same = [p.name for p in older.inputs] == [p.name for p in schema.inputs] and set(case.attributes) <= set(older.attributes)
        if not same:
            break
        found.append(schema.since_version - 1)
        schema = older
    return found


def _run(case: Case) -> list:
    model, feeds, _ = models.build([case])
    model.ir_version = min(model.ir_version, NEWEST_IR)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    if any(isinstance(value, np.ndarray) and value.dtype.name.startswith(NARROW) for value in feeds.values()):
        feeds = {name: _ort_value(value) for name, value in feeds.items()}
        return [_array(value) for value in session.run_with_ort_values(None, feeds)]
    if any(name in port.type for port in session.get_outputs() for name in ("bfloat16", "float8", "float4", "int4", "int2")):
        feeds = {name: onnxruntime.OrtValue.ortvalue_from_numpy(value) for name, value in feeds.items()}
        return [_array(value) for value in session.run_with_ort_values(None, feeds)]
    return session.run(None, feeds)


def _ort_value(value):
    if value.dtype.name in models.PACKED:
        raise NoOracle("packed inputs")
    if value.dtype.name.startswith(("bfloat", "float8")):
        bits = np.ascontiguousarray(value).view(f"u{value.dtype.itemsize}")
        return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, helper.np_dtype_to_tensor_dtype(value.dtype))
    return onnxruntime.OrtValue.ortvalue_from_numpy(value)


def _array(value):
    if not value.is_tensor():
        return value
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(value.element_type()))
    if dtype.name in models.PACKED:
        raise NoOracle("packed outputs")
    if dtype == ml_dtypes.bfloat16 or dtype.name.startswith("float8"):
        memory = ctypes.string_at(value.data_ptr(), int(np.prod(value.shape())) * dtype.itemsize)
        return np.frombuffer(memory, dtype).reshape(value.shape())
    return value.numpy()
