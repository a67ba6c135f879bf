"""Broadcasting over every arrangement of ones, known and unknown sizes, on every device."""

import itertools
import re

import numpy as np
import onnx
import pytest
from devices import DEVICES, TARGETS
from onnx import TensorProto, helper

SYMBOLS = {"n": 3, "m": 1, "s": 21}  # m is unknown and 1
NUM_NODES = 60


def arrangements():
    """Pairs of shapes of rank 1 to 5. The first are those that once went wrong: a 1
    in both between axes that only one of the two has."""
    pairs = [([1, 1, "s", 1], ["n", 1, 1, "s"]), ([1, 1, 21, 1], ["n", 1, 1, 21]), (["n", 1, 1, 5], [1, 1, 4, 1, 1])]
    rng = np.random.default_rng(0)
    while len(pairs) < NUM_NODES:
        rank = int(rng.integers(1, 6))
        full = [[1, 1, 2, 5, "n", "m", "s"][i] for i in rng.integers(0, 7, rank)]
        pair = [[size if keep else 1 for size, keep in zip(full, rng.random(rank) < 0.6)] for _ in range(2)]
        cut = int(rng.integers(0, rank))
        pairs.append((pair[0], pair[1][cut:]) if rng.random() < 0.5 else (pair[0][cut:], pair[1]))
    return pairs


def model(pairs):
    nodes, inputs, outputs = [], [], []
    for i, shapes in enumerate(pairs):
        names = [f"a{i}", f"b{i}"]
        inputs += [helper.make_tensor_value_info(*item) for item in zip(names, itertools.repeat(TensorProto.FLOAT), shapes)]
        nodes.append(helper.make_node("Sub", names, [f"y{i}"], name=f"n{i}"))
        outputs.append(helper.make_tensor_value_info(f"y{i}", TensorProto.FLOAT, None))
    graph = helper.make_graph(nodes, "broadcasts", inputs, outputs)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    import hexin

    path = tmp_path_factory.mktemp("broadcast") / "a.hxm"
    hexin.compile(model(arrangements()), path, targets=TARGETS)
    return path


@pytest.mark.parametrize("device", DEVICES)
def test_every_arrangement(artifact, device):
    import hexin

    rng = np.random.default_rng(1)
    values, wanted = {}, {}
    for i, shapes in enumerate(arrangements()):
        a, b = (rng.random([SYMBOLS.get(size, size) for size in shape]).astype(np.float32) for shape in shapes)
        values |= {f"a{i}": a, f"b{i}": b}
        wanted[f"y{i}"] = a - b
    outputs = hexin.Session(str(artifact), device=device).run(values)
    for (name, value), shapes in zip(wanted.items(), arrangements()):
        np.testing.assert_array_equal(outputs[name], value, err_msg=str(shapes))


def test_sizes_without_a_name_are_named_by_their_input(tmp_path):
    """No message names a symbol that only the compiler knows."""
    import hexin

    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
              for name, shape in (("x", [None, None]), ("y", [None, "width"]))]
    node = helper.make_node("Add", ["x", "y"], ["z"], name="sum")
    graph = helper.make_graph([node], "add", inputs, [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)])
    made = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    path = tmp_path / "a.hxm"
    hexin.compile(made, path, targets=["cpu"])
    session = hexin.Session(str(path))
    assert session.run({"x": np.ones((1, 4), np.float32), "y": np.ones((3, 4), np.float32)})["z"].shape == (3, 4)
    for shape, wanted in (((2, 4), "input 'x' dimension 0"), ((3, 5), "width")):
        with pytest.raises(hexin.InvalidArgumentError) as refused:
            session.run({"x": np.ones(shape, np.float32), "y": np.ones((3, 4), np.float32)})
        message = str(refused.value)
        assert "'sum'" in message and wanted in message and not re.search(r"\b[serd]\d+\b", message), message


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    """A softmax of chosen numbers, all of whose last axes have names of their own."""
    import hexin

    ports = [("x", TensorProto.FLOAT, ["a", "b"]), ("hidden", TensorProto.BOOL, ["c"]), ("bias", TensorProto.FLOAT, ["d", "e"])]
    nodes = [helper.make_node("Where", ["hidden", "lowest", "x"], ["shown"]), helper.make_node("Add", ["shown", "bias"], ["sum"]),
             helper.make_node("Softmax", ["sum"], ["y"], axis=-1)]
    lowest = helper.make_tensor("lowest", TensorProto.FLOAT, [], [-1e4])
    graph = helper.make_graph(nodes, "masked", [helper.make_tensor_value_info(*port) for port in ports],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], [lowest])
    path = tmp_path_factory.mktemp("masked") / "a.hxm"
    hexin.compile(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path, targets=TARGETS)
    return path


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("hidden, bias", [(37, (1, 37)), (1, (5, 37)), (37, (5, 1)), (1, (1, 1))])
def test_last_axes_that_may_be_one(masked, device, hidden, bias):
    import hexin

    rng = np.random.default_rng(2)
    values = {"x": rng.random((5, 37), np.float32), "hidden": rng.random(hidden) < 0.5, "bias": rng.random(bias, np.float32)}
    scores = np.where(values["hidden"], np.float32(-1e4), values["x"]) + values["bias"]
    weights = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    wanted = weights / weights.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(hexin.Session(str(masked), device=device).run(values)["y"], wanted, rtol=1e-5, atol=1e-30)
