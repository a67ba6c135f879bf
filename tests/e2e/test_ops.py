"""Recurrences, scans, scatters, sorts and dynamic quantisation, with every option, on every device.

The cases of one operator are nodes of one model, so that a family costs one compile.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

DEVICES = ["cpu", "opencl:0"]
LSTM_INPUTS = ("x", "w", "r", "b", "lengths", "h0", "c0", "p")


class Cases:
    """Nodes over shared inputs; every case is one node, its outputs are the model's."""

    def __init__(self, opset=17):
        self.nodes, self.inputs, self.constants, self.outputs, self.opset = [], {}, {}, [], opset

    def input(self, name, value):
        self.inputs[name] = np.asarray(value)
        return name

    def constant(self, name, value):
        self.constants[name] = np.asarray(value)
        return name

    def add(self, op, name, inputs, outputs=1, **attributes):
        names = [f"{name}.{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=name, **attributes))
        self.outputs += names

    def model(self):
        def port(name, value):
            kind = helper.np_dtype_to_tensor_dtype(value.dtype)
            return helper.make_tensor_value_info(name, kind, value.shape)

        graph = helper.make_graph(
            self.nodes, "cases", [port(*item) for item in self.inputs.items()],
            [onnx.ValueInfoProto(name=name) for name in self.outputs],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        return onnx.shape_inference.infer_shapes(model)


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def lstm():
    """Every option of LSTM, narrower than a vector and wider. Sizes are no part of a kernel."""
    cases = Cases()
    add_lstm(cases, "narrow", hidden=7, features=11, steps=5, batch=3)
    add_lstm(cases, "wide", hidden=40, features=33, steps=4, batch=2)
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
    cases.input(prefix + ".lengths", np.array([steps, 2, steps - 1][:batch], np.int32))
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


def scans():
    cases = Cases()
    x = random(7, 3, 37, 21)
    cases.input("x", x)
    cases.input("i", np.random.default_rng(8).integers(-3, 3, (3, 37, 21)).astype(np.int64))
    for axis in (0, 1, 2):
        cases.constant(f"axis{axis}", np.array(axis, np.int64))
        for exclusive in (0, 1):
            for reverse in (0, 1):
                cases.add("CumSum", f"sum-{axis}-{exclusive}{reverse}", ["x", f"axis{axis}"],
                          exclusive=exclusive, reverse=reverse)
        cases.add("CumSum", f"sum-i64-{axis}", ["i", f"axis{axis}"])
        for op in ("ArgMax", "ArgMin"):
            for last in (0, 1):
                cases.add(op, f"{op}-{axis}-last{last}", ["i"], axis=axis, keepdims=0, select_last_index=last)
            cases.add(op, f"{op}-{axis}", ["x"], axis=axis)
    # What feeds a scan and what follows it join its kernel.
    cases.nodes.append(helper.make_node("Mul", ["x", "x"], ["squares"]))
    cases.nodes.append(helper.make_node("CumSum", ["squares", "axis1"], ["running"]))
    cases.add("Sqrt", "fused", ["running"])
    return cases


def scatters():
    cases = Cases(opset=18)
    random_ints = np.random.default_rng(9).integers
    cases.input("x", random(10, 6, 7, 40))
    cases.input("u", random(11, 4, 9, 33))
    cases.input("n", random(12, 5, 7, 40))
    cases.input("e", random(13, 90))
    for axis, size in enumerate((6, 7, 40)):
        # Duplicates, negative indices, and updates smaller than the input elsewhere.
        shape = [4, 5, 33]
        shape[axis] = 9
        cases.input(f"u{axis}", random(14 + axis, *shape))
        cases.input(f"i{axis}", random_ints(-size, size, shape).astype(np.int64))
        for how in ("none", "add", "mul", "max", "min"):
            cases.add("ScatterElements", f"elements-{axis}-{how}", ["x", f"i{axis}", f"u{axis}"],
                      axis=axis, reduction=how)
    cases.inputs.pop("u")
    cases.constant("rows", np.array([[5], [0], [-6], [2], [5]], np.int64))
    cases.input("elements", np.stack([random_ints(-s, s, 90) for s in (6, 7, 40)], -1).astype(np.int64))
    for how in ("none", "add", "mul", "max", "min"):
        cases.add("ScatterND", f"nd-rows-{how}", ["x", "rows", "n"], reduction=how)
        cases.add("ScatterND", f"nd-elements-{how}", ["x", "elements", "e"], reduction=how)
    return cases


def sorts():
    cases = Cases()
    cases.input("x", random(20, 3, 50, 17))
    cases.input("ties", np.random.default_rng(21).integers(0, 4, (3, 50, 17)).astype(np.float32))
    cases.input("i", np.random.default_rng(22).integers(-9, 9, (4, 33)).astype(np.int64))
    cases.input("long", random(23, 2, 1000))
    cases.input("one", random(24, 5, 1))
    for axis, size in enumerate((3, 50, 17)):
        cases.constant(f"all{axis}", np.array([size], np.int64))
        for largest in (0, 1):
            for name in ("x", "ties"):
                cases.add("TopK", f"{name}-{axis}-{largest}", [name, f"all{axis}"], 2, axis=axis, largest=largest)
    cases.constant("k", np.array([5], np.int64))
    cases.constant("k1", np.array([1], np.int64))
    cases.add("TopK", "i64", ["i", "k"], 2)
    cases.add("TopK", "long", ["long", "k"], 2, largest=0)
    cases.add("TopK", "one", ["one", "k1"], 2)
    return cases


def dynamic_quantization():
    cases = Cases()
    for name, value in (("both", random(30, 7, 45)), ("above", np.abs(random(31, 300)) + 2),
                        ("below", -np.abs(random(32, 3)) - 1), ("zeros", np.zeros((4, 5), np.float32))):
        cases.input(name, value)
        cases.add("DynamicQuantizeLinear", name, [name], 3)
    return cases


def other_types():
    cases = Cases(opset=18)
    cases.constant("axis", np.array(0, np.int64))
    cases.constant("k", np.array([4], np.int64))
    cases.constant("i", np.random.default_rng(50).integers(-6, 6, (4, 33)).astype(np.int64))
    for kind in ("float64", "float16", "int32", "int64", "uint8", "int8", "bool"):
        values = np.random.default_rng(51).integers(0, 250, (6, 33)) - (0 if kind == "uint8" else 120)
        x = cases.input(kind, values.astype(kind))
        u = cases.input("u-" + kind, values[:4].astype(kind))
        cases.add("ScatterElements", f"scatter-{kind}", [x, "i", u], axis=0)
        if kind in ("float64", "int32", "int64"):
            cases.add("CumSum", f"sum-{kind}", [x, "axis"])
            cases.add("ScatterElements", f"scatter-add-{kind}", [x, "i", u], axis=0, reduction="add")
        if kind in ("float64", "int32", "uint8", "int8"):
            cases.add("ArgMax", f"argmax-{kind}", [x], axis=1)
            cases.add("ArgMin", f"argmin-{kind}", [x], axis=0, keepdims=0)
        if kind in ("float64", "int32", "int64"):
            cases.add("TopK", f"top-{kind}", [x, "k"], 2)
    return cases


def concats():
    """Along every axis; widths that vectors divide and not; with ops before and behind."""
    cases = Cases()
    for name, width in (("a", 24), ("b", 37), ("c", 1), ("empty", 0), ("one", 5)):
        cases.input(name, random(70 + width, 3, 5, width))
    cases.input("high", random(80, 3, 2, 24))
    cases.input("deep", random(81, 4, 5, 24))
    cases.input("flat", random(82, 1, 300))
    cases.constant("scale", random(83, 24 + 37 + 1))
    cases.add("Concat", "last", ["a", "b", "c", "one"], axis=-1)
    cases.add("Concat", "with-empty", ["empty", "b", "empty", "a"], axis=2)
    cases.add("Concat", "middle", ["a", "high"], axis=1)
    cases.add("Concat", "first", ["a", "deep"], axis=0)
    cases.add("Concat", "one-row", ["flat", "flat"], axis=1)
    cases.add("Concat", "same", ["b", "b", "b"], axis=2)
    for name in ("a", "b"):
        cases.nodes.append(helper.make_node("Relu", [name], ["relu-" + name]))
    cases.nodes.append(helper.make_node("Concat", ["relu-a", "relu-b", "c"], ["joined"], axis=2))
    cases.nodes.append(helper.make_node("Mul", ["joined", "scale"], ["scaled"]))
    cases.add("Sigmoid", "fused", ["scaled"])
    cases.nodes.append(helper.make_node("Concat", ["relu-a", "high"], ["stacked"], axis=1))
    cases.add("Neg", "fused-middle", ["stacked"])
    for kind in ("float64", "float16", "int64", "uint8", "bool"):
        values = np.random.default_rng(84).integers(0, 2 if kind == "bool" else 200, (9, 21)).astype(kind)
        cases.add("Concat", f"last-{kind}", [cases.input("x-" + kind, values), "x-" + kind], axis=1)
    return cases


FAMILIES = {
    "concats": concats,
    "lstm": lstm, "scans": scans, "scatters": scatters, "sorts": sorts, "other-types": other_types,
    "dynamic-quantization": dynamic_quantization,
}


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """family(name) -> (cases, artifact, expected outputs), once per family."""
    import hexin

    folder, known = tmp_path_factory.mktemp("ops"), {}

    def get(name):
        if name not in known:
            cases = FAMILIES[name]()
            model = cases.model()
            source, artifact = folder / f"{name}.onnx", folder / f"{name}.hxm"
            onnx.save(model, source)
            hexin.compile(str(source), str(artifact), targets=["cpu", "opencl"])
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            engine = onnxruntime.InferenceSession(model.SerializeToString(), options)
            known[name] = cases, artifact, dict(zip(cases.outputs, engine.run(cases.outputs, cases.inputs)))
        return known[name]

    return get


def open_session(artifact, device):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    return hexin.Session(str(artifact), device=device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", FAMILIES)
def test_family_agrees(family, name, device):
    cases, artifact, expected = family(name)
    outputs = open_session(artifact, device).run(cases.inputs)
    wrong = []
    for output, value in expected.items():
        try:
            # A step of the quantised scale may fall either way at the rounding's edge.
            atol = 1 if value.dtype == np.uint8 else 2e-5
            np.testing.assert_allclose(outputs[output], value, rtol=2e-5, atol=atol if value.dtype != np.int64 else 0)
            assert outputs[output].dtype == value.dtype
        except AssertionError as error:
            wrong.append(f"{output}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def nan_cases(tmp_path_factory):
    """Rules of which onnxruntime has others: NaN in orders, rows of length 0."""
    import hexin

    cases = Cases()
    cases.input("x", np.array([[2, np.nan, 1, np.nan, 3], [1, 5, 5, -1, -1]], np.float32))
    for op in ("ArgMax", "ArgMin"):
        for last in (0, 1):
            cases.add(op, f"{op}{last}", ["x"], axis=1, keepdims=0, select_last_index=last)
    row = np.arange(41, dtype=np.float32).reshape(1, 41)
    row[0, [5, 33, 38]] = np.nan
    cases.input("row", row)
    for last in (0, 1):
        cases.add("ArgMin", f"row{last}", ["row"], axis=1, keepdims=0, select_last_index=last)
    cases.constant("k", np.array([5], np.int64))
    for largest in (0, 1):
        cases.add("TopK", f"top{largest}", ["x", "k"], 2, largest=largest)
    hidden = 2
    cases.constant("w", np.ones((1, 8, 5), np.float32))
    cases.constant("r", np.ones((1, 8, 2), np.float32))
    cases.constant("sequence", random(40, 3, 2, 5))
    cases.input("lengths", np.array([0, 3], np.int32))
    cases.input("h0", np.ones((1, 2, hidden), np.float32))
    cases.add("LSTM", "lstm", ["sequence", "w", "r", "", "lengths", "h0"], 3, hidden_size=hidden)
    folder = tmp_path_factory.mktemp("nan")
    onnx.save(cases.model(), folder / "nan.onnx")
    hexin.compile(str(folder / "nan.onnx"), str(folder / "nan.hxm"), targets=["cpu", "opencl"])
    return cases, folder / "nan.hxm"


@pytest.mark.parametrize("device", DEVICES)
def test_orders_with_nan_and_empty_rows(nan_cases, device):
    cases, artifact = nan_cases
    outputs = open_session(artifact, device).run(cases.inputs)
    for name, expected in {
        "ArgMax0.0": [1, 1], "ArgMax1.0": [3, 2], "ArgMin0.0": [1, 3], "ArgMin1.0": [3, 4],
        "top0.1": [[2, 0, 4, 1, 3], [3, 4, 0, 1, 2]], "top1.1": [[1, 3, 4, 0, 2], [1, 2, 0, 3, 4]],
        "row0.0": [5], "row1.0": [38],
    }.items():
        np.testing.assert_array_equal(outputs[name], expected, err_msg=name)
    assert not outputs["lstm.0"][:, :, 0].any() and not outputs["lstm.1"][:, 0].any()
    assert not outputs["lstm.2"][:, 0].any() and outputs["lstm.1"][:, 1].all()


@pytest.fixture(scope="module")
def dynamic_model():
    """Sizes that only the run tells: x [steps, batch, 5]."""
    cases = Cases(opset=17)
    cases.input("x", random(60, 3, 2, 5))
    cases.input("u", random(61, 1, 2, 5))
    cases.input("i", np.zeros((1, 2, 5), np.int64))
    cases.constant("axis", np.array(0, np.int64))
    cases.constant("k", np.array([1], np.int64))
    cases.constant("w", random(62, 2, 12, 5))
    cases.constant("r", random(63, 2, 12, 3))
    cases.add("LSTM", "lstm", ["x", "w", "r"], 3, hidden_size=3, direction="bidirectional")
    cases.add("CumSum", "sum", ["x", "axis"], reverse=1)
    cases.add("ArgMax", "argmax", ["x"], axis=2)
    cases.add("TopK", "top", ["x", "k"], 2, axis=0)
    cases.add("ScatterElements", "scatter", ["x", "i", "u"], axis=0)
    cases.add("Concat", "concat", ["x", "x"], axis=2)
    cases.add("Concat", "concat-batch", ["u", "x", "u"], axis=0)
    cases.add("ReduceMean", "mean", ["x"], axes=[0, 1])  # divides by a number that the host knows
    model = cases.model()
    for port in model.graph.input:
        port.type.tensor_type.shape.dim[1].dim_param = "batch"
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "steps"
    for port in (*model.graph.output, *model.graph.value_info):
        port.type.tensor_type.ClearField("shape")
    return cases, model


@pytest.fixture(scope="module")
def dynamic_artifact(dynamic_model, tmp_path_factory):
    import hexin

    path = tmp_path_factory.mktemp("dynamic") / "dynamic.hxm"
    hexin.compile(dynamic_model[1], str(path), targets=["cpu", "opencl"])
    return path


@pytest.mark.parametrize("device", DEVICES)
def test_sizes_may_change_between_runs(dynamic_model, dynamic_artifact, device):
    cases, model = dynamic_model
    session = open_session(dynamic_artifact, device)
    engine = onnxruntime.InferenceSession(model.SerializeToString())
    for steps, batch in ((3, 2), (1, 1), (6, 19), (2, 0)):
        inputs = {"x": random(steps, steps, batch, 5), "u": random(batch, 1, batch, 5),
                  "i": np.full((1, batch, 5), steps - 1)}
        outputs = session.run(inputs)
        if batch == 0:
            assert all(0 in value.shape for name, value in outputs.items() if name != "mean.0")
            assert np.isnan(outputs["mean.0"]).all()
            continue
        for name, value in zip(cases.outputs, engine.run(cases.outputs, inputs)):
            np.testing.assert_allclose(outputs[name], value, rtol=2e-5, atol=2e-5, err_msg=f"{name} {steps}x{batch}")
