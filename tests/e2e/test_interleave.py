"""Transposes of the last two axes into short rows: every bit, on every arch, at sizes known and not."""

import json

import hexin
import numpy as np
import onnx
import pytest
from onnx import helper
from test_winograd import archs_here

# Before and in the last two axes; a row of the result has as many elements as the last but one here.
SHAPES = [(784, 4, 34), (5, 3, 7, 4, 28), (3, 5003), (9, 16, 16), (40, 2, 58), (3, 5, 17), (2, 7, 4), (6, 12, 33), (0, 3, 20), (2, 13, 101)]
KINDS = [np.float32, np.int64, np.float16, np.uint8, bool]


def start(path, shape, kind, arch, known=True, relu=False):
    order = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]
    axes = list(shape) if known else [f"d{axis}" if axis != len(shape) - 2 else size for axis, size in enumerate(shape)]
    type_ = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    nodes = [helper.make_node("Relu", ["x"], ["r"])] if relu else []
    nodes.append(helper.make_node("Transpose", ["r" if relu else "x"], ["y"], perm=order))
    graph = helper.make_graph(nodes, "interleave", [helper.make_tensor_value_info("x", type_, axes)],
                              [helper.make_tensor_value_info("y", type_, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    hexin.compile(model.SerializeToString(), path, targets=["cpu"], cpu_archs=[arch])
    return hexin.Session(path, profile=True, threads=2)


def check(session, shape, kind, relu=False):
    x = (np.random.default_rng(sum(shape)).standard_normal(shape) * 100).astype(kind)
    if np.issubdtype(kind, np.floating) and x.size:
        x.flat[0] = np.nan
    y = session.run({"x": x})["y"]
    assert y.tobytes() == np.ascontiguousarray((np.maximum(x, 0) if relu else x).swapaxes(-1, -2)).tobytes()


@pytest.mark.parametrize("arch", archs_here())
@pytest.mark.parametrize("shape", SHAPES)
def test_every_element(shape, arch, tmp_path):
    session = start(tmp_path / "a.hxm", shape, np.float32, arch)
    check(session, shape, np.float32)
    if np.prod(shape):
        events = json.loads(session.trace())["traceEvents"]
        assert any("interleave" in json.dumps(event) for event in events)


@pytest.mark.parametrize("kind", KINDS)
def test_other_types(kind, tmp_path):
    for shape in ((33, 4, 34), (3, 77), (9, 5, 6)):
        check(start(tmp_path / "a.hxm", shape, kind, archs_here()[0]), shape, kind)


@pytest.mark.parametrize("arch", archs_here())
def test_one_artifact_at_many_sizes(arch, tmp_path):
    session = start(tmp_path / "a.hxm", (1, 3, 1), np.float32, arch, known=False)
    for shape in ((1, 3, 1), (7, 3, 15), (2, 3, 16), (1, 3, 17), (0, 3, 9), (3, 3, 0), (1, 3, 40000), (100, 3, 31)):
        check(session, shape, np.float32)


def test_what_comes_before_is_computed_on_the_way(tmp_path):
    check(start(tmp_path / "a.hxm", (11, 4, 37), np.float32, archs_here()[0], relu=True), (11, 4, 37), np.float32, relu=True)
