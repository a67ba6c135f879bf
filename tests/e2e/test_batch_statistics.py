"""BatchNormalization in the forms of all versions: by the statistics of its batch, and one per channel and place."""

import numpy
import pytest
from devices import DEVICES
from onnx import TensorProto, ValueInfoProto, helper

TYPES = {"float16": TensorProto.FLOAT16, "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}
PARAMETERS = ("scale", "bias", "mean", "var")


def model(opset, outputs, dtype="float32", sizes=("N", 3, "W"), parameters=None, parameter_sizes=(3,), **attributes) -> bytes:
    node = helper.make_node("BatchNormalization", ["x", *PARAMETERS], outputs, name="bn", **attributes)
    inputs = [helper.make_tensor_value_info("x", TYPES[dtype], sizes)] + [
        helper.make_tensor_value_info(name, TYPES[parameters or dtype], parameter_sizes) for name in PARAMETERS]
    graph = helper.make_graph([node], "g", inputs, [ValueInfoProto(name=name) for name in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


def values(dtype="float32", shape=(4, 3, 50), parameters=None):
    random = numpy.random.default_rng(0)
    given = {name: random.uniform(0.5, 2, 3).astype(parameters or dtype) for name in PARAMETERS}
    return {"x": (3 + 2 * random.normal(size=shape)).astype(dtype), **given}


def expected(given, epsilon=1e-5, momentum=0.9):
    x, scale, bias, mean, var = (given[name].astype(numpy.float64) for name in ("x", *PARAMETERS))
    axes = (0, *range(2, x.ndim))
    along = lambda value: value.reshape(-1, *[1] * (x.ndim - 2))
    batch_mean, batch_var = x.mean(axes), x.var(axes)
    y = (x - along(batch_mean)) / numpy.sqrt(along(batch_var) + epsilon) * along(scale) + along(bias)
    return {"y": y, "rm": mean * momentum + batch_mean * (1 - momentum),
            "rv": var * momentum + batch_var * (1 - momentum), "sm": batch_mean, "sv": batch_var}


def run(source, given, device, tmp_path):
    import hexin

    hexin.compile(source, str(tmp_path / "m.hxm"), targets=[device.split(":")[0]])
    return hexin.Session(str(tmp_path / "m.hxm"), device=device).run(given)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype, tolerance", [("float16", 2e-3), ("float32", 2e-6), ("float64", 1e-13)])
def test_training_mode(device, dtype, tolerance, tmp_path):
    given = values(dtype)
    outputs = run(model(15, ["y", "rm", "rv"], dtype, training_mode=1, momentum=0.75, epsilon=1e-2), given, device, tmp_path)
    wanted = expected(given, float(numpy.float32(1e-2)), 0.75)
    for name, value in outputs.items():
        assert value.dtype == numpy.dtype(dtype)
        numpy.testing.assert_allclose(value.astype(float), wanted[name], rtol=tolerance, atol=4 * tolerance, err_msg=name)


@pytest.mark.parametrize("sizes, shape", [(("N", 3), (40, 3)), (("N", 3, 2, "H", 4), (3, 3, 2, 5, 4))])
def test_ranks(sizes, shape, tmp_path):
    given = values(shape=shape)
    outputs = run(model(14, ["y", "rm", "rv"], sizes=sizes, training_mode=1), given, "cpu", tmp_path)
    for name, value in outputs.items():
        numpy.testing.assert_allclose(value, expected(given)[name], rtol=1e-5, atol=1e-5)


def test_statistics_of_another_type(tmp_path):
    given = values("float16", parameters="float32")
    outputs = run(model(15, ["y", "rm", "rv"], "float16", parameters="float32", training_mode=1), given, "cpu", tmp_path)
    assert [outputs[name].dtype for name in ("y", "rm", "rv")] == ["float16", "float32", "float32"]
    numpy.testing.assert_allclose(outputs["rv"], expected(given)["rv"], rtol=1e-5)


@pytest.mark.parametrize("opset", [7, 9])
def test_before_version_14_the_outputs_tell(opset, tmp_path):
    given = values()
    outputs = run(model(opset, ["y", "rm", "rv", "sm", "sv"]), given, "cpu", tmp_path)
    for name, value in outputs.items():
        numpy.testing.assert_allclose(value, expected(given)[name], rtol=1e-5, atol=1e-5, err_msg=name)
    (y,) = run(model(opset, ["y"]), given, "cpu", tmp_path).values()
    by_given = (given["x"] - given["mean"][:, None]) / numpy.sqrt(given["var"][:, None] + 1e-5)
    numpy.testing.assert_allclose(y, by_given * given["scale"][:, None] + given["bias"][:, None], rtol=1e-5, atol=1e-5)


KNOWN_PLACES, UNKNOWN_PLACES = (("N", 3, 4, 5), (3, 4, 5)), (("N", "C", "H", "W"), ("C", "H", "W"))


@pytest.mark.parametrize("opset, device, sizes, parameter_sizes", [
    (6, "cpu", *KNOWN_PLACES), (7, "cpu", *UNKNOWN_PLACES), (7, "opencl:0", *KNOWN_PLACES), (7, "cpu", (2, 3), (3,))])
def test_statistics_of_each_place(opset, device, sizes, parameter_sizes, tmp_path):
    """spatial=0: parameters have the sizes of a sample, and so have the batch's own mean and variance."""
    import hexin

    random = numpy.random.default_rng(1)
    shape = (2, 3, 4, 5)[:len(sizes)]
    given = {"x": random.normal(size=shape).astype(numpy.float32)}
    given |= {name: random.uniform(0.5, 2, shape[1:]).astype(numpy.float32) for name in PARAMETERS}
    x, scale, bias, mean, var = (given[name].astype(float) for name in ("x", *PARAMETERS))
    named = {"sizes": sizes, "parameter_sizes": parameter_sizes, "spatial": 0}
    (y,) = run(model(opset, ["y"], **named), given, device, tmp_path).values()
    numpy.testing.assert_allclose(y, (x - mean) / numpy.sqrt(var + 1e-5) * scale + bias, rtol=1e-5, atol=1e-5)
    outputs = run(model(opset, ["y", "rm", "rv", "sm", "sv"], **named), given, device, tmp_path)
    wanted = {"y": (x - x.mean(0)) / numpy.sqrt(x.var(0) + 1e-5) * scale + bias, "sm": x.mean(0), "sv": x.var(0),
              "rm": mean * 0.9 + x.mean(0) * 0.1, "rv": var * 0.9 + x.var(0) * 0.1}
    for name, value in wanted.items():
        numpy.testing.assert_allclose(outputs[name], value, rtol=1e-4, atol=1e-4, err_msg=name)
    if len(sizes) == 4:
        given["scale"] = given["scale"][:2]
        with pytest.raises(hexin.InvalidArgumentError, match="bn|scale"):
            hexin.Session(str(tmp_path / "m.hxm"), device=device).run(given)


def test_a_batch_without_channels_is_refused(tmp_path):
    import hexin

    with pytest.raises(hexin.Error, match="rank 1, expected at least 2"):
        run(model(15, ["y"], sizes=(3,), training_mode=1), values(shape=(3,)), "cpu", tmp_path)
