"""RoiAlign and MaxRoiPool against ONNX Runtime, and with boxes that no image has."""

import itertools

import numpy
import onnxruntime
import pytest
from devices import DEVICES, TARGETS
from onnx import TensorProto, helper

TYPES = {"float16": TensorProto.FLOAT16, "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}


def model(nodes, columns, dtype="float32", opset=16, image=("N", "C", "H", "W")) -> bytes:
    kind = TYPES[dtype]
    inputs = [("x", kind, image), ("rois", kind, ["R", columns])]
    if columns == 4:
        inputs.append(("batch", TensorProto.INT64, ["R"]))
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info(*port) for port in inputs],
                              [helper.make_tensor_value_info(node.output[0], kind, None) for node in nodes])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


def align(name, **attributes):
    return helper.make_node("RoiAlign", ["x", "rois", "batch"], [name], name=name, **attributes)


def pool(name, shape, **attributes):
    return helper.make_node("MaxRoiPool", ["x", "rois"], [name], name=name, pooled_shape=shape, **attributes)


def sessions(source, path, devices=DEVICES):
    import hexin

    hexin.compile(source, str(path), targets=TARGETS)
    return {device: hexin.Session(str(path), device=device) for device in devices}


def oracle(source, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return dict(zip([port.name for port in session.get_outputs()], session.run(None, inputs)))


def image_and_boxes(count=40, seed=0, dtype=numpy.float32, turned=False):
    """Boxes inside, across the border, beyond it, without size; half of them from end to start where `turned`."""
    random = numpy.random.default_rng(seed)
    x = random.normal(size=(3, 5, 13, 17)).astype(dtype)
    corners = random.uniform(-6, 24, size=(count, 4))
    kept = corners[count // 2:] if turned else corners[:0]
    corners = numpy.concatenate([numpy.sort(corners.reshape(-1, 2, 2), axis=1).reshape(-1, 4)[:count - len(kept)], kept])
    corners[0], corners[1], corners[2] = [0, 0, 16, 12], [2, 3, 2, 3], [40, 40, 50, 60]
    return {"x": x, "rois": corners.astype(dtype), "batch": random.integers(0, 3, count)}


ALIGNS = [align(f"{mode}-{coordinates}-{ratio}-{h}x{w}", mode=mode, coordinate_transformation_mode=coordinates,
                sampling_ratio=ratio, output_height=h, output_width=w, spatial_scale=scale)
          for mode, coordinates, (ratio, h, w, scale) in itertools.product(
              ("avg", "max"), ("half_pixel", "output_half_pixel"),
              ((0, 3, 2, 1.0), (3, 2, 5, 0.75)))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_align_agrees(dtype, tmp_path):
    source, inputs = model(ALIGNS, 4, dtype), image_and_boxes(dtype=dtype)
    expected = oracle(source, inputs)
    for device, session in sessions(source, tmp_path / "m.hxm").items():
        for name, values in session.run(inputs).items():
            assert values.dtype == numpy.dtype(dtype)
            numpy.testing.assert_allclose(values, expected[name], rtol=2e-5, atol=2e-5, err_msg=f"{device} {name}")


def test_boxes_turned_around(tmp_path):
    """Their samples go backwards where there is a ratio; without one ONNX Runtime fails, and there are none."""
    source, inputs = model([align(mode, mode=mode, sampling_ratio=2, output_height=3) for mode in ("avg", "max")], 4), \
        image_and_boxes(turned=True)
    bare = model([align("y", mode="avg")], 4)
    expected = oracle(source, inputs)
    for device, session in sessions(source, tmp_path / "m.hxm").items():
        for name, values in session.run(inputs).items():
            numpy.testing.assert_allclose(values, expected[name], rtol=2e-5, atol=2e-5, err_msg=f"{device} {name}")
    turned = {**inputs, "rois": numpy.array([[8, 8, 2, 2]], numpy.float32), "batch": numpy.zeros(1, numpy.int64)}
    for session in sessions(bare, tmp_path / "b.hxm").values():
        assert not session.run(turned)["y"].any()


def test_defaults_of_versions(tmp_path):
    """Before opset 16 a box is not moved, and has at least one element."""
    inputs = image_and_boxes(seed=1)
    source = lambda opset: model([align("y", output_height=2, output_width=3)], 4, opset=opset)
    for opset in (10, 16, 22):
        expected = oracle(source(min(opset, 16)), inputs)["y"]  # ONNX Runtime has no 22
        for session in sessions(source(opset), tmp_path / f"{opset}.hxm").values():
            numpy.testing.assert_allclose(session.run(inputs)["y"], expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_max_pool_agrees(dtype, tmp_path):
    """Sizes of bins that f32 divides without error: ONNX Runtime's bins end where they should."""
    nodes = [pool(f"{h}x{w}-{scale}", [h, w], spatial_scale=scale)
             for (h, w), scale in (((1, 1), 1.0), ((2, 4), 0.5), ((8, 1), 1.0))]
    source, inputs = model(nodes, 5, dtype), image_and_boxes(seed=2, dtype=dtype, turned=True)
    boxes = numpy.concatenate([inputs.pop("batch")[:, None].astype(dtype), inputs["rois"]], axis=1)
    boxes[4:8, 1:] = [[0.5, 1.5, 2.5, 3.5], [-0.5, -1.5, 2.5, 4.5], [-3, -3, 30, 30], [5, 5, 1, 1]]
    inputs["rois"] = boxes
    # ONNX Runtime has it in f32 only.
    expected = oracle(model(nodes, 5), {name: value.astype(numpy.float32) for name, value in inputs.items()})
    for device, session in sessions(source, tmp_path / "m.hxm").items():
        for name, values in session.run(inputs).items():
            numpy.testing.assert_array_equal(values.astype(numpy.float32), expected[name], err_msg=f"{device} {name}")


def test_half_precision_is_f32_rounded(tmp_path):
    nodes = [align("a", output_height=3, output_width=3), align("m", mode="max", sampling_ratio=2)]
    inputs = image_and_boxes(seed=3, dtype=numpy.float16)
    wide = {name: value.astype(numpy.float32) if value.dtype == numpy.float16 else value for name, value in inputs.items()}
    expected = oracle(model(nodes, 4), wide)
    for session in sessions(model(nodes, 4, "float16"), tmp_path / "m.hxm").values():
        for name, values in session.run(inputs).items():
            assert values.dtype == numpy.float16
            numpy.testing.assert_allclose(values.astype(float), expected[name], rtol=2e-3, atol=2e-3)


HOSTILE = numpy.array(list(itertools.product([0, 5, -1e30, 1e30, numpy.inf, -numpy.inf, numpy.nan, 3e9, -1e12, 1e-30],
                                             repeat=2)), numpy.float32)


def test_hostile_boxes_end_and_agree(tmp_path):
    """Corners of any kind: no hang, no wild read, the same numbers on every device, and boxes beside them unharmed."""
    nodes = [align(f"{mode}-{coordinates}-{ratio}", mode=mode, coordinate_transformation_mode=coordinates,
                   sampling_ratio=ratio, output_height=2, output_width=2)
             for mode in ("avg", "max") for coordinates in ("half_pixel", "output_half_pixel") for ratio in (0, 2)]
    x = image_and_boxes()["x"]
    good = numpy.array([[1, 2, 9, 11]], numpy.float32)
    boxes = numpy.concatenate([good, HOSTILE[:, [0, 0, 1, 1]], HOSTILE[:, [0, 1, 1, 0]]])
    batch = numpy.zeros(len(boxes), numpy.int64)
    found = {device: session.run({"x": x, "rois": boxes, "batch": batch})
             for device, session in sessions(model(nodes, 4), tmp_path / "a.hxm").items()}
    alone = oracle(model(nodes, 4), {"x": x, "rois": good, "batch": batch[:1]})
    for name, values in found["cpu"].items():
        assert numpy.isfinite(values).all()
        numpy.testing.assert_allclose(values[:1], alone[name], rtol=2e-5, atol=2e-5)
        for device in DEVICES:
            numpy.testing.assert_allclose(found[device][name], values, rtol=2e-5, atol=1e-6, err_msg=f"{device} {name}")

    source = model([pool("y", [2, 3])], 5)
    rows = numpy.concatenate([batch[:, None], boxes], axis=1).astype(numpy.float32)
    one, *others = (session.run({"x": x, "rois": rows})["y"] for session in sessions(source, tmp_path / "p.hxm").values())
    assert numpy.isfinite(one).all()
    for other in others:
        numpy.testing.assert_array_equal(one, other)
    numpy.testing.assert_array_equal(one[:1], oracle(source, {"x": x, "rois": rows[:1]})["y"])


def test_a_large_box_has_as_many_samples_as_it_should(tmp_path):
    """100 times the image, one sample per element: most are outside, and count."""
    x = numpy.ones((1, 1, 8, 8), numpy.float32)
    inputs = {"x": x, "rois": numpy.array([[-400, -400, 400, 400]], numpy.float32), "batch": numpy.zeros(1, numpy.int64)}
    source = model([align("a"), align("m", mode="max")], 4)
    expected = oracle(source, inputs)
    for session in sessions(source, tmp_path / "m.hxm").values():
        outputs = session.run(inputs)
        numpy.testing.assert_allclose(outputs["a"], expected["a"], rtol=1e-5)
        numpy.testing.assert_allclose(outputs["m"], expected["m"], rtol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_an_image_that_is_not_there_is_an_error(device, tmp_path):
    import hexin

    session = sessions(model([align("y")], 4), tmp_path / "m.hxm", [device])[device]
    inputs = image_and_boxes()
    before = session.run(inputs)["y"]
    for index in (3, -1, 2**40):
        bad = inputs["batch"].copy()
        bad[7] = index
        with pytest.raises(hexin.OutOfRangeError, match=f"'y.*index {index} .*from 0 to 2"):
            session.run({**inputs, "batch": bad})
    numpy.testing.assert_array_equal(session.run(inputs)["y"], before)


@pytest.mark.parametrize("device", DEVICES)
def test_sizes_of_nothing(device, tmp_path):
    import hexin

    session = sessions(model([align("y", output_height=2, output_width=3)], 4), tmp_path / "m.hxm", [device])[device]

    def run(image, boxes):
        return session.run({"x": numpy.ones(image, numpy.float32), "rois": numpy.ones((boxes, 4), numpy.float32),
                            "batch": numpy.zeros(boxes, numpy.int64)})["y"]

    assert run((1, 2, 5, 5), 0).shape == (0, 2, 2, 3)
    assert run((0, 2, 5, 5), 0).shape == (0, 2, 2, 3)
    assert run((1, 0, 5, 5), 3).shape == (3, 0, 2, 3)
    for image in ((1, 2, 0, 5), (1, 2, 5, 0)):
        assert not run(image, 3).any()
    with pytest.raises(hexin.OutOfRangeError):
        run((0, 2, 5, 5), 1)


@pytest.mark.parametrize("bad, columns, message", [
    (align("y", mode="min"), 4, "mode='min'"),
    (align("y", coordinate_transformation_mode="pixel"), 4, "coordinate_transformation_mode='pixel'"),
    (align("y", sampling_ratio=-1), 4, "sampling_ratio=-1"),
    (align("y", sampling_ratio=5000), 4, "sampling_ratio=5000"),
    (align("y", output_height=0), 4, "size=0"),
    (align("y", spatial_scale=0.0), 4, "scale=0"),
    (pool("y", [2]), 5, "pooled_shape"),
    (helper.make_node("MaxRoiPool", ["x", "rois"], ["y"], name="y", pooled_shape=[1, 1]), 4, "the columns of rois is 4, expected 5"),
])
def test_what_is_refused(bad, columns, message, tmp_path):
    import hexin

    with pytest.raises(hexin.Error, match=message):
        hexin.compile(model([bad], columns), str(tmp_path / "m.hxm"), targets=["cpu"])
