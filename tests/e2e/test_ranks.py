"""Ranks that only a run knows: what follows is compiled for both cases."""

import numpy as np
import pytest
from onnx import TensorProto, helper

import hexin
from devices import DEVICES

F32, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
X = np.arange(-6, 6, dtype=np.float32)


def info(name, kind=F32, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, functions=(), opset=17):
    graph = helper.make_graph(nodes, "ranks", [info(*port) for port in inputs], [info(name) for name in outputs])
    domains = [helper.make_opsetid("", opset)] + [helper.make_opsetid(f.domain, 1) for f in functions]
    return helper.make_model(graph, opset_imports=domains, ir_version=8, functions=list(functions)).SerializeToString()


def session(source, folder, device="cpu"):
    path = str(folder / "model.hxm")
    hexin.compile(source, path, targets=[device.partition(":")[0]])
    return hexin.Session(path, device=device)


def branch(nodes, *outputs):
    return helper.make_graph(nodes, "branch", [], [info(name) for name in outputs])


def ints(name, *values):
    return helper.make_node("Constant", [], [name], value=helper.make_tensor("", I64, [len(values)], values))


def sum_or_itself(condition="c", x="x", name="choice"):
    """Rank 0 where the condition holds, else that of x."""
    return helper.make_node("If", [condition], ["y"], name=name,
                            then_branch=branch([helper.make_node("ReduceSum", [x], ["a"], keepdims=0)], "a"),
                            else_branch=branch([helper.make_node("Neg", [x], ["b"])], "b"))


@pytest.mark.parametrize("device", DEVICES)
def test_a_rank_that_the_end_does_not_have(device, tmp_path):
    nodes = [sum_or_itself(), helper.make_node("Relu", ["y"], ["z"]), helper.make_node("Add", ["x", "z"], ["out"])]
    made = session(model(nodes, [("x", F32, ["n"]), ("c", BOOL, [])], ["out"]), tmp_path, device)
    for flag, expected in ((True, X + max(X.sum(), 0)), (False, X + np.maximum(-X, 0))):
        np.testing.assert_allclose(made.run({"x": X, "c": np.array(flag)})["out"], expected)


def test_the_same_condition_is_asked_once(tmp_path):
    again = helper.make_node("If", ["c"], ["out"], then_branch=branch([helper.make_node("Expand", ["y", "shape"], ["p"])], "p"),
                             else_branch=branch([helper.make_node("Identity", ["y"], ["q"])], "q"))
    nodes = [helper.make_node("Shape", ["x"], ["shape"]), sum_or_itself(), again]
    made = session(model(nodes, [("x", F32, ["n"]), ("c", BOOL, [])], ["out"]), tmp_path)
    np.testing.assert_allclose(made.run({"x": X, "c": np.array(True)})["out"], np.full(12, X.sum()))
    np.testing.assert_allclose(made.run({"x": X, "c": np.array(False)})["out"], -X)


def test_through_functions_branches_and_loops(tmp_path):
    # The choice stands in a function that a loop's body calls; what follows it ends with that body.
    function = helper.make_function("own", "F", ["fx", "fc"], ["fy"],
                                    [helper.make_node("If", ["fc"], ["t"], then_branch=branch([helper.make_node("ReduceSum", ["fx"], ["a"], keepdims=0)], "a"),
                                                      else_branch=branch([helper.make_node("Neg", ["fx"], ["b"])], "b")),
                                     helper.make_node("Abs", ["t"], ["fy"])], [helper.make_opsetid("", 17)])
    body = helper.make_graph([helper.make_node("Identity", ["go"], ["on"]), helper.make_node("F", ["x", "c"], ["f"], domain="own"),
                              helper.make_node("Add", ["s", "f"], ["t"])],
                             "body", [info("i", I64, []), info("go", BOOL, []), info("s", F32, ["k"])], [info("on", BOOL, []), info("t", F32, ["k"])])
    nodes = [helper.make_node("Loop", ["m", "", "x"], ["out"], body=body)]
    made = session(model(nodes, [("x", F32, ["n"]), ("c", BOOL, []), ("m", I64, [])], ["out"], [function]), tmp_path)
    run = lambda flag: made.run({"x": X, "c": np.array(flag), "m": np.array(3)})["out"]
    np.testing.assert_allclose(run(True), X + 3 * abs(X.sum()))
    np.testing.assert_allclose(run(False), X + 3 * abs(X))


def test_squeeze_of_sizes_that_a_run_knows(tmp_path):
    nodes = [helper.make_node("Squeeze", ["x"], ["s"], name="squeeze"), ints("flat", -1), helper.make_node("Exp", ["s"], ["e"]),
             helper.make_node("Reshape", ["e", "flat"], ["out"])]
    made = session(model(nodes, [("x", F32, ["a", 1, "b"])], ["out"]), tmp_path)
    for shape in ((2, 1, 3), (1, 1, 3), (2, 1, 1), (1, 1, 1)):
        x = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
        np.testing.assert_allclose(made.run({"x": x})["out"], np.exp(x).ravel(), rtol=1e-6)


def test_a_case_that_cannot_run_is_an_error_of_the_run(tmp_path):
    nodes = [helper.make_node("Squeeze", ["x"], ["s"], name="squeeze"), helper.make_node("Transpose", ["s"], ["t"], perm=[1, 0], name="turn")]
    made = session(model(nodes, [("x", F32, ["a", 1, 3])], ["t"]), tmp_path)
    assert made.run({"x": np.zeros((2, 1, 3), np.float32)})["t"].shape == (3, 2)
    with pytest.raises(hexin.InvalidArgumentError, match="squeeze.*this branch cannot run: .*turn"):
        made.run({"x": np.zeros((1, 1, 3), np.float32)})


def test_refused_where_the_end_has_no_one_rank(tmp_path):
    with pytest.raises(hexin.UnsupportedError, match="'choice' .*its rank hangs on a condition .* output #0"):
        session(model([sum_or_itself()], [("x", F32, ["n"]), ("c", BOOL, [])], ["y"]), tmp_path)


def test_refused_where_too_much_follows(tmp_path):
    chain = [helper.make_node("Abs", ["y" if i == 0 else f"v{i}"], [f"v{i + 1}"]) for i in range(300)]
    nodes = [sum_or_itself(), *chain, helper.make_node("Add", ["x", "v300"], ["out"])]
    with pytest.raises(hexin.UnsupportedError, match="301 nodes follow, more than the 256"):
        session(model(nodes, [("x", F32, ["n"]), ("c", BOOL, [])], ["out"]), tmp_path)
