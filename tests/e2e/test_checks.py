"""What only a run knows is checked by the run: a typed error that names the node and shows the values, and the session
lives on."""

import numpy as np
import pytest
from onnx import TensorProto, helper

import hexin
from devices import DEVICES

F32, I32, I64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


def ints(*values):
    return np.array(values, np.int64)


def floats(*shape):
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def compiled(nodes, inputs, outputs, folder, device, opset=21):
    graph = helper.make_graph(nodes, "checks", [helper.make_tensor_value_info(*port) for port in inputs],
                              [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    path = str(folder / "model.hxm")
    hexin.compile(model.SerializeToString(), path, targets=[device.partition(":")[0]])
    return hexin.Session(path, device=device)


def node(op, inputs, outputs=("y",), **attributes):
    return helper.make_node(op, list(inputs), list(outputs), name="the_node", **attributes)


X = floats(4, 6)
# name: (node, inputs beside x, good values of them, (bad values, what the error says)...)
CASES = {
    "topk": (node("TopK", ["x", "k"], ["y", "i"]), {"k": (I64, [1])}, [ints(2)],
             ([ints(7)], "K is 7, but axis 1 has size 6"), ([ints(-1)], "K is -1, expected at least 0")),
    "split": (node("Split", ["x", "s"], ["y", "i"], axis=1), {"s": (I64, [2])}, [ints(2, 4)],
              ([ints(2, 3)], "the sum of the parts is 5, but the size of axis 1 is 6"),
              ([ints(-1, 7)], "the size of part #0 is -1, expected 0 to 6")),
    "pad": (node("Pad", ["x", "p"]), {"p": (I64, [4])}, [ints(0, -2, 0, 1)],
            ([ints(0, -4, 0, -3)], "pads -4 and -3 cut more off axis 1 than its size, which is 6")),
    "cumsum": (node("CumSum", ["x", "a"]), {"a": (I64, [])}, [np.array(1)],
               ([np.array(2)], r"axes \[2\] are not different axes of a tensor of rank 2")),
    "squeeze-sums": (node("ReduceSum", ["x", "a"]), {"a": (I64, [2])}, [ints(0, -1)],
                     ([ints(1, -1)], r"axes \[1, -1\] are not different axes of a tensor of rank 2")),
    "slice-step": (node("Slice", ["x", "a", "b", "c", "d"]), {k: (I64, [1]) for k in "abcd"},
                   [ints(0), ints(4), ints(1), ints(2)], ([ints(0), ints(4), ints(1), ints(0)], "the step along axis . is 0")),
    "scale": (node("Resize", ["x", "", "f"]), {"f": (F32, [2])}, [np.array([1, 1.5], np.float32)],
              ([np.array([1, 0], np.float32)], "scale #1 is not a positive finite number"),
              ([np.array([-1, 1], np.float32)], "scale #0 is not a positive finite number"),
              ([np.array([1, np.nan], np.float32)], "scale #1"), ([np.array([np.inf, 1], np.float32)], "scale #0")),
    "dft": (helper.make_node("DFT", ["z", "n"], ["y"], name="the_node"), {"z": (F32, [1, 6, 1]), "n": (I64, [])},
            [floats(1, 6, 1), np.array(4)], ([floats(1, 6, 1), np.array(0)], "the length of the transform is 0, expected at least 1"),
            ([floats(1, 6, 1), np.array(-3)], "the length of the transform is -3")),
    "one-hot": (node("OneHot", ["i", "d", "v"]), {"i": (I64, [3]), "d": (I64, []), "v": (F32, [2])},
                [ints(0, 1, 2), np.array(3), np.array([0, 1], np.float32)],
                ([ints(0, 1, 2), np.array(-2), np.array([0, 1], np.float32)], "depth is -2, expected at least 0")),
    "range": (node("Range", ["a", "b", "c"]), {k: (I64, []) for k in "abc"}, [np.array(0), np.array(5), np.array(2)],
              ([np.array(0), np.array(5), np.array(0)], "delta is 0")),
}
INTEGER_RESULTS = {"range"}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", CASES)
def test_a_wrong_value_is_an_error_that_shows_it(name, device, tmp_path):
    made, ports, good, *bad = CASES[name]
    inputs = [("x", F32, ["n", 6])] + [(key, *port) for key, port in ports.items()]
    outputs = [(output, I64 if output == "i" and made.op_type == "TopK" or name in INTEGER_RESULTS else F32) for output in made.output]
    session = compiled([made], inputs, outputs, tmp_path, device)

    def run(values):
        return session.run({"x": X, **dict(zip(ports, values))})

    before = run(good)
    for values, message in bad:
        with pytest.raises(hexin.InvalidArgumentError, match="the_node.*" + message):
            run(values)
    after = run(good)
    for key in before:
        np.testing.assert_array_equal(before[key], after[key])


def recurrent(op, gates, folder, device, batch="b"):
    weights = [helper.make_tensor(name, F32, shape, floats(*shape).ravel())
               for name, shape in (("w", (1, gates * 3, 2)), ("r", (1, gates * 3, 3)))]
    made = helper.make_node(op, ["x", "w", "r", "", "lens"], ["y", "h"], name="the_node", hidden_size=3)
    graph = helper.make_graph([made], "lens", [helper.make_tensor_value_info("x", F32, ["t", batch, 2]),
                                               helper.make_tensor_value_info("lens", I32, [batch])],
                              [helper.make_tensor_value_info(name, F32, None) for name in ("y", "h")], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = str(folder / "model.hxm")
    hexin.compile(model.SerializeToString(), path, targets=[device.partition(":")[0]])
    return hexin.Session(path, device=device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("op, gates", [("GRU", 3), ("RNN", 1), ("LSTM", 4)])
def test_lengths_of_sequences(op, gates, device, tmp_path):
    session = recurrent(op, gates, tmp_path, device)
    x, lens = floats(5, 2, 2), np.array([5, 0], np.int32)
    before = session.run({"x": x, "lens": lens})
    assert not before["y"][:, :, 1].any() and before["y"][4, :, 0].any()
    for bad in (6, -1, 2**31 - 1):
        with pytest.raises(hexin.OutOfRangeError, match=f"the_node.*length {bad} .*from 0 to 5"):
            session.run({"x": x, "lens": np.array([5, bad], np.int32)})
    after = session.run({"x": x, "lens": lens})
    np.testing.assert_array_equal(before["y"], after["y"])


def test_lengths_that_a_run_varies_make_no_plans(tmp_path):
    session = recurrent("GRU", 3, tmp_path, "cpu", batch=2)
    x = floats(4, 2, 2)
    for n in range(4):
        session.run({"x": x, "lens": np.array([n, 4 - n], np.int32)})
    assert session.stats.plans == 1


@pytest.mark.parametrize("device", DEVICES)
def test_lengths_of_keys(device, tmp_path):
    session = compiled([node("Attention", ["q", "k", "v", "", "", "", "n"])],
                       [("q", F32, [2, 1, 2, 4]), ("k", F32, [2, 1, "t", 4]), ("v", F32, [2, 1, "t", 4]), ("n", I64, [2])],
                       [("y", F32)], tmp_path, device, opset=24)
    values = {"q": floats(2, 1, 2, 4), "k": floats(2, 1, 5, 4), "v": floats(2, 1, 5, 4)}
    session.run({**values, "n": ints(5, 2)})
    with pytest.raises(hexin.OutOfRangeError, match="the_node.*length 6 .*from 0 to 5"):
        session.run({**values, "n": ints(6, 2)})


def test_sequences_of_a_scan_that_differ(tmp_path):
    body = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "body",
                             [helper.make_tensor_value_info(name, F32, [2]) for name in "ab"],
                             [helper.make_tensor_value_info("c", F32, [2])])
    session = compiled([node("Scan", ["p", "q"], body=body, num_scan_inputs=2)], [("p", F32, ["n", 2]), ("q", F32, ["m", 2])],
                       [("y", F32)], tmp_path, "cpu")
    assert session.run({"p": floats(3, 2), "q": floats(3, 2)})["y"].shape == (3, 2)
    with pytest.raises(hexin.InvalidArgumentError, match="the_node.*first sequence is 3, but that of sequence #1 is 4"):
        session.run({"p": floats(3, 2), "q": floats(4, 2)})


def test_a_check_in_a_branch_binds_runs_that_take_it(tmp_path):
    then_branch = helper.make_graph([node("TopK", ["x", "k"], ["a", "ai"])], "then", [], [helper.make_tensor_value_info("a", F32, None)])
    else_branch = helper.make_graph([helper.make_node("Relu", ["x"], ["b"])], "else", [], [helper.make_tensor_value_info("b", F32, None)])
    session = compiled([helper.make_node("If", ["c"], ["y"], then_branch=then_branch, else_branch=else_branch)],
                       [("x", F32, ["n", 6]), ("k", I64, [1]), ("c", TensorProto.BOOL, [])], [("y", F32)], tmp_path, "cpu")
    assert session.run({"x": X, "k": ints(9), "c": np.array(False)})["y"].shape == (4, 6)
    assert session.run({"x": X, "k": ints(3), "c": np.array(True)})["y"].shape == (4, 3)
    with pytest.raises(hexin.InvalidArgumentError, match="K is 9"):
        session.run({"x": X, "k": ints(9), "c": np.array(True)})


def test_a_check_in_a_loop_binds_its_iterations(tmp_path):
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]),
         helper.make_node("Constant", [], ["first"], value=helper.make_tensor("", I64, [1], [0])),
         helper.make_node("Unsqueeze", ["i", "first"], ["k"]), node("TopK", ["x", "k"], ["top", "ti"]),
         helper.make_node("ReduceSum", ["top"], ["part"], keepdims=0), helper.make_node("Add", ["s", "part"], ["t"])],
        "body", [info("i", I64, []), info("go", TensorProto.BOOL, []), info("s", F32, [])],
        [info("on", TensorProto.BOOL, []), info("t", F32, [])])
    session = compiled([helper.make_node("Constant", [], ["s0"], value=helper.make_tensor("", F32, [], [0.0])),
                        helper.make_node("Loop", ["m", "", "s0"], ["y"], body=body)],
                       [("x", F32, ["n"]), ("m", I64, [])], [("y", F32)], tmp_path, "cpu")
    x = np.array([1, 2, 3], np.float32)
    assert session.run({"x": x, "m": np.array(4)})["y"] == 3 + 5 + 6
    assert session.run({"x": x, "m": np.array(0)})["y"] == 0
    with pytest.raises(hexin.InvalidArgumentError, match="K is 4, but axis 0 has size 3"):
        session.run({"x": x, "m": np.array(5)})
