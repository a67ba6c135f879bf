"""LSTM with every option, with weights in f32 and in 8 bits, on every device."""

import numpy as np
import onnx
import onnxruntime
import pytest
from devices import DEVICES, TARGETS
from onnx import helper, numpy_helper
from op_cases import Cases, Families, open_session, random
from test_integer_products import sessions

LSTM_INPUTS = ("x", "w", "r", "b", "lengths", "h0", "c0", "p")


def lstm():
    """Every option of LSTM, narrower than a vector and wider. Sizes are no part of a kernel."""
    cases = Cases()
    add_lstm(cases, "narrow", hidden=7, features=11, steps=5, batch=3)
    add_lstm(cases, "wide", hidden=40, features=33, steps=4, batch=2)
    add_lstm(cases, "tiles", hidden=20, features=8, steps=4, batch=7)  # whole tiles of rows, and a part
    return cases


def add_lstm(cases, prefix, hidden, features, steps, batch):
    """What one direction has is [1, ...] of the data for two."""
    both = {
        "x": random(0, steps, batch, features), "w": random(1, 2, 4 * hidden, features) * 0.4,
        "r": random(2, 2, 4 * hidden, hidden) * 0.4, "b": random(3, 2, 8 * hidden),
        "h0": random(4, 2, batch, hidden), "c0": random(5, 2, batch, hidden),
        "p": random(6, 2, 3 * hidden),
    }
    cases.input(prefix + ".x", both["x"])
    cases.input(prefix + ".lengths", np.resize(np.array([steps, 2, steps - 1], np.int32), batch))
    for name in ("h0", "c0"):
        cases.input(f"{prefix}.{name}2", both[name])
        cases.input(f"{prefix}.{name}1", both[name][:1])
    for name in ("w", "r", "b", "p"):
        cases.constant(f"{prefix}.{name}2", both[name])
        cases.constant(f"{prefix}.{name}1", both[name][:1])

    def add(name, operands, direction="forward", **attributes):
        count = "2" if direction == "bidirectional" else "1"
        present = operands.split()
        inputs = [f"{prefix}.{i}{'' if i in ('x', 'lengths') else count}" if i in present else ""
                  for i in LSTM_INPUTS]
        cases.add("LSTM", f"{prefix}-{name}", inputs, 3, hidden_size=hidden, direction=direction, **attributes)

    everything = " ".join(LSTM_INPUTS)
    for direction in ("forward", "reverse", "bidirectional"):
        add(f"plain-{direction}", "x w r", direction)
        add(f"all-{direction}", everything, direction)
    add("bias", "x w r b")
    add("lengths", "x w r b lengths")
    add("initial-h", "x w r h0")
    add("initial-c", "x w r c0", "reverse")
    add("peepholes", "x w r b p")
    add("clip", everything, clip=0.7)
    add("input-forget", "x w r b h0 c0", input_forget=1)
    add("functions", "x w r b", activations=["HardSigmoid", "Softsign", "Relu"],
        activation_alpha=[0.3], activation_beta=[0.4])
    add("functions-of-directions", "x w r b", "bidirectional",
        activations=["HardSigmoid", "LeakyRelu", "ScaledTanh", "Sigmoid", "Elu", "Affine"],
        activation_alpha=[0.25, 0.1, 0.9, 0.8, 0.5], activation_beta=[0.45, 0.6, 0.1])


FAMILIES = {"lstm": lstm}


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    return Families(FAMILIES, tmp_path_factory.mktemp("ops"))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", FAMILIES)
def test_family_agrees(families, name, device):
    families.check(name, device)


def quantized(values, per_channel):
    """int8 [D, K, 4H] with scales [D] or [D, 4H] and zero points of 0."""
    scale = np.abs(values).max(axis=1 if per_channel else (1, 2)) / 127
    shape = (len(values), 1, -1)
    return np.round(values / scale.reshape(shape)).astype(np.int8), scale.astype(np.float32)


