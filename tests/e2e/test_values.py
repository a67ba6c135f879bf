"""Sequences and optionals, end to end: from outside, made by a model, through control flow, and what is wrong with them;
on every device, beside ONNX Runtime."""

import hexin
import numpy as np
import onnx
import pytest
from devices import DEVICES
from value_cases import Values, array, assert_same, parsed


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    return Values(tmp_path_factory.mktemp("values"))


# ---- sequences -----------------------------------------------------------------------

MADE = """(float[n, 3] x, int64 at) => (float[?, 3] taken, int64 count, seq(float[?, 3]) parts, float[?, 3] whole,
                                       float[k, ?, 3] stacked, seq(float[?, 3]) shorter, seq(float[?, 3]) longer) {
  a = Relu(x)
  b = Neg(x)
  parts = SequenceConstruct(a, b, x)
  taken_raw = SequenceAt(parts, at)
  taken = Exp(taken_raw)
  count = SequenceLength(parts)
  whole = ConcatFromSequence <axis = 0> (parts)
  stacked = ConcatFromSequence <axis = 0, new_axis = 1> (parts)
  shorter = SequenceErase(parts, at)
  longer = SequenceInsert(shorter, a, at)
}"""


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("at", [0, 2, -1, -2])
@pytest.mark.parametrize("size", [4, 1])
def test_sequences_that_a_model_makes(values, device, at, size):
    values.check(device, MADE, x=array(size, 3), at=np.array(at))


