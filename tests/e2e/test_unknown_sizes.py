"""Products, windows and norms whose sizes are all unknown when compiling, at several sizes each."""

import numpy as np
import onnxruntime
import pytest
from devices import DEVICES, TARGETS
from onnx import TensorProto, helper


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
    "batch-norm": ("BatchNormalization", {}, [["n", "c", "d"], ["c"], ["c"], ["c"], ["v"]],
                   [{"n": 2, "c": 3, "d": 4, "v": 3}, {"n": 1, "c": 5, "d": 1, "v": 5}]),
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
        hexin.compile(model, folder / f"{name}.hxm", targets=TARGETS)
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
        if "v" in sizes:
            inputs["x4"] = np.abs(inputs["x4"])  # variances
        expected = engine.run(None, inputs)[0]
        np.testing.assert_allclose(session.run(inputs)["y"], expected, rtol=1e-5, atol=1e-5, err_msg=str(sizes))


def compiled(folder, node, inputs, outputs, device, opset):
    import hexin

    ports = [helper.make_tensor_value_info(*port) for port in inputs]
    graph = helper.make_graph([node], "sizes", ports, [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)])
    hexin.compile(model, folder / "model.hxm", targets=[device.partition(":")[0]])
    return hexin.Session(str(folder / "model.hxm"), device=device)


@pytest.mark.parametrize("device", DEVICES)
def test_scales_per_tensor_or_per_row_as_the_run_has_them(device, tmp_path):
    import hexin

    U8, F32 = TensorProto.UINT8, TensorProto.FLOAT
    node = helper.make_node("QLinearMatMul", ["a", "as", "az", "b", "bs", "bz", "ys", "yz"], ["y"], name="product")
    session = compiled(tmp_path, node, [("a", U8, ["m", "k"]), ("as", F32, ["s"]), ("az", U8, ["p"]), ("b", U8, ["k", "n"]), ("bs", F32, ["t"]),
                                        ("bz", U8, ["q"]), ("ys", F32, ["u"]), ("yz", U8, ["r"])], [("y", U8)], device, 21)
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 256, (3, 5), np.uint8), rng.integers(0, 256, (5, 4), np.uint8)

    def made(rows, columns):
        return {"a": a, "as": rng.random(rows, np.float32) + 0.5, "az": rng.integers(0, 255, rows, np.uint8),
                "b": b, "bs": rng.random(columns, np.float32) + 0.5, "bz": rng.integers(0, 255, columns, np.uint8),
                "ys": np.array([900], np.float32), "yz": np.array([128], np.uint8)}

    for rows, columns in ((1, 1), (3, 4), (3, 1), (1, 4)):
        inputs = made(rows, columns)
        left = (a.astype(np.int64) - inputs["az"].reshape(-1, 1)) * np.float64(inputs["as"]).reshape(-1, 1)
        right = (b.astype(np.int64) - inputs["bz"]) * np.float64(inputs["bs"])
        expected = np.clip(np.rint(left @ right / 900) + 128, 0, 255)
        assert np.abs(session.run(inputs)["y"].astype(np.float64) - expected).max() <= 1
    with pytest.raises(hexin.InvalidArgumentError, match="product"):
        session.run(made(2, 1))


@pytest.mark.parametrize("device", DEVICES)
def test_masks_shorter_than_the_keys(device, tmp_path):
    F32 = TensorProto.FLOAT
    node = helper.make_node("Attention", ["q", "k", "v", "mask"], ["y"])
    session = compiled(tmp_path, node, [("q", F32, [1, 1, 2, 4]), ("k", F32, [1, 1, "t", 4]), ("v", F32, [1, 1, "t", 4]),
                                        ("mask", F32, [2, "m"])], [("y", F32)], device, 23)
    rng = np.random.default_rng(3)
    q, k, v, mask = (rng.standard_normal(shape).astype(np.float32) for shape in ((1, 1, 2, 4), (1, 1, 5, 4), (1, 1, 5, 4), (2, 5)))
    for length in (5, 3, 1):  # one entry is for all
        seen = 5 if length == 1 else length
        scores = (q[0, 0] @ k[0, 0, :seen].T) / 2 + mask[:, :length]
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        expected = weights / weights.sum(-1, keepdims=True) @ v[0, 0, :seen]
        found = session.run({"q": q, "k": k, "v": v, "mask": mask[:, :length]})["y"]
        np.testing.assert_allclose(found[0, 0], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("columns", [3, 40])
def test_unique_slices_of_a_size_of_the_run(columns, device, tmp_path):
    F32, I64 = TensorProto.FLOAT, TensorProto.INT64
    node = helper.make_node("Unique", ["x"], ["y", "first", "inverse", "counts"], axis=0)
    session = compiled(tmp_path, node, [("x", F32, ["n", "m"])], [("y", F32), ("first", I64), ("inverse", I64), ("counts", I64)], device, 17)
    x = np.random.default_rng(4).integers(0, 2, (7, columns)).astype(np.float32)
    x[5], x[2] = x[1], x[0]
    found = session.run({"x": x})
    for got, want in zip(found.values(), np.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=0)):
        np.testing.assert_array_equal(got, want.reshape(got.shape))


@pytest.mark.parametrize("device", DEVICES)
def test_channels_of_a_causal_convolution(device, tmp_path):
    import hexin

    F32 = TensorProto.FLOAT
    node = helper.make_node("CausalConvWithState", ["x", "w", "b", "past"], ["y", "now"], name="conv")
    session = compiled(tmp_path, node, [("x", F32, ["n", "c", "t"]), ("w", F32, ["c", 1, "k"]), ("b", F32, ["c"]), ("past", F32, ["n", "c", "p"])],
                       [("y", F32), ("now", F32)], device, 27)
    rng = np.random.default_rng(5)
    x, w, b, past = (rng.standard_normal(shape).astype(np.float32) for shape in ((2, 3, 6), (3, 1, 4), (3,), (2, 3, 3)))
    found, whole = session.run({"x": x, "w": w, "b": b, "past": past}), np.concatenate([past, x], 2)
    expected = sum(whole[:, :, j:j + 6] * w[:, :, j] for j in range(4)) + b[:, None]
    np.testing.assert_allclose(found["y"], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found["now"], whole[:, :, -3:])
    with pytest.raises(hexin.InvalidArgumentError, match="conv.*past_state is 2, but .* is 3"):
        session.run({"x": x, "w": w, "b": b, "past": past[:, :, :2]})
