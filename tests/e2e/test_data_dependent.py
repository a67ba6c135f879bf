"""Sizes and conditions that only the device knows: it computes, the host reads, the plan goes on."""

import hexin
import numpy as np
import onnx
import onnxruntime
import pytest
from devices import DEVICES, TARGETS


class Model:
    """A model in ONNX's text form: compiled once for both devices, and in ONNX Runtime."""

    def __init__(self, text, folder, opset=17):
        made = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> model {text}')
        # The text form wants types for outputs; sizes are what is tested.
        for port in made.graph.output:
            port.type.tensor_type.ClearField("shape")
        self.artifact = str(folder / "model.hxm")
        hexin.compile(made, self.artifact, targets=TARGETS)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.reference = onnxruntime.InferenceSession(made.SerializeToString(), options)
        self.sessions = {}

    def session(self, device):
        if device not in {found.id for found in hexin.devices() if found.available}:
            pytest.skip(f"there is no {device} here")
        if device not in self.sessions:
            self.sessions[device] = hexin.Session(self.artifact, device=device)
        return self.sessions[device]

    def check(self, device, **inputs):
        outputs = self.session(device).run(inputs)
        for port, expected in zip(self.reference.get_outputs(), self.reference.run(None, inputs)):
            assert outputs[port.name].shape == expected.shape, port.name
            np.testing.assert_allclose(outputs[port.name], expected, rtol=1e-5, atol=1e-6, err_msg=port.name)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """model(text) -> Model, once per text."""
    known = {}

    def get(text, **options):
        if text not in known:
            known[text] = Model(text, tmp_path_factory.mktemp("model"), **options)
        return known[text]

    return get


def mostly_zero(seed, *shape, share=0.3):
    random = np.random.default_rng(seed)
    return np.where(random.random(shape) < share, random.standard_normal(shape), 0).astype(np.float32)


