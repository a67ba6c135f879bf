"""Operators that import writes as formulas, at sizes that only a run knows, beside numpy and ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
import pytest
from devices import DEVICES
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

rng = np.random.default_rng(200)


def model(nodes, inputs, outputs, opset=20):
    """`inputs`: name -> (element type, rank); every size is the run's."""
    graph = helper.make_graph(
        nodes, "formulas",
        [helper.make_tensor_value_info(name, kind, [f"{name}{i}" for i in range(rank)]) for name, (kind, rank) in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    return onnx.shape_inference.infer_shapes(made)


def opened(made, folder, device):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    hexin.compile(made, str(folder / "formulas.hxm"), targets=[device.partition(":")[0]])
    return hexin.Session(str(folder / "formulas.hxm"), device=device)


@pytest.mark.parametrize("device", DEVICES)
def test_grid_sample(tmp_path, device):
    nodes, names = [], []
    for mode in ("linear", "nearest", "cubic"):
        for padding in ("zeros", "border", "reflection"):
            for align in (0, 1):
                names.append(f"{mode}-{padding}-{align}")
                nodes.append(helper.make_node("GridSample", ["x", "grid"], [names[-1]], mode=mode, padding_mode=padding, align_corners=align))
    made = model(nodes, {"x": (TensorProto.FLOAT, 4), "grid": (TensorProto.FLOAT, 4)}, names)
    made.graph.input[1].type.tensor_type.shape.dim[3].dim_value = 2
    session = opened(made, tmp_path, device)
    engine = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    for sizes, out in (((2, 3, 5, 7), (4, 6)), ((1, 1, 1, 9), (3, 3))):
        feeds = {"x": rng.standard_normal(sizes).astype(np.float32),
                 "grid": rng.uniform(-2.5, 2.5, (sizes[0], *out, 2)).astype(np.float32)}
        found = session.run(feeds)
        expected = dict(zip(names, engine.run(names, feeds)))
        for name in ("cubic-border-0", "cubic-border-1"):  # ONNX Runtime bounds the taps alone, not the coordinate
            del expected[name]
        if sizes[2] > 1:
            truth = ReferenceEvaluator(made).run(None, feeds)
            expected.update(zip(names, truth))
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-4, err_msg=name)


EQUATIONS = {
    "ij,jk->ik": 2, "bij,bjk->bik": 2, "ii->i": 1, "ii": 1, "iij->j": 1, "i,j->ij": 2, "ij->": 1, "...ij,...jk->...ik": 2,
    "ij,jk,kl->il": 3, "bhid,bhjd->bhij": 2, "ab,b->a": 2, "a b , b": 2, "...i->...": 1, "ij,ij->ji": 2, "abc,cd,ae->bde": 3,
}


@pytest.mark.parametrize("device", DEVICES)
def test_einsum(tmp_path, device):
    nodes, inputs, feeds, expected = [], {}, {}, {}
    sizes = dict(zip("abcdehijkl", (3, 4, 5, 2, 6, 3, 4, 4, 5, 2)))
    for n, (equation, count) in enumerate(EQUATIONS.items()):
        terms = equation.replace(" ", "").split("->")[0].split(",")
        operands = []
        for i, term in enumerate(terms):
            shape = [2, 3] * term.startswith("...") + [sizes[letter] for letter in term if letter != "."]
            if i == 1 and term.startswith("..."):
                shape = shape[1:]  # broadcasts
            operands.append(rng.standard_normal(shape).astype(np.float32))
        for i, operand in enumerate(operands):
            inputs[f"x{n}_{i}"] = (TensorProto.FLOAT, operand.ndim)
            feeds[f"x{n}_{i}"] = operand
        expected[f"y{n}"] = np.einsum(equation, *operands)
        nodes.append(helper.make_node("Einsum", [f"x{n}_{i}" for i in range(count)], [f"y{n}"], equation=equation))
    found = opened(model(nodes, inputs, list(expected)), tmp_path, device).run(feeds)
    for (name, value), equation in zip(expected.items(), EQUATIONS):
        assert found[name].shape == value.shape, equation
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-4, err_msg=equation)


