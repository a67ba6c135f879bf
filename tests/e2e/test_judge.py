"""The judge itself: how an error is measured, and what is allowed."""

import judge
import numpy
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper


def test_judge_sees_what_is_wrong():
    """The measure of error itself."""
    good = {"a": numpy.array([1.0, -2.0, numpy.inf], numpy.float32), "b": numpy.array([1, 2])}
    assert judge.error_of(good, good) == 0.0
    assert judge.error_of({**good, "a": numpy.array([1.0, -2.1, numpy.inf])}, good) == pytest.approx(0.05)
    for wrong in ({"b": good["b"]}, {**good, "a": good["a"][:2]}, {**good, "b": numpy.array([1, 3])},
                  {**good, "a": numpy.array([numpy.nan, -2.0, numpy.inf])},
                  {**good, "a": numpy.array([1.0, -2.0, 3.0])}):
        assert judge.error_of(wrong, good) == float("inf")


def network(depth=6):
    """x [1, 8, 12, 12] through convolutions and activations to classes, f32 weights."""
    rng = numpy.random.default_rng(0)
    nodes, weights, last = [], [], "x"
    for i in range(depth):
        weights.append(numpy_helper.from_array((rng.standard_normal((8, 8, 3, 3)) / 6).astype(numpy.float32), f"w{i}"))
        nodes += [helper.make_node("Conv", [last, f"w{i}"], [f"c{i}"], pads=[1] * 4),
                  helper.make_node("Relu" if i % 2 else "Tanh", [f"c{i}"], [f"a{i}"])]
        last = f"a{i}"
    weights.append(numpy_helper.from_array(rng.standard_normal((8 * 144, 10)).astype(numpy.float32), "head"))
    nodes += [helper.make_node("Flatten", [last], ["flat"]), helper.make_node("MatMul", ["flat", "head"], ["y"])]
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 12, 12])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])], weights)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def with_weights(model, change):
    """The model with each weight put through `change`."""
    changed = onnx.ModelProto.FromString(model.SerializeToString())
    for weight in changed.graph.initializer:
        weight.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(weight)), weight.name))
    return changed


def to_bf16(values):
    bits = values.view(numpy.uint32) + 0x8000
    return (bits & 0xFFFF0000).view(numpy.float32)


@pytest.fixture(scope="module")
def judged_network(tmp_path_factory):
    """(path, inputs, judged outputs, derived bound, folder)"""
    folder = tmp_path_factory.mktemp("judge")
    path = folder / "net.onnx"
    onnx.save(network(), path)
    inputs = {"x": numpy.random.default_rng(1).standard_normal((1, 8, 12, 12)).astype(numpy.float32)}
    judged = judge.judged_outputs(path, inputs, folder)
    return path, inputs, judged, judge.derived_bound(path, inputs, judged, folder), folder


def engine_error(model, inputs, judged):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return judge.error_of(dict(zip(["y"], session.run(None, inputs))), judged)


def test_the_derived_bound_lets_f32_engines_pass_and_is_near(judged_network):
    _, inputs, judged, bound, _ = judged_network
    error = engine_error(network(), inputs, judged)
    # Above what an engine does, but of its size: a loose bound would prove nothing.
    assert error <= bound <= 100 * error


@pytest.mark.parametrize("sabotage", [
    to_bf16,
    lambda values: values.astype(numpy.float16).astype(numpy.float32),
    lambda values: values * numpy.float32(1 + 2**-14),
    lambda values: numpy.where(values == values.flat[3], 0, values),  # one weight of a layer is lost
], ids=["bf16", "f16", "scale", "lost"])
def test_the_derived_bound_finds_sabotage(judged_network, sabotage):
    _, inputs, judged, bound, _ = judged_network
    assert engine_error(with_weights(network(), sabotage), inputs, judged) > bound


def test_the_derived_bound_is_worked_out_only_when_it_decides():
    def fail():
        raise AssertionError("not needed")

    assert judge.bound_for(1e-7, 1e-6, fail) == judge.bound_of(1e-6)
    assert judge.bound_for(1e-3, 1e-6, lambda: 1e-2) == 1e-2
    assert judge.bound_for(1e-3, 1e-6, lambda: 1e-9) == judge.bound_of(1e-6)


def test_the_derived_bound_is_kept(judged_network, monkeypatch):
    path, inputs, judged, bound, folder = judged_network
    monkeypatch.setattr(judge, "judge", None)
    assert judge.derived_bound(path, inputs, judged, folder) == bound


def test_masks_and_counts_have_no_rounding_errors(tmp_path):
    """(1 - mask) * -3e38 + x: an error of the mask would be all there is."""
    nodes = [helper.make_node("Cast", ["mask"], ["m"], to=TensorProto.FLOAT),
             helper.make_node("Sub", ["one", "m"], ["n"]), helper.make_node("Mul", ["n", "low"], ["bias"]),
             helper.make_node("Add", ["x", "bias"], ["y"])]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("mask", TensorProto.INT64, [4]),
                     helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        [numpy_helper.from_array(numpy.float32(1), "one"), numpy_helper.from_array(numpy.float32(-3e38), "low")])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "m.onnx")
    inputs = {"mask": numpy.ones(4, numpy.int64), "x": numpy.array([1, 0.1, -2, 3], numpy.float32)}
    judged = judge.judge(tmp_path / "m.onnx", inputs)
    assert judge.derived_bound(tmp_path / "m.onnx", inputs, judged, tmp_path) < 1e-5
