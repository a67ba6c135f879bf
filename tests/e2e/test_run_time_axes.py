"""Axes and steps that are inputs of the model: one artifact for all of them, and wrong ones are errors of the run."""

import numpy as np
import onnx
import pytest
from devices import DEVICES
from onnx import TensorProto, helper

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def ints(*values):
    return np.array(values, np.int64)


def sliced(x, start, end, axis, step):
    ranges = [slice(None)] * x.ndim
    ranges[axis] = slice(start, end, step)
    return x[tuple(ranges)]


# node, sizes of its integer inputs, (their values, expected) ..., values that are wrong
CASES = {
    "sum": (helper.make_node("ReduceSum", ["x", "a"], ["y"], name="sum", keepdims=0), {"a": 2},
            [([ints(a, b)], X.sum((a, b))) for a, b in ((0, 2), (-1, 1), (1, 0))], [[ints(0, 0)], [ints(5, 0)]]),
    "kept-mean": (helper.make_node("ReduceMean", ["x", "a"], ["y"], name="kept-mean"), {"a": 1},
                  [([ints(a)], X.mean(a, keepdims=True)) for a in (0, 1, -1)], [[ints(3)], [ints(-4)]]),
    "log-sum-exp": (helper.make_node("ReduceLogSumExp", ["x", "a"], ["y"], name="log-sum-exp", keepdims=0), {"a": 1},
                    [([ints(a)], np.log(np.exp(X.astype(np.float64)).sum(a)).astype(np.float32)) for a in (0, -2)], []),
    "running": (helper.make_node("CumSum", ["x", "a"], ["y"], name="running", reverse=1), {"a": None},
                [([np.array(a)], np.flip(np.flip(X, a).cumsum(a), a)) for a in (0, 1, -1)], [[np.array(3)]]),
    "slice": (helper.make_node("Slice", ["x", "s", "e", "a", "t"], ["y"], name="slice"), {"s": 1, "e": 1, "a": 1, "t": 1},
              [([ints(v) for v in (s, e, a, t)], sliced(X, s, e if e > -99 else None, a, t))
               for s, e, a, t in ((0, 3, 2, 2), (-1, -100, 1, -1), (2, -100, -1, -2), (1, 1, 0, 1), (-2**62, 2**62, 1, 2))],
              [[ints(0), ints(1), ints(7), ints(1)], [ints(4), ints(1), ints(1), ints(0)]]),
    "squeeze": (helper.make_node("Squeeze", ["x", "a"], ["y"], name="squeeze"), {"a": 1}, [], [[ints(0)], [ints(9)]]),
    "unsqueeze": (helper.make_node("Unsqueeze", ["x", "a"], ["y"], name="unsqueeze"), {"a": 2},
                  [([ints(a, b)], np.expand_dims(X, (a, b))) for a, b in ((0, 1), (-1, 2), (4, 0))], [[ints(2, 2)]]),
    "pad": (helper.make_node("Pad", ["x", "p", "", "a"], ["y"], name="pad"), {"p": 2, "a": 1},
            [([ints(1, 2), ints(a)], np.pad(X, [(1, 2) if i == a % 3 else (0, 0) for i in range(3)])) for a in (0, 1, -1)], []),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", CASES)
def test_axes_of_a_run(tmp_path, name, device):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    node, sizes, right, wrong = CASES[name]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 4])]
    inputs += [helper.make_tensor_value_info(key, TensorProto.INT64, [] if size is None else [size]) for key, size in sizes.items()]
    graph = helper.make_graph([node], "axes", inputs, [helper.make_empty_tensor_value_info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    hexin.compile(model, str(tmp_path / "axes.hxm"), targets=[device.partition(":")[0]])
    session = hexin.Session(str(tmp_path / "axes.hxm"), device=device)
    for values, expected in right:
        found = session.run({"x": X, **dict(zip(sizes, values))})["y"]
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=str(values))
    for values in wrong:
        with pytest.raises(hexin.InvalidArgumentError, match=name):
            session.run({"x": X, **dict(zip(sizes, values))})