def test_einsum_says_what_is_wrong(tmp_path):
    import hexin

    for equation, message in (("ij,jk->iz", "no operand"), ("ijk,jk->i", "rank 2"), ("ij->i", "1 operands, the node 2"), ("i1,jk->i", "does not fit")):
        node = helper.make_node("Einsum", ["a", "b"], ["y"], name="sum", equation=equation)
        made = helper.make_model(helper.make_graph(
            [node], "bad", [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "ab"],
            [helper.make_empty_tensor_value_info("y")]), opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        with pytest.raises(hexin.Error, match="'sum'.*" + message):
            hexin.compile(made, str(tmp_path / "bad.hxm"), targets=["cpu"])


@pytest.mark.parametrize("device", DEVICES)
def test_unique(tmp_path, device):
    outputs = [f"{part}{i}" for i in (0, 1) for part in ("values", "firsts", "inverse", "counts")]
    nodes = [helper.make_node("Unique", ["x"], outputs[4 * i:4 * i + 4], sorted=1 - i) for i in (0, 1)]
    session = opened(model(nodes, {"x": (TensorProto.FLOAT, 2)}, outputs), tmp_path, device)
    for x in (rng.integers(0, 5, (6, 7)), np.array([[3, 3, 3]]), np.array([[np.nan, 1, np.nan, -np.inf, 1]]), np.zeros((0, 4))):
        x = x.astype(np.float32)
        found = session.run({"x": x})
        values, firsts, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(firsts, kind="stable")
        back = np.argsort(order, kind="stable")
        for i, expected in enumerate(((values, firsts, inverse.reshape(-1), counts),
                                      (values[order], firsts[order], back[inverse.reshape(-1)] if len(back) else inverse.reshape(-1), counts[order]))):
            for name, value in zip(outputs[4 * i:4 * i + 4], expected):
                np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("device", DEVICES)
def test_suppression(tmp_path, device):
    nodes, names = [], ["corners", "centres", "scored"]
    nodes.append(helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "overlap"], ["corners"]))
    nodes.append(helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "overlap"], ["centres"], center_point_box=1))
    nodes.append(helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "overlap", "least"], ["scored"]))
    inputs = {"boxes": (TensorProto.FLOAT, 3), "scores": (TensorProto.FLOAT, 3), "most": (TensorProto.INT64, 1),
              "overlap": (TensorProto.FLOAT, 1), "least": (TensorProto.FLOAT, 1)}
    made = model(nodes, inputs, names)
    for name in ("most", "overlap", "least"):
        next(port for port in made.graph.input if port.name == name).type.tensor_type.shape.dim[0].dim_value = 1
    next(port for port in made.graph.input if port.name == "boxes").type.tensor_type.shape.dim[2].dim_value = 4
    session = opened(made, tmp_path, device)
    engine = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    for batch, classes, count, most in ((1, 1, 6, 3), (2, 3, 40, 7), (1, 2, 9, 100), (1, 1, 5, 0)):
        corner = rng.uniform(0, 5, (batch, count, 2))
        feeds = {"boxes": np.concatenate([corner, corner + rng.uniform(0.5, 3, (batch, count, 2))], -1).astype(np.float32),
                 "scores": rng.uniform(-1, 1, (batch, classes, count)).astype(np.float32), "most": np.array([most]),
                 "overlap": np.array([0.3], np.float32), "least": np.array([0.1], np.float32)}
        found = session.run(feeds)
        for name, expected in zip(names, engine.run(names, feeds)):
            np.testing.assert_array_equal(found[name], expected, err_msg=f"{name} {count}")


@pytest.mark.parametrize("device", DEVICES)
def test_fourier_transforms(tmp_path, device):
    nodes = [helper.make_node("DFT", ["x", "", "axis"], ["whole"]),
             helper.make_node("DFT", ["x", "n", "axis"], ["half"], onesided=1),
             helper.make_node("DFT", ["z", "", "axis"], ["inverse"], inverse=1),
             helper.make_node("DFT", ["half", "n", "axis"], ["again"], inverse=1, onesided=1)]
    made = model(nodes, {"x": (TensorProto.DOUBLE, 3), "z": (TensorProto.DOUBLE, 3), "n": (TensorProto.INT64, 0),
                         "axis": (TensorProto.INT64, 0)}, ["whole", "half", "inverse", "again"])
    for port in made.graph.input[:2]:
        port.type.tensor_type.shape.dim[2].dim_value = 1 if port.name == "x" else 2
    session = opened(made, tmp_path, device)
    for axis, n in ((0, 9), (1, 12), (1, 4), (-2, 7)):
        x, z = rng.standard_normal((9, 7, 1)), rng.standard_normal((9, 7, 2))
        found = session.run({"x": x, "z": z, "n": np.array(n), "axis": np.array(axis)})
        at = axis % 3
        half = np.fft.rfft(x[..., 0], n, axis=at)
        for name, value in (("whole", np.fft.fft(x[..., 0], axis=at)), ("half", half), ("inverse", np.fft.ifft(z[..., 0] + 1j * z[..., 1], axis=at))):
            np.testing.assert_allclose(found[name], np.stack([value.real, value.imag], -1), rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(found["again"][..., 0], np.fft.irfft(half, n, axis=at), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("device", DEVICES)
def test_losses_ignore_targets_that_are_no_class(tmp_path, device):
    nodes = [helper.make_node("SoftmaxCrossEntropyLoss", ["x", "t", "w"], [f"loss-{how}", f"log-{how}"], reduction=how, ignore_index=-100)
             for how in ("none", "sum", "mean")]
    names = [f"loss-{how}" for how in ("none", "sum", "mean")]
    made = model(nodes, {"x": (TensorProto.FLOAT, 3), "t": (TensorProto.INT64, 2), "w": (TensorProto.FLOAT, 1)}, names, opset=13)
    session = opened(made, tmp_path, device)
    engine = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    target = rng.integers(0, 5, (3, 4))
    target[0, 1] = target[2, 2] = -100
    feeds = {"x": rng.standard_normal((3, 5, 4)).astype(np.float32), "t": target, "w": rng.uniform(0.5, 2, 5).astype(np.float32)}
    found = session.run(feeds)
    for name, expected in zip(names, engine.run(names, feeds)):
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)
    feeds["t"] = np.where(target < 0, 7, target)
    with pytest.raises(Exception, match="7"):
        session.run(feeds)
