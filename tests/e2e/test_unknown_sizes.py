"""Products, windows and norms whose sizes are all unknown when compiling, at several sizes each."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

DEVICES = ["cpu", "opencl:0"]

# Operator, attributes, the operands' shapes, and sizes to run at.
CASES = {
    "matmul": ("MatMul", {}, [["m", "k"], ["k", "n"]], [{"m": 3, "k": 4, "n": 2}, {"m": 1, "k": 17, "n": 33}]),
    # One batch size may turn out to be 1, and then has its matrix for all of them.
    "matmul-batches": ("MatMul", {}, [["b", 3, 4], ["c", 4, 2]], [{"b": 3, "c": 1}, {"b": 1, "c": 3}, {"b": 3, "c": 3}]),
    "matmul-two-batches": ("MatMul", {}, [["b", "d", 3, 4], ["e", "c", 4, 2]],
                           [{"b": 3, "d": 1, "e": 1, "c": 2}, {"b": 1, "d": 2, "e": 3, "c": 1}]),
    "conv": ("Conv", {"pads": [1, 0, 0, 1]}, [[1, "c", 7, 9], ["m", "c", "h", "w"]],
             [{"c": 2, "m": 3, "h": 3, "w": 3}, {"c": 1, "m": 1, "h": 1, "w": 2}]),
    "conv-same": ("Conv", {"auto_pad": "SAME_LOWER", "strides": [2, 1]}, [[1, 2, "y", "x"], [3, 2, "h", "w"]],
                  [{"y": 7, "x": 9, "h": 3, "w": 4}, {"y": 8, "x": 5, "h": 2, "w": 1}]),
    "conv-line": ("Conv", {"dilations": [2]}, [["n", 2, "x"], [4, 2, "w"]], [{"n": 1, "x": 11, "w": 3}, {"n": 2, "x": 9, "w": 1}]),
    "conv-transpose": ("ConvTranspose", {"strides": [2, 1], "pads": [0, 1, 1, 0]}, [[1, 2, "y", 5], [2, 3, "h", "w"]],
                       [{"y": 4, "h": 3, "w": 3}, {"y": 5, "h": 2, "w": 4}]),
    "norm-axes": ("LayerNormalization", {"axis": 1}, [["n", "c", "d"], ["c", "d"], ["c", "d"]],
                  [{"n": 2, "c": 3, "d": 4}, {"n": 5, "c": 1, "d": 19}]),
    "norm-broadcast": ("LayerNormalization", {"axis": -2}, [["n", "c", "d"], ["d"]],
                       [{"n": 2, "c": 3, "d": 4}, {"n": 1, "c": 7, "d": 33}]),
}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """name -> (artifact, ONNX Runtime's session)."""
    import hexin

    folder, made = tmp_path_factory.mktemp("sizes"), {}
    for name, (op, attributes, shapes, _) in CASES.items():
        inputs = [helper.make_tensor_value_info(f"x{i}", TensorProto.FLOAT, shape) for i, shape in enumerate(shapes)]
        node = helper.make_node(op, [port.name for port in inputs], ["y"], **attributes)
        graph = helper.make_graph([node], name, inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
        hexin.compile(model, folder / f"{name}.hxm", targets=["cpu", "opencl"])
        made[name] = folder / f"{name}.hxm", onnxruntime.InferenceSession(model.SerializeToString())
    return made


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", CASES)
def test_agrees(artifacts, name, device):
    import hexin

    artifact, engine = artifacts[name]
    session = hexin.Session(str(artifact), device=device)
    rng = np.random.default_rng(5)
    for sizes in CASES[name][3]:
        inputs = {f"x{i}": rng.standard_normal([sizes.get(size, size) for size in shape]).astype(np.float32)
                  for i, shape in enumerate(CASES[name][2])}
        expected = engine.run(None, inputs)[0]
        np.testing.assert_allclose(session.run(inputs)["y"], expected, rtol=1e-5, atol=1e-5, err_msg=str(sizes))
