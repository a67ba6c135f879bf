"""The beginning of a sort, which is selected and not sorted out: against NumPy's stable sort, on every device."""

import hexin
import numpy as np
import onnx
import pytest
from devices import DEVICES
from onnx import helper


def model(dtype, rank, axis, largest):
    """TopK of x with every size and k given by the run."""
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    node = helper.make_node("TopK", ["x", "k"], ["values", "positions"], "top", axis=axis, largest=largest)
    graph = helper.make_graph(
        [node], "top_k",
        [helper.make_tensor_value_info("x", element, [f"d{i}" for i in range(rank)]),
         helper.make_tensor_value_info("k", onnx.TensorProto.INT64, [1])],
        [onnx.ValueInfoProto(name=name) for name in node.output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def expected(x, k, axis, largest):
    """NaN is the greatest value and equal to itself; of equal values the first comes first."""
    order = np.argsort(x, axis=axis, kind="stable")  # NaN last
    if largest:
        turned = np.flip(x, axis)
        order = x.shape[axis] - 1 - np.flip(np.argsort(turned, axis=axis, kind="stable"), axis)
    positions = np.take(order, range(k), axis=axis)
    return np.take_along_axis(x, positions, axis), positions


@pytest.fixture(scope="module", params=DEVICES)
def session_of(request, tmp_path_factory):
    """(dtype, rank, axis, largest) -> a session, made once."""
    folder, made = tmp_path_factory.mktemp("top_k"), {}

    def get(*kind):
        if kind not in made:
            path = folder / f"{len(made)}.hxm"
            hexin.compile(model(*kind), path, targets=[request.param.partition(":")[0]])
            made[kind] = hexin.Session(path, device=request.param)
        return made[kind]

    return get


def data(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(-50, 50, shape).astype(dtype)
    if np.issubdtype(dtype, np.floating) and x.size:
        x.flat[rng.integers(0, x.size, max(1, x.size // 40))] = np.nan
        x.flat[rng.integers(0, x.size, max(1, x.size // 40))] = -np.inf
        x.flat[rng.integers(0, x.size, max(1, x.size // 40))] = -0.0
    return x


# A chunk that is looked at as one has 256 elements.
SHAPES = [((1, 1), 1), ((3, 7), 7), ((2, 300), 1), ((2, 300), 44), ((2, 301), 43), ((1, 5000), 17),
          ((2, 1000), 999), ((2, 600), 0), ((0, 9), 3), ((40, 2), 2)]


@pytest.mark.parametrize("largest", [1, 0])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, np.float16], ids=lambda t: t.__name__)
def test_along_rows(session_of, dtype, largest):
    session = session_of(dtype, 2, 1, largest)
    for shape, k in SHAPES:
        x = data(shape, dtype)
        outputs = session.run({"x": x, "k": np.array([k])})
        values, positions = expected(x, k, 1, largest)
        np.testing.assert_array_equal(outputs["positions"], positions, str((shape, k)))
        np.testing.assert_array_equal(outputs["values"], values, str((shape, k)))


@pytest.mark.parametrize("axis, largest", [(0, 1), (1, 0)])
def test_along_other_axes(session_of, axis, largest):
    session = session_of(np.float32, 3, axis, largest)
    for shape, k in (((300, 3, 2), 2), ((3, 300, 5), 3), ((600, 600, 1), 5)):
        x = data(shape, np.float32)
        outputs = session.run({"x": x, "k": np.array([k])})
        values, positions = expected(x, k, axis, largest)
        np.testing.assert_array_equal(outputs["positions"], positions, str((shape, k)))
        np.testing.assert_array_equal(outputs["values"], values, str((shape, k)))


@pytest.mark.parametrize("kind", ["descending", "all NaN"])
def test_when_every_element_gets_in_or_none(session_of, kind):
    x = np.arange(3000, 0, -1, np.int32).astype(np.float32)[None] if kind == "descending" else np.full(
        (1, 3000), np.nan, np.float32)
    for largest in (0, 1):
        outputs = session_of(np.float32, 2, 1, largest).run({"x": x, "k": np.array([9])})
        np.testing.assert_array_equal(outputs["positions"], expected(x, 9, 1, largest)[1])


@pytest.mark.parametrize("k", [-1, 8, 2**40])
def test_more_than_there_are_is_an_error(session_of, k):
    session = session_of(np.float32, 2, 1, 1)
    with pytest.raises(hexin.InvalidArgumentError, match="top"):
        session.run({"x": np.zeros((2, 7), np.float32), "k": np.array([k])})
    session.run({"x": np.zeros((2, 7), np.float32), "k": np.array([7])})


@pytest.mark.parametrize("device", DEVICES)
def test_data_that_are_their_own_k(tmp_path, device):
    graph = helper.make_graph(
        [helper.make_node("TopK", ["k", "k"], ["values", "positions"], "top")], "own_k",
        [helper.make_tensor_value_info("k", onnx.TensorProto.INT64, [1])],
        [onnx.ValueInfoProto(name="values"), onnx.ValueInfoProto(name="positions")])
    own = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
    hexin.compile(own, str(tmp_path / "own.hxm"), targets=[device.split(":")[0]])
    session = hexin.Session(str(tmp_path / "own.hxm"), device=device)
    found = session.run({"k": np.array([1], np.int64)})
    assert found["values"].tolist() == [1] and found["positions"].tolist() == [0]
    assert session.run({"k": np.array([0], np.int64)})["values"].tolist() == []
    with pytest.raises(hexin.errors.InvalidArgumentError, match="K is 2, but axis 0 has size 1"):
        session.run({"k": np.array([2], np.int64)})
