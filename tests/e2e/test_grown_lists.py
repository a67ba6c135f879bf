"""Lists that a loop grows: taken over from iteration to iteration where nobody else has them, else left as they are."""

import time

import hexin
import numpy as np
import pytest
from onnx import helper as h
from onnx import TensorProto as T

DEVICES = [device.id for device in hexin.devices() if device.available and device.id in ("cpu", "opencl:0")]


def numbers(name):
    return h.make_tensor_sequence_value_info(name, T.INT64, None)


def session(path, device, body_nodes, body_out, outputs, inputs=()):
    body = h.make_graph(
        [h.make_node("Identity", ["go"], ["again"]), *body_nodes], "body",
        [h.make_tensor_value_info("i", T.INT64, []), h.make_tensor_value_info("go", T.BOOL, []), numbers("list")],
        [h.make_tensor_value_info("again", T.BOOL, []), *body_out])
    graph = h.make_graph(
        [h.make_node("Loop", ["trips", "", "start"], outputs, body=body)], "grow",
        [h.make_tensor_value_info("trips", T.INT64, []), numbers("start")],
        [numbers(outputs[0]), *[h.make_tensor_value_info(name, T.INT64, None) for name in outputs[1:]]])
    hexin.compile(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8), path, targets=[device.split(":")[0]])
    return hexin.Session(path, device=device)


INSERT = h.make_node("SequenceInsert", ["list", "i"], ["longer"])


@pytest.mark.parametrize("device", DEVICES)
def test_old_lists_stay(tmp_path, device):
    """The body asks for the length of the list before and after; the caller's is his."""
    run = session(
        tmp_path / "m.hxm", device,
        [INSERT, h.make_node("SequenceErase", ["list"], ["shorter"]), h.make_node("SequenceLength", ["shorter"], ["short"]),
         h.make_node("SequenceLength", ["list"], ["before"]), h.make_node("SequenceLength", ["longer"], ["after"]),
         h.make_node("Sub", ["after", "before"], ["more"]), h.make_node("Add", ["more", "short"], ["count"])],
        [numbers("longer"), h.make_tensor_value_info("count", T.INT64, [])], ["all", "counts"]).run
    start = [np.array(7), np.array(8)]
    for trips in (0, 1, 5, 3):
        result = run({"trips": np.array(trips), "start": start})
        assert [int(value) for value in result["all"]] == [7, 8, *range(trips)]
        assert result["counts"].tolist() == [2 + i for i in range(trips)]
        assert len(start) == 2


def test_long(tmp_path):
    """Copied each time, 30000 iterations would take minutes; and no plan of so many segments breaks anything."""
    run = session(tmp_path / "m.hxm", "cpu", [INSERT], [numbers("longer")], ["all"]).run
    begin = time.monotonic()
    assert len(run({"trips": np.array(30000), "start": [np.array(0)]})["all"]) == 30001
    with pytest.raises(hexin.ResourceExhaustedError, match="more than 32768 iterations"):
        run({"trips": np.array(2**63 - 1), "start": [np.array(0)]})
    assert len(run({"trips": np.array(2), "start": [np.array(0)]})["all"]) == 3
    assert time.monotonic() - begin < 60
