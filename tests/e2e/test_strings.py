"""Strings that move, become numbers and are chosen, on every device."""

import hexin
import numpy as np
import pytest
from devices import DEVICES
from value_cases import Values, array, assert_same, parsed, text


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    return Values(tmp_path_factory.mktemp("values"))


STRINGS = """(string[n, m] s, int64[k] rows, float[n, m] x) => (string[m, n] turned, string[n, ?] tail, string[k, m] picked, string[?, m] both,
        bool[n, m] equal, string[n, m] chosen, string[?] flat, int64[2] sizes, string[n, m] joined, string[?, m] padded) <string dash = {"-"},
        int64[1] one = {1}, int64[1] far = {100}, int64[1] flat_shape = {-1}, int64[4] pads = {1, 0, 0, 0}> {
  turned = Transpose(s)
  tail = Slice(s, one, far, one)
  picked = Gather(s, rows)
  both = Concat <axis = 0> (s, picked)
  equal = Equal(s, dash)
  chosen = Where(equal, dash, s)
  flat = Reshape(s, flat_shape)
  sizes = Shape(s)
  joined = StringConcat(s, dash)
  padded = Pad(s, pads, dash)
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_strings_move(values, device):
    session = values.compiled(STRINGS, 20).get(device) or pytest.skip(f"there is no {device} here")
    s = np.array([["a", "-", "ü"], ["", "bcd", "-"]], object)
    outputs = session.run({"s": s, "rows": np.array([1, 1, 0]), "x": array(2, 3)})
    picked = s[[1, 1, 0]]
    for name, expected in {
        "turned": s.T, "tail": s[:, 1:], "picked": picked, "both": np.concatenate([s, picked]), "equal": s == "-",
        "chosen": s, "flat": s.ravel(), "sizes": np.array([2, 3]), "joined": s + "-",
        "padded": np.concatenate([[["-"] * 3], s]),
    }.items():
        assert_same(outputs[name], expected, name)


@pytest.mark.parametrize("device", DEVICES)
def test_strings_and_numbers(values, device):
    source = """(float[n] x, string[n] s, int64[n] i) => (string[n] of_x, string[n] of_i, float[n] of_s, float[n] back) {
      of_x = Cast <to = 8> (x)
      of_i = Cast <to = 8> (i)
      number = Cast <to = 1> (s)
      of_s = Mul(number, x)
      back = Cast <to = 1> (of_x)
    }"""
    session = values.model(source)[0].get(device) or pytest.skip(f"there is no {device} here")
    x = np.array([1, 0.1, 1e-7, -2.5e20, np.inf, 123456.0], np.float32)
    s = text("1.5", "-inf", "+3", "1e3", " 7 ", ".5")
    i = np.array([0, -1, 2**62, 5, 6, 7])
    outputs = session.run({"x": x, "s": s, "i": i})
    assert list(outputs["of_x"]) == ["1.0", "0.1", "1e-07", "-2.5e+20", "inf", "123456.0"]
    assert list(outputs["of_i"]) == [str(n) for n in i]
    assert_same(outputs["back"], x, "back")
    assert_same(outputs["of_s"], np.array([1.5, -np.inf, 3, 1e3, 7, 0.5], np.float32) * x, "of_s")
    with pytest.raises(hexin.InvalidArgumentError, match="'1.5x' is no number of type f32"):
        session.run({"x": x[:1], "s": text("1.5x"), "i": i[:1]})


@pytest.mark.parametrize("device", DEVICES)
def test_a_choice_of_literal_strings(values, device):
    source = """(bool[n] c) => (string[n] label, int64[1] size) <string yes = {"yes"}, string[1] no = {"no"}> {
      label = Where(c, yes, no)
      size = Shape(label)
    }"""
    for size in (3, 1):
        values.check(device, source, c=np.array([True, False, True])[:size])


def test_operators_that_take_only_numbers(tmp_path):
    for source, error, message in (
        ("(string[n] s) => (string[n] y) { y = Relu(s) }", hexin.UnsupportedError, "Relu takes tensors of numbers"),
        ("(seq(float[n]) s) => (float[n] y) { y = Add(s, s) }", hexin.CorruptDataError, "Add takes tensors of numbers"),
        ("(seq(float[n]) s, string[n] t) => (seq(float[n]) y) { y = SequenceInsert(s, t) }", hexin.CorruptDataError,
         "into a sequence"),
        ("(float[n] x) => (float[n] y) { y = OptionalGetElement(x)\n z = SequenceLength(x) }", hexin.CorruptDataError,
         "must be a sequence"),
    ):
        with pytest.raises(error, match=message):
            hexin.compile(parsed(source), str(tmp_path / "bad.hxm"))
