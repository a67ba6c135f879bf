"""Divisions by one number that is known when compiling: the nearest quotient, to the last bit, on every arch (below 2^-100: but one)."""

import hexin
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from test_winograd import archs_here

# 1.9999999: ones throughout. The last three are beyond where the reciprocal is asked.
DIVISORS = np.array([6, -6, 1, 3, 7, 10, 49, 255, 2.3, 3.14159, 1.9999999, 768, -1e4, 2.0 ** 64, 0.17, 1e30, 0], np.float32)


@pytest.mark.parametrize("arch", archs_here())
def test_quotients_are_the_nearest(arch, tmp_path):
    nodes, constants, outputs = [], [], []
    for i, divisor in enumerate(DIVISORS):
        constants.append(numpy_helper.from_array(divisor, f"d{i}"))
        nodes.append(helper.make_node("Div", ["x", f"d{i}"], [f"y{i}"]))
        outputs.append(helper.make_tensor_value_info(f"y{i}", onnx.TensorProto.FLOAT, None))
    values = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n"])
    model = helper.make_model(helper.make_graph(nodes, "division", [values], outputs, constants),
                              opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    hexin.compile(model.SerializeToString(), tmp_path / "a.hxm", targets=["cpu"], cpu_archs=[arch])
    bits = np.random.default_rng(0).integers(0, 2 ** 32, 200003, np.uint32)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(np.float32).max, -np.finfo(np.float32).max], np.float32)
    x = np.concatenate([special, np.arange(-3000, 3000, dtype=np.float32), bits.view(np.float32)])
    found = hexin.Session(tmp_path / "a.hxm").run({"x": x})
    for i, divisor in enumerate(DIVISORS):
        with np.errstate(all="ignore"):
            expected = x / divisor
        y = found[f"y{i}"]
        assert np.array_equal(np.isnan(y), np.isnan(expected)), divisor
        tiny = (np.abs(expected) < 2.0 ** -100) & (x != 0)
        exact = ~np.isnan(expected) & ~tiny
        assert np.array_equal(y[exact].view(np.uint32), expected[exact].view(np.uint32)), divisor
        assert np.all(np.abs(y[tiny] - expected[tiny]) <= np.spacing(np.abs(expected[tiny]))), divisor
