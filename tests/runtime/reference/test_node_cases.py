"""The kernels against ONNX's own node tests, where a node is one hx op."""

import warnings

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx.backend.test.case.node import collect_testcases

from hexin_reference import DTYPES
from node_cases import RULES, Node

# A unit in the last place or two, for inputs that the tests rounded themselves.
RELATIVE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-7,
            np.dtype(np.float16): 1e-3, np.dtype(ml_dtypes.bfloat16): 1e-2}

# Expected values that are themselves rounded more coarsely.
COARSE = {"test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-3,
          "test_roialign_aligned_false": 1e-3, "test_roialign_aligned_true": 1e-3}


def array_of(value):
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    return np.asarray(value) if value is not None else None


def collect():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = collect_testcases(None)
    for case in cases:
        nodes = case.model.graph.node
        if len(nodes) == 1 and not nodes[0].domain and nodes[0].op_type in RULES:
            yield pytest.param(case, id=case.name)


def plain(array):
    return np.asarray(array).astype(np.float64) if np.asarray(array).dtype.kind in "fV" else array


@pytest.mark.parametrize("case", list(collect()))
def test_node(case):
    node = case.model.graph.node[0]
    opset = case.model.opset_import[0].version
    given, expected = case.data_sets[0]
    values = dict(zip((i.name for i in case.model.graph.input), map(array_of, given)))
    inputs = [values[name] if name else None for name in node.input]
    expected = [array_of(e) for e in expected]
    if any(a is not None and a.dtype not in DTYPES for a in [*inputs, *expected]):
        pytest.skip("strings and complex numbers")
    wanted = [i for i, name in enumerate(node.output) if name]
    types = [expected[wanted.index(i)].dtype if i in wanted else np.dtype(np.int64)
             for i in range(len(node.output))]
    results = RULES[node.op_type](Node(node, opset, inputs, types))
    if results is None:
        pytest.skip("needs more than one op")
    for i, e in zip(wanted, expected):
        if i >= len(results):
            continue
        r = results[i]
        assert r.shape == e.shape and r.dtype == e.dtype
        if e.dtype in RELATIVE:
            relative = COARSE.get(case.name, RELATIVE[e.dtype])
            np.testing.assert_allclose(plain(r), plain(e), rtol=relative, atol=relative)
        else:
            np.testing.assert_array_equal(plain(r), plain(e))
