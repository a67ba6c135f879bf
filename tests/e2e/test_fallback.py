"""An op that the device must not run: an error by default, on the host when allowed."""

import numpy
import pytest
from devices import DEVICES
from onnx import TensorProto, helper, numpy_helper


def softmax_model(with_consumer: bool) -> bytes:
    nodes = [helper.make_node("Softmax", ["x"], ["s"], name="soft")]
    output = "s"
    if with_consumer:
        nodes.append(helper.make_node("Add", ["s", "s"], ["y"], name="twice"))
        output = "y"
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
                              [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", 3])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("with_consumer", [False, True])
@pytest.mark.parametrize("allowed", ["hx.softmax", "Softmax", "soft"])
def test_allowed_op_runs_on_the_host(device, with_consumer, allowed, tmp_path):
    import hexin

    path = str(tmp_path / "model.hxm")
    hexin.compile(softmax_model(with_consumer), path, targets=[device.split(":")[0]],
                  disable=["hx.softmax"], allow_fallback=[allowed])
    x = numpy.random.default_rng(0).normal(size=(4, 3)).astype(numpy.float32)
    (found,) = hexin.Session(path, device=device).run({"x": x}).values()
    wanted = numpy.exp(x - x.max(-1, keepdims=True))
    wanted = (2 if with_consumer else 1) * wanted / wanted.sum(-1, keepdims=True)
    numpy.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_not_allowed_is_an_error(tmp_path):
    import hexin

    with pytest.raises(hexin.UnsupportedError, match="soft.*allow-fallback"):
        hexin.compile(softmax_model(True), str(tmp_path / "model.hxm"), targets=["cpu"], disable=["hx.softmax"])


@pytest.mark.parametrize("device", DEVICES)
def test_no_panels_without_the_schedule_that_reads_them(device, tmp_path):
    import hexin

    random = numpy.random.default_rng(1)
    x, w = (random.normal(size=size).astype(numpy.float32) for size in ((5, 37), (37, 41)))
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 37])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 41])],
                              [numpy_helper.from_array(w, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = str(tmp_path / "model.hxm")
    hexin.compile(model, path, targets=[device.split(":")[0]], disable=["packed"])
    (found,) = hexin.Session(path, device=device).run({"x": x}).values()
    numpy.testing.assert_allclose(found, x @ w, rtol=1e-5, atol=1e-5)
