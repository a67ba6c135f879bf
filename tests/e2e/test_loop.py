"""hx.loop end to end: Loop and Scan on every device, beside ONNX Runtime."""

import hexin
import numpy as np
import onnx
import onnxruntime
import pytest
from devices import DEVICES, TARGETS
from onnx import helper


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """model(text) -> (sessions by device, ONNX Runtime's), once per text."""
    known = {}

    def get(text):
        if text not in known:
            made = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> model {text}')
            for port in made.graph.output:
                port.type.tensor_type.ClearField("shape")
            artifact = str(tmp_path_factory.mktemp("loop") / "loop.hxm")
            hexin.compile(made, artifact, targets=TARGETS, verify_each=True)
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            reference = onnxruntime.InferenceSession(made.SerializeToString(), options)
            found = {device.id for device in hexin.devices() if device.available}
            known[text] = {name: hexin.Session(artifact, device=name) for name in DEVICES if name in found}, reference
        return known[text]

    return get


@pytest.fixture
def check(model):
    def run(device, text, **inputs):
        sessions, reference = model(text)
        if device not in sessions:
            pytest.skip(f"there is no {device} here")
        outputs = sessions[device].run(inputs)
        for port, expected in zip(reference.get_outputs(), reference.run(None, inputs)):
            assert outputs[port.name].shape == expected.shape, port.name
            np.testing.assert_allclose(outputs[port.name], expected, rtol=1e-5, atol=1e-6, err_msg=port.name)

    return run


def array(*shape):
    return np.random.default_rng(7).standard_normal(shape, dtype=np.float32)


