"""Outputs without elements whose other sizes are more than NumPy counts."""

import hexin
import numpy as np
import pytest
from onnx import TensorProto, helper


@pytest.mark.parametrize("kind, fill", [(TensorProto.FLOAT, np.zeros(1, np.float32)), (TensorProto.STRING, np.array(["a"], object))])
def test_wide(tmp_path, kind, fill):
    graph = helper.make_graph(
        [helper.make_node("Expand", ["x", "to"], ["y"])], "wide",
        [helper.make_tensor_value_info("x", kind, [1]), helper.make_tensor_value_info("to", TensorProto.INT64, [3])],
        [helper.make_tensor_value_info("y", kind, ["a", "b", "c"])])
    hexin.compile(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.hxm")
    session = hexin.Session(tmp_path / "m.hxm")
    with pytest.raises(hexin.Error) as caught:
        session.run({"x": fill, "to": np.array([0, 2**40, 2**40])})
    assert isinstance(caught.value, (hexin.ResourceExhaustedError, hexin.InvalidArgumentError))
    with pytest.raises(hexin.ResourceExhaustedError, match="NumPy has no array of the sizes"):
        session.run({"x": fill, "to": np.array([0, 2**31, 2**31])})
    assert session.run({"x": fill, "to": np.array([0, 3, 2])})["y"].shape == (0, 3, 2)