NONZERO = """(float[n] a, float[n, m] b, float[n, 3, m] c, bool[n, m] d, int64[4, 5] e, float f)
    => (int64[2] y1, int64[2] y2, int64[2] y3, int64[2] y4, int64[2] y5, int64[2] y6) {
  y1 = NonZero(a)
  y2 = NonZero(b)
  y3 = NonZero(c)
  y4 = NonZero(d)
  y5 = NonZero(e)
  y6 = NonZero(f)
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_nonzero(model, device):
    for n, m, share in ((7, 5, 0.3), (40, 33, 0.5), (3, 512, 1), (9, 4, 0), (1, 513, 0.9), (7, 5, 0.8)):
        a, b, c = (mostly_zero(seed, *shape, share=share)
                   for seed, shape in enumerate(((n,), (n, m), (n, 3, m))))
        if share < 1:
            b[0, 0] = np.nan
            c[0, 0, 0] = -0.0
        model(NONZERO).check(device, a=a, b=b, c=c, d=b > 0, e=np.arange(20).reshape(4, 5) % 3,
                             f=np.array(share, np.float32))


@pytest.mark.parametrize("device", DEVICES)
def test_nonzero_of_nothing(model, device):
    empty = np.zeros((0, 5), np.float32)
    outputs = model(NONZERO).session(device).run({
        "a": empty[:, 0], "b": empty, "c": np.zeros((0, 3, 5), np.float32), "d": empty > 0,
        "e": np.zeros((4, 5), np.int64), "f": np.float32(1)})
    assert [outputs[name].shape for name in ("y1", "y2", "y3", "y4", "y5", "y6")] == [
        (1, 0), (2, 0), (3, 0), (2, 0), (2, 0), (1, 1)] or outputs["y6"].shape == (0, 1)


@pytest.mark.parametrize("device", DEVICES)
def test_nonzero_of_what_is_known_to_be_empty(model, device):
    text = "(float[0, 4] x, float[2, 0, 3] z) => (int64[2] y, int64[3] w) { y = NonZero(x) w = NonZero(z) }"
    model(text).check(device, x=np.zeros((0, 4), np.float32), z=np.zeros((2, 0, 3), np.float32))


@pytest.mark.parametrize("device", DEVICES)
def test_nonzero_of_many(model, device):
    made = model("(float[n] x) => (int64[2] y) { y = NonZero(x) }")
    for count, share in ((1_000_003, 0.25), (1_000_003, 0.9), (1 << 20, 0.0)):
        made.check(device, x=mostly_zero(count, count, share=share))


@pytest.mark.parametrize("device", DEVICES)
def test_compress(model, device):
    made = model("""(float[n, m] x, bool[k] rows, bool[4] columns) => (float[2] a, float[2] b, float[2] c) {
      a = Compress <axis = 0> (x, rows)
      b = Compress <axis = -1> (x, columns)
      c = Compress (x, rows)
    }""")
    for n, m, rows in ((6, 9, [1, 0, 1, 1]), (5, 4, [0] * 5), (2, 7, [1, 1]), (3, 5, [])):
        made.check(device, x=mostly_zero(3, n, m, share=1), rows=np.array(rows, bool),
                   columns=np.array([0, 1, 1, 0], bool))


@pytest.mark.parametrize("device", DEVICES)
def test_what_follows_a_count(model, device):
    # Sizes, products and gathers of it; a second count that hangs on the first.
    made = model("""(float[n, 4] x, float[n] keep) => (float[2] y, float[2] z, int64[1] size, float[2] again) <
      int64[1] all = {-1}, int64[2] flat = {-1, 2}, float zero = {0}
    > {
      positions = NonZero(keep)
      index = Squeeze(positions)
      rows = Gather <axis = 0> (x, index)
      rows_t = Transpose <perm = [1, 0]> (rows)
      y = MatMul(rows, rows_t)
      z = Reshape(rows, flat)
      size = Shape(rows)
      values = Reshape(rows, all)
      positive = Greater(values, zero)
      again = Compress(values, positive)
    }""".replace("Squeeze(positions)", "Reshape(positions, all)"))
    for n, share in ((8, 0.5), (30, 0.9), (8, 0.5), (5, 0), (64, 0.2)):
        made.check(device, x=mostly_zero(1, n, 4, share=1), keep=mostly_zero(2, n, share=share))


@pytest.mark.parametrize("device", DEVICES)
def test_condition_computed_on_the_device(model, device):
    made = model("""(float[n] x) => (float[n] y) <float limit = {0}> {
      total = ReduceSum <keepdims = 0> (x)
      much = Greater(total, limit)
      e = Exp(x)
      chosen = If (much) <
        then_branch = yes () => (float[n] a) { a = Neg(e) },
        else_branch = no () => (float[m] b) { b = Concat <axis = 0> (e, x) }
      >
      y = Relu(chosen)
    }""")
    for n in (1, 9, 300):
        for sign in (1, -1, 1):
            made.check(device, x=np.full(n, sign, np.float32) * np.arange(1, n + 1, dtype=np.float32) / n)


@pytest.mark.parametrize("device", DEVICES)
def test_conditions_inside_of_branches(model, device):
    # The inner condition is made by the branch; what comes out of it has a size of its own.
    made = model("""(float[n] x) => (float[m] y, float total) <float limit = {0}, int64[1] all = {-1}> {
      total = ReduceSum <keepdims = 0> (x)
      much = Greater(total, limit)
      chosen = If (much) <
        then_branch = yes () => (float[p] a) {
          last = ReduceMax <keepdims = 0> (x)
          three = Constant <value = float {3}> ()
          large = Less(three, last)
          a = If (large) <
            then_branch = large_yes () => (float[q] c) {
              positions = NonZero(x)
              index = Reshape(positions, all)
              c = Gather (x, index)
            },
            else_branch = large_no () => (float[n] d) { d = Sqrt(x) }
          >
        },
        else_branch = no () => (float[m] b) { b = Concat <axis = 0> (x, x) }
      >
      y = Mul(chosen, chosen)
    }""")
    for values in ([1, 0, 2, 5, 0, 0], [1, 0, 2], [-1, 0, 0.5], [9, 0, 0], [0, 0, 0, 0, 0, 7]):
        made.check(device, x=np.array(values, np.float32))


@pytest.mark.parametrize("device", DEVICES)
def test_sizes_from_data(model, device):
    # As exporters write durations: sums of what is computed give ranges, sizes and ends.
    made = model("""(float[1, n] x, float[20] row) => (int64[m] range, float[2] grid, float[2] part, int64[2] mask) <
      int64 zero = {0}, int64 one = {1}, int64[1] axis = {-1}, int64[1] first = {0}, int64[1] two = {2}
    > {
      rounded = Round(x)
      durations = Cast <to = 7> (rounded)
      ends = CumSum(durations, zero_axis)
      flat = Reshape(ends, axis)
      largest = ReduceMax <keepdims = 0> (flat)
      range = Range(zero, largest, one)
      size = Unsqueeze(largest, first)
      both = Concat <axis = 0> (two, size)
      grid = Expand(one_f, both)
      part = Slice(row, first, size)
      columns = Unsqueeze(flat, first)
      places = Unsqueeze(range, one_axis)
      before = Less(places, columns)
      mask = Cast <to = 7> (before)
    }""".replace("int64[1] two = {2}", "int64[1] two = {2}, int64 zero_axis = {1}, float one_f = {1.5}, "
                 "int64[1] one_axis = {1}"))
    for values in ([1, 2, 3], [2.4], [5, 0, 0, 1], [0, 0]):
        made.check(device, x=np.array([values], np.float32), row=np.arange(20, dtype=np.float32))


@pytest.mark.parametrize("device", DEVICES)
def test_reshape_and_split_sizes_of_unknown_sign(model, device):
    made = model("""(float[n] x, int64[1] a, int64[1] b) => (float[2] y, int64[1] q) <
      int64[1] left = {-1}, int64[1] four = {4}
    > {
      q = Div(a, b)
      rows = Sub(four, q)
      shape = Concat <axis = 0> (rows, left)
      y = Reshape(x, shape)
    }""")
    for a, b in ((7, 2), (-7, 2), (-7, -2), (7, -2), (3, 5), (-3, 5)):
        rows = 4 - int(a / b)
        made.check(device, x=np.arange(rows * 3, dtype=np.float32), a=np.array([a]), b=np.array([b]))


@pytest.mark.parametrize("device", DEVICES)
def test_sizes_that_cannot_be_are_errors_of_the_run(model, device):
    made = model("""(float[n] x) => (float[m] y) <int64[1] one = {1}> {
      total = ReduceSum <keepdims = 1> (x)
      size = Cast <to = 7> (total)
      shape = Concat <axis = 0> (size, one)
      y = Reshape(x, shape)
    }""")
    session = made.session(device)
    assert session.run({"x": np.ones(5, np.float32)})["y"].shape == (5, 1)
    with pytest.raises(hexin.InvalidArgumentError, match="'y': numbers of elements before and after.*2 is not equal to 4"):
        session.run({"x": np.array([2, 2], np.float32)})
    assert session.run({"x": np.ones(5, np.float32)})["y"].shape == (5, 1)
