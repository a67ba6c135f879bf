"""Numbers below the normal ones: products may take them for zeros, everything else keeps them."""

import hexin
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from test_integer_products import sessions

TINY = np.float32(1e-40)
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)


def model_of(nodes, constants):
    graph = helper.make_graph(
        nodes, "subnormals", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [onnx.ValueInfoProto(name=node.output[0]) for node in nodes],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_products_and_others(tmp_path):
    weights = np.random.default_rng(0).uniform(-2, 2, (64, 48)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["product"]), helper.make_node("Mul", ["x", "half"], ["scaled"]),
             helper.make_node("Relu", ["x"], ["relu"])]
    hexin.compile(model_of(nodes, {"w": weights, "half": np.float32(0.5)}), str(tmp_path / "a.hxm"), targets=["cpu"])
    x = np.full((37, 64), TINY)
    x[5], x[6, 3], x[7, 4] = 1, np.nan, np.inf
    with np.errstate(all="ignore"):
        exact = x.astype(np.float64) @ weights
    for arch, session in sessions(str(tmp_path / "a.hxm")).items():
        found = session.run({"x": x})
        np.testing.assert_array_equal(found["scaled"], x * np.float32(0.5), err_msg=arch)
        np.testing.assert_array_equal(found["relu"], x, err_msg=arch)
        flushed = 65 * SMALLEST_NORMAL * 2  # each factor and each sum
        finite = np.isfinite(exact)
        bound = flushed + 66 * 2.0 ** -24 * (np.abs(np.nan_to_num(x, posinf=0)) @ np.abs(weights))
        assert np.all(np.abs(found["product"][finite] - exact[finite]) <= bound[finite]), arch
        np.testing.assert_array_equal(np.isnan(found["product"]), np.isnan(exact), err_msg=arch)
        # The caller's own arithmetic is as it was.
        assert np.array([TINY])[0] * np.float32(1) == TINY != 0