@pytest.mark.parametrize("device", DEVICES)
def test_lstm_with_quantized_weights(tmp_path, device):
    """Y of the LSTM on the numbers that W, R and the quantised X stand for."""
    import hexin

    hidden, features = 24, 40
    x = random(110, 6, 3, features)
    nodes, constants, plain = [], {}, []
    plain.append(helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]))
    plain.append(helper.make_node("DequantizeLinear", ["q", "s", "z"], ["xq"]))
    for per_channel in (False, True):
        name, numbers = f"channel{per_channel}", {}
        for operand, seed, depth in (("w", 111, features), ("r", 112, hidden)):
            values, scale = quantized(random(seed, 2, depth, 4 * hidden), per_channel)
            constants |= {f"{name}.{operand}": values, f"{name}.{operand}s": scale,
                          f"{name}.{operand}z": np.zeros(scale.shape, np.int8)}
            numbers[operand] = values * scale.reshape(2, 1, -1)
        constants |= {f"{name}.b": random(113, 2, 8 * hidden)}
        constants |= {f"{name}.plain.{key}": value.transpose(0, 2, 1).copy() for key, value in numbers.items()}
        nodes.append(helper.make_node(
            "DynamicQuantizeLSTM", ["x", f"{name}.w", f"{name}.r", f"{name}.b", "", "", "", "", f"{name}.ws", f"{name}.wz",
                                    f"{name}.rs", f"{name}.rz"], [f"{name}.y"], name=name, domain="com.microsoft",
            hidden_size=hidden, direction="bidirectional"))
        plain.append(helper.make_node("LSTM", ["xq", f"{name}.plain.w", f"{name}.plain.r", f"{name}.b"], [f"{name}.y"],
                                      hidden_size=hidden, direction="bidirectional"))
    outputs = [node.output[0] for node in nodes]

    def model(nodes):
        graph = helper.make_graph(
            nodes, "lstm", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, x.shape)],
            [onnx.ValueInfoProto(name=name) for name in outputs],
            [numpy_helper.from_array(value, name) for name, value in constants.items()])
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    hexin.compile(model(nodes), str(tmp_path / "lstm.hxm"), targets=TARGETS)
    found = open_session(tmp_path / "lstm.hxm", device).run({"x": x})
    for made, rtol, atol in ((model(plain), 2e-5, 2e-5), (model(nodes), 0, 0.05)):
        engine = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
        for name, expected in zip(outputs, engine.run(outputs, {"x": x})):
            np.testing.assert_allclose(found[name], expected, rtol=rtol, atol=atol, err_msg=name)

    nodes[0].input[9] = ""
    with pytest.raises(hexin.Error, match="channelFalse.*input #9 is missing"):
        hexin.compile(model(nodes), str(tmp_path / "bad.hxm"), targets=["cpu"])


@pytest.mark.parametrize("kind, gates", [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
@pytest.mark.parametrize("hidden", [20, 264], ids=["small", "large"])  # of large ones more rows share the weights
def test_rows_of_a_batch_share_the_weights(kind, gates, hidden, tmp_path):
    import hexin

    features, steps = 8, 5
    attributes = {"linear_before_reset": 1} if kind == "GRU" else {}
    outputs = ["y", "h", "c"][:3 if kind == "LSTM" else 2]
    scale = hidden ** -0.5
    constants = {"w": random(1, 2, gates * hidden, features) * 0.4, "r": random(2, 2, gates * hidden, hidden) * scale,
                 "b": random(3, 2, 2 * gates * hidden)}
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", "w", "r", "b", "lengths"], outputs, direction="bidirectional", hidden_size=hidden,
                          **attributes)], "batch",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["t", "n", features]),
         helper.make_tensor_value_info("lengths", onnx.TensorProto.INT32, ["n"])],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    hexin.compile(model, str(tmp_path / "a.hxm"), targets=["cpu"])
    engine = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    opened = sessions(str(tmp_path / "a.hxm"))
    for batch in (1, 2, 3, 4, 5, 7, 9, 16, 21):
        feeds = {"x": random(batch, steps, batch, features),
                 "lengths": np.resize(np.array([steps, 1, steps - 1], np.int32), batch)}
        wanted = engine.run(outputs, feeds)
        for arch, session in opened.items():
            found = session.run(feeds)
            for name, expected in zip(outputs, wanted):
                np.testing.assert_allclose(found[name], expected, rtol=0, atol=2e-5, err_msg=f"{arch} {batch} {name}")
    for session in opened.values():
        empty = session.run({"x": np.zeros((steps, 0, features), np.float32), "lengths": np.zeros(0, np.int32)})
        assert empty["y"].shape == (steps, 2, 0, hidden) and empty["h"].shape == (2, 0, hidden)
