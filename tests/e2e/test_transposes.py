"""Transposes that move the last axis, of sizes around the squares that registers take, known and unknown, on every arch."""

import hexin
import numpy as np
import pytest
from onnx import helper

CASES = {
    "matrix": ((64, 129), (1, 0)),
    "one-square": ((16, 16), (1, 0)),
    "batch": ((5, 70, 33), (0, 2, 1)),
    "merged-axes": ((3, 20, 7, 40), (3, 1, 2, 0)),
    "heads": ((2, 17, 12, 32), (0, 2, 3, 1)),
    "pairs": ((31, 16, 2, 9), (2, 3, 0, 1)),
    "reversed": ((2, 48, 5, 16), (3, 2, 1, 0)),
    "empty": ((3, 0, 20), (0, 2, 1)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.int64, np.float16, np.float64])
def test_transposes(tmp_path, dtype):
    nodes, inputs, outputs, values = [], [], [], {}
    rng = np.random.default_rng(0)
    type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    for case, (shape, perm) in CASES.items():
        for kind, sizes in (("known", shape), ("unknown", [f"{case}{axis}" for axis in range(len(shape))])):
            name = f"{case}-{kind}"
            inputs.append(helper.make_tensor_value_info(f"{name}-x", type, sizes))
            outputs.append(helper.make_tensor_value_info(name, type, None))
            nodes.append(helper.make_node("Transpose", [f"{name}-x"], [name], name=name, perm=perm))
            values[f"{name}-x"] = (rng.standard_normal(shape) * 50).astype(dtype)
    graph = helper.make_graph(nodes, "transposes", inputs, outputs)
    path = str(tmp_path / "transposes.hxm")
    hexin.compile(helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)]), path, targets=["cpu"])
    for arch in ("x86-64-v4", "x86-64-v3", "x86-64-v2"):
        found = hexin.Session(path, max_isa=arch).run(values)
        for case, (_, perm) in CASES.items():
            for kind in ("known", "unknown"):
                name = f"{case}-{kind}"
                np.testing.assert_array_equal(found[name], values[f"{name}-x"].transpose(perm), err_msg=f"{name} {arch}")