COUNTED = """(int64 trips, float[n] x) => (float[n] y, float[m, n] steps, int64[m] numbers, int64 last)
    <bool yes = {1}, float half = {0.5}, int64 zero = {0}> {
  y, last, steps, numbers = Loop (trips, yes, x, zero) <body = body
      (int64 i, bool c, float[n] a, int64 count) => (bool c_out, float[n] b, int64 next, float[n] step, int64 number) {
    c_out = Identity(c)
    scaled = Mul(a, half)
    b = Add(scaled, x)
    step = Neg(b)
    next = Add(count, i)
    number = Mul(i, i)
  }>
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_counted(check, device):
    for trips, n in ((3, 5), (1, 40), (0, 5), (17, 3), (3, 5), (-2, 4)):
        check(device, COUNTED, trips=np.array(trips), x=array(n))


@pytest.mark.parametrize("device", DEVICES)
def test_condition_computed_by_the_body(check, device):
    text = """(float[n] x, float limit) => (float[n] y, float[m] totals, int64 rounds) <int64 zero = {0}, int64 one = {1}, float two = {2}> {
      first = ReduceSum <keepdims = 0> (x)
      starts = Less(first, limit)
      y, rounds, totals = Loop ("", starts, x, zero) <body = body
          (int64 i, bool c, float[n] a, int64 count) => (bool goes_on, float[n] b, int64 next, float total) {
        b = Mul(a, two)
        total = ReduceSum <keepdims = 0> (b)
        goes_on = Less(total, limit)
        next = Add(count, one)
      }>
    }"""
    for limit in (100, 3, 1e6, 100):
        check(device, text, x=np.full(4, 1.5, np.float32), limit=np.array(limit, np.float32))


@pytest.mark.parametrize("device", DEVICES)
def test_carried_sizes_may_grow(check, device):
    text = """(int64 trips, float[n] x) => (float[m] y, int64[1] size) <bool yes = {1}> {
      y = Loop (trips, yes, x) <body = body (int64 i, bool c, float[k] a) => (bool c_out, float[l] b) {
        c_out = Identity(c)
        turned = Neg(a)
        b = Concat <axis = 0> (a, turned)
      }>
      size = Shape(y)
    }"""
    for trips, n in ((3, 2), (0, 4), (5, 1)):
        check(device, text, trips=np.array(trips), x=array(n))


@pytest.mark.parametrize("device", DEVICES)
def test_loops_and_branches_inside_of_each_other(check, device):
    text = """(int64 trips, float[n] x, bool flag) => (float[n] y, float[p, q] table) <bool yes = {1}, float zero = {0}> {
      y, table = If (flag) <
        then_branch = on () => (float[n] y1, float[a, b] t1) {
          y1, t1 = Loop (trips, yes, x) <body = outer (int64 i, bool c, float[n] v) => (bool c_out, float[n] w, float[b] row) {
            c_out = Identity(c)
            w, row = Loop (trips, yes, v) <body = inner (int64 j, bool d, float[n] s) => (bool d_out, float[n] t, float value) {
              d_out = Identity(d)
              t = Add(s, x)
              value = ReduceMax <keepdims = 0> (t)
            }>
          }>
        },
        else_branch = off () => (float[n] y2, float[e, f] t2) {
          y2 = Neg(x)
          shape = Constant <value = int64[2] {2, 2}> ()
          t2 = Expand(zero, shape)
        }
      >
    }"""
    check(device, text, trips=np.array(3), x=array(6), flag=np.array(True))
    check(device, text, trips=np.array(2), x=array(5), flag=np.array(False))


@pytest.mark.parametrize("device", DEVICES)
def test_branch_inside_of_a_loop(check, device):
    text = """(float[n] x) => (float[n] y, float[m] kept) <int64 trips = {5}, bool yes = {1}, float limit = {2}, float half = {0.5}> {
      y, kept = Loop (trips, yes, x) <body = body (int64 i, bool c, float[n] a) => (bool c_out, float[n] b, float top) {
        c_out = Identity(c)
        top = ReduceMax <keepdims = 0> (a)
        large = Less(limit, top)
        b = If (large) <then_branch = shrink () => (float[n] b1) { b1 = Mul(a, half) },
                        else_branch = grow () => (float[n] b2) { b2 = Add(a, a) }>
      }>
    }"""
    check(device, text, x=np.array([1, 0.5, -3], np.float32))
    check(device, text, x=np.array([9, 0.25], np.float32))


@pytest.mark.parametrize("device", DEVICES)
def test_scan(check, device):
    text = """(float[n, 4] x, float[4, n] w, float[4] start) => (float[4] last, float[a, b] sums, float[c, d] back) {
      last, sums, back = Scan (start, x, w) <num_scan_inputs = 2, scan_input_axes = [0, 1], scan_input_directions = [0, 1],
          scan_output_axes = [0, 1], scan_output_directions = [0, 1], body = body
          (float[4] state, float[4] row, float[4] column) => (float[4] next, float[4] sum, float[4] product) {
        sum = Add(row, state)
        product = Mul(row, column)
        next = Add(sum, product)
      }>
    }"""
    for n in (5, 1, 33):
        check(device, text, x=array(n, 4), w=array(4, n), start=array(4))


@pytest.mark.parametrize("device", DEVICES)
def test_loop_without_an_end_is_an_error(model, device):
    text = """(float[n] x) => (float[n] y) <bool yes = {1}, float zero = {0}> {
      y = Loop ("", yes, x) <body = body (int64 i, bool c, float[n] a) => (bool goes_on, float[n] b) {
        b = Abs(a)
        low = ReduceMin <keepdims = 0> (b)
        stops = Less(low, zero)
        goes_on = Not(stops)
      }>
    }"""
    if device != "cpu":
        pytest.skip("a million launches take long there")
    sessions, _ = model(text)
    with pytest.raises(hexin.ResourceExhaustedError, match="iterations"):
        sessions[device].run({"x": array(3)})


@pytest.mark.parametrize("device", DEVICES)
def test_loops_that_begin_with_the_same_constant(tmp_path, device):
    """Folded from several nodes, it has no name of its own: its copies are the loops'."""
    random = np.random.default_rng(0)
    weights = {name: random.standard_normal(dims).astype(np.float32) * 0.3
               for name, dims in {"w": (2, 12, 3), "r": (2, 12, 4), "w2": (2, 12, 8), "r2": (2, 12, 4)}.items()}
    nodes = [
        helper.make_node("Expand", ["zero", "sizes"], ["start"], "start"),
        helper.make_node("GRU", ["x", "w", "r", "", "", "start"], ["y4", ""], "first", hidden_size=4,
                         direction="bidirectional"),
        helper.make_node("Transpose", ["y4"], ["y3"], "turned", perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["y3", "flat"], ["y2"], "flattened"),
        helper.make_node("GRU", ["y2", "w2", "r2", "", "", "start"], ["y", ""], "second", hidden_size=4,
                         direction="bidirectional"),
    ]
    constants = {"zero": np.zeros([2, 1, 4], np.float32), "sizes": np.array([2, 1, 4]), "flat": np.array([5, 1, 8])}
    graph = helper.make_graph(
        nodes, "same_start", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [5, 1, 3])],
        [onnx.ValueInfoProto(name="y")],
        [onnx.numpy_helper.from_array(value, name) for name, value in {**weights, **constants}.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    hexin.compile(model, str(tmp_path / "gru.hxm"), targets=[device.split(":")[0]])
    x = random.standard_normal([5, 1, 3]).astype(np.float32)
    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    found = hexin.Session(str(tmp_path / "gru.hxm"), device=device).run({"x": x})["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
