"""Indices outside of their tensor: an error of the run, and no harm to the next one."""

import numpy
import pytest
from devices import DEVICES
from onnx import TensorProto, helper

I64, FLOAT = TensorProto.INT64, TensorProto.FLOAT


def model(nodes, inputs, outputs, opset=18) -> bytes:
    values = lambda ports: [helper.make_tensor_value_info(*port) for port in ports]
    graph = helper.make_graph(nodes, "g", values(inputs), values(outputs))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


GATHER = model([helper.make_node("Gather", ["x", "i"], ["y"], name="pick", axis=1)],
               [("x", FLOAT, ["N", "M"]), ("i", I64, ["K"])], [("y", FLOAT, None)])
FUSED = model([helper.make_node("Gather", ["x", "i"], ["g"], name="pick"),
               helper.make_node("Relu", ["g"], ["r"]), helper.make_node("Add", ["r", "r"], ["y"])],
              [("x", FLOAT, ["N", "M"]), ("i", I64, ["K"])], [("y", FLOAT, None)])
ELEMENTS = model([helper.make_node("GatherElements", ["x", "i"], ["y"], name="pick")],
                 [("x", FLOAT, ["N", "M"]), ("i", I64, ["K", "M"])], [("y", FLOAT, None)])
ND = model([helper.make_node("GatherND", ["x", "i"], ["y"], name="pick")],
           [("x", FLOAT, ["N", "M"]), ("i", I64, ["K", 2])], [("y", FLOAT, None)])
SCATTER = model([helper.make_node("ScatterElements", ["x", "i", "u"], ["y"], name="pick")],
                [("x", FLOAT, ["N", "M"]), ("i", I64, ["K", "M"]), ("u", FLOAT, ["K", "M"])], [("y", FLOAT, None)])
SCATTER_ND = model([helper.make_node("ScatterND", ["x", "i", "u"], ["y"], name="pick")],
                   [("x", FLOAT, ["N", "M"]), ("i", I64, ["K", 1]), ("u", FLOAT, ["K", "M"])], [("y", FLOAT, None)])

X = numpy.arange(12, dtype=numpy.float32).reshape(3, 4)
UPDATES = numpy.full((1, 4), 7, numpy.float32)


def indices(values, shape):
    return numpy.array(values, numpy.int64).reshape(shape)


# (model, good indices, bad indices, what the error says of the bad one)
CASES = {
    "gather-high": (GATHER, indices([3, -4], 2), indices([1, 4], 2), "index 4 .*from -4 to 3"),
    "gather-low": (GATHER, indices([3, -4], 2), indices([-5, 0], 2), "index -5 .*from -4 to 3"),
    "gather-huge": (GATHER, indices([0], 1), indices([2**62], 1), f"index {2**62} "),
    "gather-fused": (FUSED, indices([2, -3], 2), indices([3, 0], 2), "index 3 .*from -3 to 2"),
    "gather-elements": (ELEMENTS, indices([0, 1, 2, -3], (1, 4)), indices([0, 1, 3, 0], (1, 4)), "index 3 "),
    "gather-nd": (ND, indices([2, 3], (1, 2)), indices([2, -5], (1, 2)), "index -5 .*from -4 to 3"),
    "scatter-elements": (SCATTER, indices([0, 1, 2, -3], (1, 4)), indices([0, 1, 3, 0], (1, 4)), "index 3 "),
    "scatter-nd": (SCATTER_ND, indices([-3], (1, 1)), indices([-4], (1, 1)), "index -4 .*from -3 to 2"),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", CASES)
def test_bad_index_is_an_error_and_the_session_lives(case, device, tmp_path):
    import hexin

    source, good, bad, message = CASES[case]
    path = str(tmp_path / "model.hxm")
    hexin.compile(source, path, targets=[device.split(":")[0]])
    session = hexin.Session(path, device=device)
    inputs = {"x": X, "i": good}
    if "scatter" in case:
        inputs["u"] = UPDATES
    (before,) = session.run(inputs).values()
    with pytest.raises(hexin.OutOfRangeError, match="'pick.*" + message):
        session.run({**inputs, "i": bad})
    with pytest.raises(hexin.OutOfRangeError, match="'pick"):
        session.submit({**inputs, "i": bad}).result()
    (after,) = session.run(inputs).values()
    numpy.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("device", DEVICES)
def test_each_op_reports_for_itself(device, tmp_path):
    import hexin

    nodes = [helper.make_node("Gather", ["x", "i"], ["a"], name="first"),
             helper.make_node("Gather", ["x", "j"], ["b"], name="second")]
    source = model(nodes, [("x", FLOAT, ["N", 4]), ("i", I64, ["K"]), ("j", I64, ["L"])],
                   [("a", FLOAT, None), ("b", FLOAT, None)])
    path = str(tmp_path / "model.hxm")
    hexin.compile(source, path, targets=[device.split(":")[0]])
    session = hexin.Session(path, device=device)
    good, bad = indices([0], 1), indices([9], 1)
    with pytest.raises(hexin.OutOfRangeError, match="'second'.*index 9 "):
        session.run({"x": X, "i": good, "j": bad})
    with pytest.raises(hexin.OutOfRangeError, match="'first'.*index 9 "):
        session.run({"x": X, "i": bad, "j": bad})


@pytest.mark.parametrize("device", DEVICES)
def test_an_empty_axis_cannot_be_indexed(device, tmp_path):
    import hexin

    path = str(tmp_path / "model.hxm")
    hexin.compile(GATHER, path, targets=[device.split(":")[0]])
    session = hexin.Session(path, device=device)
    empty = numpy.zeros((3, 0), numpy.float32)
    with pytest.raises(hexin.InvalidArgumentError, match="axis of size 0"):
        session.run({"x": empty, "i": indices([0], 1)})
    (found,) = session.run({"x": empty, "i": indices([], 0)}).values()
    assert found.shape == (3, 0)
