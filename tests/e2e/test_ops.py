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


def broadcasts():
    """Axes of size 1 between axes that broadcast differently: they must not be merged across it."""
    cases = Cases()
    cases.input("x", random(70, 47, 1, 512))
    cases.input("row", random(71, 1, 1, 512))
    cases.input("column", random(72, 47, 1, 1))
    cases.input("y", random(73, 1, 6, 1, 5, 1, 4))
    cases.input("z", random(74, 1, 1, 1, 5, 1, 4))
    cases.input("w", random(75, 6, 1, 1, 1, 4))
    for a, b in (("x", "row"), ("row", "x"), ("x", "column"), ("row", "column"), ("y", "z"), ("y", "w"), ("w", "z")):
        cases.add("Sub", f"{a}-{b}", [a, b])
    return cases


def integer_products():
    """Exact sums of 8-bit products, over depths at which f32 would round."""
    cases = Cases()
    bytes_ = np.random.default_rng(80).integers
    for rows, depth, columns in ((1, 5, 3), (50, 768, 40), (7, 3001, 33)):
        name = f"{rows}x{depth}x{columns}"
        for lhs, rhs in (("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")):
            low, high = np.iinfo(lhs).min, np.iinfo(lhs).max
            a = cases.input(f"{name}.{lhs}.{rhs}.a", bytes_(low, high + 1, (2, rows, depth)).astype(lhs))
            # Most at the ends, where sums grow fastest.
            ends = bytes_(0, 2, (depth, columns)) * (np.iinfo(rhs).max - np.iinfo(rhs).min) + np.iinfo(rhs).min
            b = cases.constant(f"{name}.{lhs}.{rhs}.b", ends.astype(rhs))
            za = cases.constant(f"{name}.{lhs}.za", np.array(3, lhs))
            zb = cases.constant(f"{name}.{rhs}.zb", np.array([7], rhs))
            zeros = cases.constant(f"{name}.{rhs}.zeros", np.zeros(columns, rhs))
            each = cases.constant(f"{name}.{rhs}.each", bytes_(0, 9, columns).astype(rhs))
            for how, zero_points in (("plain", []), ("both", [za, zb]), ("lhs", [za]), ("zeros", [za, zeros]),
                                     ("columns", [za, each])):
                cases.add("MatMulInteger", f"{name}-{lhs}-{rhs}-{how}", [a, b, *zero_points])
    x = cases.input("x", bytes_(0, 256, (2, 24, 61)).astype(np.uint8))
    image = cases.input("image", bytes_(0, 256, (1, 8, 17, 13)).astype(np.uint8))
    zero = cases.constant("zero", np.array(131, np.uint8))
    kernel_zero = cases.constant("kernel-zero", np.array(2, np.int8))
    for groups in (1, 4, 24):
        w = cases.constant(f"w{groups}", bytes_(-128, 128, (48, 24 // groups, 11)).astype(np.int8))
        for pads in ([0, 0], [5, 5], [10, 0]):
            for dilation in (1, 3):
                cases.add("ConvInteger", f"conv-{groups}-{pads}-{dilation}", [x, w, zero], group=groups, pads=pads,
                          dilations=[dilation], strides=[1 if dilation == 3 else 2])
    w = cases.constant("w2d", bytes_(-128, 128, (21, 8, 3, 3)).astype(np.int8))
    cases.add("ConvInteger", "conv2d", [image, w, zero, kernel_zero], pads=[1, 1, 1, 1])
    cases.add("ConvInteger", "conv2d-plain", [image, w], strides=[2, 1])
    return cases


def transposed_convolutions():
    """Strides that divide the taps and strides that do not, pads, output padding, groups."""
    cases = Cases()
    line, image = cases.input("line", random(90, 2, 6, 19)), cases.input("image", random(91, 1, 6, 7, 5))
    bias = cases.constant("bias", random(92, 10))
    for taps, stride, pads, output_padding in ((20, 10, [5, 5], 0), (12, 6, [3, 3], 0), (20, 5, [0, 0], 0),
                                               (3, 2, [1, 1], 1), (5, 3, [0, 2], 1), (7, 1, [3, 3], 0),
                                               (4, 4, [0, 0], 0), (2, 5, [0, 0], 3), (5, 2, [4, 0], 0)):
        for groups in (1, 2):
            w = cases.constant(f"w{taps}.{stride}.{groups}", random(taps, 6, 10 // groups, taps))
            cases.add("ConvTranspose", f"line-{taps}-{stride}-{groups}", [line, w, bias], strides=[stride], pads=pads,
                      output_padding=[output_padding], group=groups)
    for taps, strides, pads in (((4, 4), [2, 2], [1, 1, 1, 1]), ((3, 5), [2, 3], [1, 0, 0, 2]), ((2, 2), [2, 2], [0] * 4)):
        w = cases.constant(f"w{taps}", random(99, 6, 10, *taps))
        cases.add("ConvTranspose", f"image-{taps}", [image, w], strides=strides, pads=pads)
    w = cases.constant("dilated", random(98, 6, 10, 3))
    cases.add("ConvTranspose", "dilated", [line, w], strides=[2], dilations=[2])
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


def convolutions():
    """Groups of every kind: whole, grouped, depthwise, depthwise with several outputs per channel."""
    cases = Cases()
    for c, m, groups in ((3, 5, 1), (6, 9, 3), (4, 4, 4), (4, 8, 4), (20, 60, 20), (32, 64, 32), (64, 128, 64)):
        image = cases.input(f"image-{c}-{groups}", random(130 + c, 2, c, 9, 11))
        for taps, pads, strides, dilations in ((1, 0, 1, 1), (3, 1, 1, 1), (3, 0, 2, 1), (3, 2, 1, 2)):
            name = f"{c}-{m}-{groups}-{taps}-{pads}-{strides}"
            w = cases.constant("w-" + name, random(131 + c, m, c // groups, taps, taps))
            cases.add("Conv", name, [image, w], group=groups, pads=[pads] * 4, strides=[strides] * 2,
                      dilations=[dilations] * 2)
    return cases


FAMILIES = {
    "broadcasts": broadcasts, "convolutions": convolutions, "integer-products": integer_products,
    "transposed-convolutions": transposed_convolutions,
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
            if value.dtype in (np.int32, np.int64):
                np.testing.assert_array_equal(outputs[output], value)
            else:
                np.testing.assert_allclose(outputs[output], value, rtol=2e-5, atol=atol)
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


SPECTRA = ((20, 5), (16, 16), (75, 10), (400, 160), (1, 3))  # frame length, step


@pytest.fixture(scope="module")
def spectra(tmp_path_factory):
    """STFT with and without a window, of real and complex signals; the truth is numpy's in f64."""
    import hexin

    cases = Cases()
    cases.input("signal", random(100, 2, 700))
    cases.input("deep", random(101, 2, 700, 1))
    cases.input("pairs", random(102, 2, 500, 2))
    for length, step in SPECTRA:
        cases.constant(f"length{length}", np.array(length, np.int64))
        cases.constant(f"step{length}", np.array(step, np.int64))
        cases.constant(f"window{length}", np.hanning(length + 1)[:-1].astype(np.float32))
        cases.add("STFT", f"plain-{length}", ["signal", f"step{length}", "", f"length{length}"])
        cases.add("STFT", f"window-{length}", ["deep", f"step{length}", f"window{length}"])
        cases.add("STFT", f"complex-{length}", ["pairs", f"step{length}", f"window{length}"], onesided=0)
    path = tmp_path_factory.mktemp("spectra") / "spectra.hxm"
    hexin.compile(cases.model(), str(path), targets=["cpu", "opencl"])
    return cases, path


@pytest.mark.parametrize("device", DEVICES)
def test_short_time_spectra(spectra, device):
    cases, artifact = spectra
    outputs = open_session(artifact, device).run(cases.inputs)
    signal, deep, pairs = (cases.inputs[name].astype(np.float64) for name in ("signal", "deep", "pairs"))
    for length, step in SPECTRA:
        window = cases.constants[f"window{length}"].astype(np.float64)
        for name, samples, weights, transform in (
                ("plain", signal, np.ones(length), np.fft.rfft), ("window", deep[..., 0], window, np.fft.rfft),
                ("complex", pairs[..., 0] + 1j * pairs[..., 1], window, np.fft.fft)):
            frames = np.lib.stride_tricks.sliding_window_view(samples, length, axis=1)[:, ::step]
            expected = transform(frames * weights)
            expected = np.stack([expected.real, expected.imag], -1)
            found = outputs[f"{name}-{length}.0"]
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * length, err_msg=f"{name}-{length}")
    assert not outputs["plain-20.0"][..., [0, 10], 1].any()  # exactly


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

    hexin.compile(model(nodes), str(tmp_path / "lstm.hxm"), targets=["cpu", "opencl"])
    found = open_session(tmp_path / "lstm.hxm", device).run({"x": x})
    for made, rtol, atol in ((model(plain), 2e-5, 2e-5), (model(nodes), 0, 0.05)):
        engine = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
        for name, expected in zip(outputs, engine.run(outputs, {"x": x})):
            np.testing.assert_allclose(found[name], expected, rtol=rtol, atol=atol, err_msg=name)

    nodes[0].input[9] = ""
    with pytest.raises(hexin.Error, match="channelFalse.*input #9 is missing"):
        hexin.compile(model(nodes), str(tmp_path / "bad.hxm"), targets=["cpu"])
