"""Scan of opset 8, and opsets below 6 where their operators have the form of today."""

import numpy as np
import pytest
from onnx import TensorProto, helper

import hexin
from devices import DEVICES

F32, I64 = TensorProto.FLOAT, TensorProto.INT64


def info(name, kind=F32, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def session(nodes, inputs, outputs, opset, folder, device="cpu"):
    graph = helper.make_graph(nodes, "old", inputs, outputs)
    source = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=3).SerializeToString()
    path = str(folder / "model.hxm")
    hexin.compile(source, path, targets=[device.partition(":")[0]])
    return hexin.Session(path, device=device)


def scan(folder, with_lengths, device="cpu", **attributes):
    body = helper.make_graph([helper.make_node("Add", ["s", "x"], ["t"]), helper.make_node("Mul", ["t", "x"], ["z"])],
                             "body", [info("s", shape=[2]), info("x", shape=[2])], [info("t", shape=[2]), info("z", shape=[2])])
    node = helper.make_node("Scan", ["lens" if with_lengths else "", "init", "xs"], ["last", "zs"], name="the_scan",
                            body=body, num_scan_inputs=1, **attributes)
    inputs = [info("init", shape=["b", 2]), info("xs", shape=["b", "t", 2])] + [info("lens", I64, ["b"])] * with_lengths
    return session([node], inputs, [info("last"), info("zs")], 8, folder, device)


def expected(init, xs, lens, is_reversed=False):
    last, zs = init.copy(), np.zeros_like(xs)
    for row, count in enumerate(lens):
        steps = xs[row, :count][::-1] if is_reversed else xs[row, :count]
        for i, x in enumerate(steps):
            last[row] += x
            zs[row, i] = last[row] * x
    return last, zs


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("with_lengths", [False, True])
def test_scan_of_a_batch(with_lengths, is_reversed, device, tmp_path):
    made = scan(tmp_path, with_lengths, device, directions=[int(is_reversed)])
    rng = np.random.default_rng(1)
    for batch, steps in ((3, 4), (1, 2)):
        init, xs = rng.standard_normal((batch, 2), np.float32), rng.standard_normal((batch, steps, 2), np.float32)
        lens = np.array([steps, 2, 0][:batch] if with_lengths else [steps] * batch, np.int64)
        found = made.run({"init": init, "xs": xs, **({"lens": lens} if with_lengths else {})})
        for got, want in zip((found["last"], found["zs"]), expected(init, xs, lens, is_reversed)):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_lengths_of_a_scan_are_checked(tmp_path):
    made = scan(tmp_path, True)
    inputs = {"init": np.zeros((2, 2), np.float32), "xs": np.zeros((2, 3, 2), np.float32)}
    for bad in (4, -1):
        with pytest.raises(hexin.Error, match=f"the_scan.*length {bad} .*from 0 to 3"):
            made.run({**inputs, "lens": np.array([3, bad], np.int64)})
    made.run({**inputs, "lens": np.array([3, 1], np.int64)})


def test_an_operator_that_did_not_change_since(tmp_path):
    made = session([helper.make_node("Transpose", ["x"], ["y"]), helper.make_node("Softsign", ["y"], ["z"])],
                   [info("x", shape=[2, 3])], [info("z")], 1, tmp_path)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_allclose(made.run({"x": x})["z"], (x / (1 + x)).T, rtol=1e-6)


def test_one_that_did_is_refused(tmp_path):
    with pytest.raises(hexin.Error, match="opset 5: expected 6 to 28 for Add"):
        session([helper.make_node("Add", ["x", "x"], ["y"])], [info("x", shape=[2])], [info("y")], 5, tmp_path)