SPLIT = """(float[n, m] x, int64[k] sizes, int64 at, float[m, 5] w) => (float[?, 5] y, int64 count, seq(float[?, m]) parts) {
  parts = SplitToSequence <axis = 0> (x, sizes)
  part = SequenceAt(parts, at)
  y = MatMul(part, w)
  count = SequenceLength(parts)
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_sizes_that_only_the_run_knows(values, device):
    for sizes, at in (([1, 4, 2], 1), ([1, 4, 2], -1), ([7], 0), ([3, 0, 4], 1), ([1, 4, 2], 0)):
        values.check(device, SPLIT, x=array(7, 6), sizes=np.array(sizes), at=np.array(at), w=array(6, 5))


@pytest.mark.parametrize("device", DEVICES)
def test_splits_into_equal_parts(values, device):
    source = """(float[n, 3] x) => (seq(float[?, 3]) ones, seq(float[3]) rows, seq(float[?, 3]) pairs, float[?, 3] first, float[3] last)
        <int64 two = {2}, int64 zero = {0}, int64 end = {-1}> {
      ones = SplitToSequence(x)
      rows = SplitToSequence <keepdims = 0> (x)
      pairs = SplitToSequence(x, two)
      first = SequenceAt(pairs, zero)
      last = SequenceAt(rows, end)
    }"""
    for size in (5, 4, 1):
        values.check(device, source, x=array(size, 3))


ELEMENTS = """(seq(float[?, 2]) s, int64 at) => (float[?, 2] y, seq(float[?, 2]) t, int64 n) {
  x = SequenceAt(s, at)
  y = Sigmoid(x)
  t = SequenceInsert(s, y)
  n = SequenceLength(t)
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_sequences_from_outside(values, device):
    elements = [array(3, 2), array(1, 2), array(0, 2), array(8, 2)]
    for at in (0, 1, 3, -4):
        outputs = values.check(device, ELEMENTS, s=elements, at=np.array(at))
    # What comes out is the caller's, and nobody else's.
    outputs["t"][0][:] = 0
    assert elements[0].any()


@pytest.mark.parametrize("device", DEVICES)
def test_known_structure_needs_no_sequence(values, device):
    """A sequence that is taken apart again is never made: all stays on the device."""
    source = """(float[n, 4] x) => (float[n, 2] y, float[n, 4] z) <int64 one = {1}, int64[2] halves = {2, 2}> {
      parts = SplitToSequence <axis = 1> (x, halves)
      part = SequenceAt(parts, one)
      y = Relu(part)
      negative = Neg(x)
      made = SequenceConstruct(x, negative)
      back = SequenceAt(made, one)
      optional = Optional(back)
      held = OptionalGetElement(optional)
      z = Abs(held)
    }"""
    session = values.model(source)[0][device]
    program = next(p for p in session.model.inspect()["programs"] if device.startswith(p["target"]))
    assert program["hostInstructions"] == 0 and program["transfers"] == 0
    x = array(3, 4)
    outputs = session.run({"x": x})
    assert_same(outputs["y"], np.maximum(x[:, 2:], 0), "y")
    assert_same(outputs["z"], np.abs(x), "z")


# ---- control flow --------------------------------------------------------------------

GROWING = """(float[n] x, int64 trips) => (seq(float[?]) all, float[?] joined, int64 count)
    <bool yes = {1}, int64 one = {1}, int64[1] start = {0}, int64[1] more = {1}> {
  none = SequenceEmpty <dtype = 1> ()
  all = Loop (trips, yes, none) <body = body (int64 i, bool c, seq(float[?]) before) => (bool c_out, seq(float[?]) after) {
    c_out = Identity(c)
    next = Add(i, one)
    end = Reshape(next, more)
    part = Slice(x, start, end)
    twice = Add(part, part)
    after = SequenceInsert(before, twice)
  }>
  joined = ConcatFromSequence <axis = 0> (all)
  count = SequenceLength(all)
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_loops_carry_sequences(values, device):
    for trips in (3, 1, 5, 3):
        values.check(device, GROWING, x=array(9), trips=np.array(trips))


TAKING = """(seq(float[?]) s, float[4] bias) => (float[n, 4] sums, seq(float[4]) parts, float[4] last) <bool yes = {1}, int64 end = {-1}> {
  n = SequenceLength(s)
  none = SequenceEmpty <dtype = 1> ()
  parts, last, sums = Loop (n, yes, none, bias) <body = body
      (int64 i, bool c, seq(float[4]) before, float[4] sum) => (bool c_out, seq(float[4]) after, float[4] next, float[4] row) {
    c_out = Identity(c)
    x = SequenceAt(s, i)
    total = ReduceSum <keepdims = 1> (x)
    next = Add(sum, total)
    row = Mul(next, next)
    after = SequenceInsert(before, next)
  }>
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_loops_take_sequences_apart(values, device):
    for sizes in ((3, 1, 8), (2,), (5, 5, 5, 5)):
        values.check(device, TAKING, s=[array(size) for size in sizes], bias=array(4, seed=3))


CHOICE = """(bool c, float[n] x, seq(float[?]) s) => (seq(float[?]) t, int64 count, float[?] first) <int64 zero = {0}> {
  t = If(c) <then_branch = more () => (seq(float[?]) a) {
    y = Exp(x)
    a = SequenceInsert(s, y, zero)
  }, else_branch = less () => (seq(float[?]) b) {
    b = SequenceErase(s)
  }>
  count = SequenceLength(t)
  taken = SequenceAt(t, zero)
  first = Neg(taken)
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_branches_give_sequences(values, device):
    for condition in (True, False, True):
        values.check(device, CHOICE, c=np.array(condition), x=array(3), s=[array(5), array(2)])


# ---- optionals -----------------------------------------------------------------------

MAYBE = """(optional(float[n]) o, float[n] x) => (bool has, float[n] y) {
  has = OptionalHasElement(o)
  y = If(has) <then_branch = yes () => (float[n] a) {
    held = OptionalGetElement(o)
    a = Add(held, x)
  }, else_branch = no () => (float[n] b) {
    b = Neg(x)
  }>
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_optionals(values, device):
    session = values.model(MAYBE)[0].get(device) or pytest.skip(f"there is no {device} here")
    x, o = array(5), array(5, seed=3)
    full, empty = session.run({"o": o, "x": x}), session.run({"o": None, "x": x})
    assert full["has"] and not empty["has"]
    assert_same(full["y"], o + x, "y")
    assert_same(empty["y"], -x, "y")


@pytest.mark.parametrize("device", DEVICES)
def test_an_empty_optional_has_no_element(tmp_path, device):
    artifact = str(tmp_path / "get.hxm")
    hexin.compile(parsed("""(optional(seq(float[?])) o) => (seq(float[?]) s, optional(seq(float[?])) same) {
      s = OptionalGetElement(o)
      same = Identity(o)
    }"""), artifact, targets=[device.split(":")[0]])
    session = hexin.Session(artifact, device=device)
    outputs = session.run({"o": [array(2), array(3)]})
    assert_same(outputs["s"], [array(2), array(3)], "s")
    assert_same(outputs["same"], [array(2), array(3)], "same")
    with pytest.raises(hexin.OutOfRangeError, match="'s' on the host.*empty"):
        session.run({"o": None})


# ---- what is wrong -------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_positions_outside(values, device):
    session = values.model(MADE)[0].get(device) or pytest.skip(f"there is no {device} here")
    for at in (3, -4):
        with pytest.raises(hexin.OutOfRangeError, match=f"'taken_raw' on the host.*position {at} of a sequence of 3"):
            session.run({"x": array(2, 3), "at": np.array(at)})
    session.run({"x": array(2, 3), "at": np.array(0)})


def test_inputs_of_other_types(values):
    session = next(iter(values.model(ELEMENTS)[0].values()))
    at = np.array(0)
    for value, message in (
        ([array(3, 2), array(3, 3)], r"input 's'\[1\]: expected f32\[\?, 2\], got f32\[3, 3\]"),
        ([array(3, 2).astype(np.float64)], r"input 's'\[0\].*f64"),
        (array(3, 2), "input 's' takes a list or tuple"),
        ([None], r"input 's'\[0\]"),
        ({"a": array(3, 2)}, "input 's' takes a list or tuple"),
    ):
        with pytest.raises(hexin.InvalidArgumentError, match=message):
            session.run({"s": value, "at": at})


def test_elements_of_unknown_rank(tmp_path):
    source = """(seq(float) s, int64 at) => (float[n] y) {
      x = SequenceAt(s, at)
      y = Relu(x)
    }"""
    made = parsed(source)
    made.graph.input[0].type.sequence_type.elem_type.tensor_type.ClearField("shape")
    artifact = str(tmp_path / "rank.hxm")
    with pytest.raises(hexin.UnsupportedError, match="(?s)node .*SequenceAt.*rank .* not known.*shapes"):
        hexin.compile(made, artifact)
    hexin.compile(made, artifact, shapes={"s": ["n"]})
    session = hexin.Session(artifact)
    assert_same(session.run({"s": [array(3)], "at": np.array(0)})["y"], np.maximum(array(3), 0), "y")
    # The model may also say it of the node's output; what comes must keep to it.
    made.graph.value_info.append(onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n"]))
    hexin.compile(made, artifact)
    session = hexin.Session(artifact)
    assert_same(session.run({"s": [array(3)], "at": np.array(0)})["y"], np.maximum(array(3), 0), "y")
    with pytest.raises(hexin.InvalidArgumentError, match=r"gave f32\[3, 1\].*rank 1"):
        session.run({"s": [array(3, 1)], "at": np.array(0)})
