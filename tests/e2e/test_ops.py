"""Broadcasts, concatenations, scans, scatters, sorts and dynamic quantisation, with every option, on every device."""

import numpy as np
import onnx
import onnxruntime
import pytest
from devices import DEVICES, TARGETS
from onnx import helper
from op_cases import Cases, Families, open_session, random


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
    "broadcasts": broadcasts, "concats": concats, "scans": scans, "scatters": scatters, "sorts": sorts,
    "other-types": other_types, "dynamic-quantization": dynamic_quantization,
}


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    return Families(FAMILIES, tmp_path_factory.mktemp("ops"))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", FAMILIES)
def test_family_agrees(families, name, device):
    families.check(name, device)


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
    hexin.compile(str(folder / "nan.onnx"), str(folder / "nan.hxm"), targets=TARGETS)
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
    hexin.compile(dynamic_model[1], str(path), targets=TARGETS)
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
