"""Values that are no tensors, end to end: sequences, optionals, strings and maps on every device,
beside ONNX Runtime."""

import hexin
import numpy as np
import onnx
import onnxruntime
import pytest

DEVICES = ["cpu", "opencl:0"]


def array(*shape, seed=7):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def text(*strings):
    return np.array(strings, object)


def assert_same(actual, expected, where):
    if expected is None:
        assert actual is None, where
    elif isinstance(expected, dict):
        assert list(actual) == list(expected), where
        for key in expected:
            assert_same(actual[key], expected[key], f"{where}[{key!r}]")
    elif isinstance(expected, (list, tuple)):
        assert isinstance(actual, list) and len(actual) == len(expected), where
        for i, (a, e) in enumerate(zip(actual, expected)):
            assert_same(a, e, f"{where}[{i}]")
    else:
        actual, expected = np.asarray(actual), np.asarray(expected)
        assert actual.shape == expected.shape, where
        if expected.dtype.kind in "OU":
            assert [str(s) for s in actual.ravel()] == [str(s) for s in expected.ravel()], where
        else:
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6, err_msg=where)


def parsed(source, opset=18):
    imports = f'opset_import: ["": {opset}, "ai.onnx.ml": 2]'
    return onnx.parser.parse_model(f"<ir_version: 8, {imports}> model {source}")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """compiled(source) -> sessions by device, once per source."""
    known = {}

    def get(source, opset=18):
        if source not in known:
            artifact = str(tmp_path_factory.mktemp("values") / "values.hxm")
            hexin.compile(parsed(source, opset), artifact, targets=["cpu", "opencl"], verify_each=True)
            found = {device.id for device in hexin.devices() if device.available}
            known[source] = {name: hexin.Session(artifact, device=name) for name in DEVICES if name in found}
        return known[source]

    return get


@pytest.fixture(scope="module")
def model(compiled):
    """model(source) -> (sessions by device, ONNX Runtime's), once per source."""
    references = {}

    def get(source, opset=18):
        if source not in references:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            references[source] = onnxruntime.InferenceSession(parsed(source, opset).SerializeToString(), options)
        return compiled(source, opset), references[source]

    return get


@pytest.fixture
def check(model):
    def run(device, source, opset=18, **inputs):
        sessions, reference = model(source, opset)
        if device not in sessions:
            pytest.skip(f"there is no {device} here")
        outputs = sessions[device].run(inputs)
        for port, expected in zip(reference.get_outputs(), reference.run(None, inputs)):
            assert_same(outputs[port.name], expected, port.name)
        return outputs

    return run


# ---- sequences ---------------------------------------------------------------------

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
def test_sequences_that_a_model_makes(check, device, at, size):
    check(device, MADE, x=array(size, 3), at=np.array(at))


SPLIT = """(float[n, m] x, int64[k] sizes, int64 at, float[m, 5] w) => (float[?, 5] y, int64 count, seq(float[?, m]) parts) {
  parts = SplitToSequence <axis = 0> (x, sizes)
  part = SequenceAt(parts, at)
  y = MatMul(part, w)
  count = SequenceLength(parts)
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_sizes_that_only_the_run_knows(check, device):
    for sizes, at in (([1, 4, 2], 1), ([1, 4, 2], -1), ([7], 0), ([3, 0, 4], 1), ([1, 4, 2], 0)):
        check(device, SPLIT, x=array(7, 6), sizes=np.array(sizes), at=np.array(at), w=array(6, 5))


@pytest.mark.parametrize("device", DEVICES)
def test_splits_into_equal_parts(check, device):
    source = """(float[n, 3] x) => (seq(float[?, 3]) ones, seq(float[3]) rows, seq(float[?, 3]) pairs, float[?, 3] first, float[3] last)
        <int64 two = {2}, int64 zero = {0}, int64 end = {-1}> {
      ones = SplitToSequence(x)
      rows = SplitToSequence <keepdims = 0> (x)
      pairs = SplitToSequence(x, two)
      first = SequenceAt(pairs, zero)
      last = SequenceAt(rows, end)
    }"""
    for size in (5, 4, 1):
        check(device, source, x=array(size, 3))


ELEMENTS = """(seq(float[?, 2]) s, int64 at) => (float[?, 2] y, seq(float[?, 2]) t, int64 n) {
  x = SequenceAt(s, at)
  y = Sigmoid(x)
  t = SequenceInsert(s, y)
  n = SequenceLength(t)
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_sequences_from_outside(check, device):
    elements = [array(3, 2), array(1, 2), array(0, 2), array(8, 2)]
    for at in (0, 1, 3, -4):
        outputs = check(device, ELEMENTS, s=elements, at=np.array(at))
    # What comes out is the caller's, and nobody else's.
    outputs["t"][0][:] = 0
    assert elements[0].any()


@pytest.mark.parametrize("device", DEVICES)
def test_known_structure_needs_no_sequence(model, device):
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
    session = model(source)[0][device]
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
def test_loops_carry_sequences(check, device):
    for trips in (3, 1, 5, 3):
        check(device, GROWING, x=array(9), trips=np.array(trips))


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
def test_loops_take_sequences_apart(check, device):
    for sizes in ((3, 1, 8), (2,), (5, 5, 5, 5)):
        check(device, TAKING, s=[array(size) for size in sizes], bias=array(4, seed=3))


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
def test_branches_give_sequences(check, device):
    for condition in (True, False, True):
        check(device, CHOICE, c=np.array(condition), x=array(3), s=[array(5), array(2)])


# ---- optionals ------------------------------------------------------------------------

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
def test_optionals(model, device):
    session = model(MAYBE)[0].get(device) or pytest.skip(f"there is no {device} here")
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


# ---- strings ---------------------------------------------------------------------------

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
def test_strings_move(compiled, device):
    session = compiled(STRINGS, 20).get(device) or pytest.skip(f"there is no {device} here")
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
def test_strings_and_numbers(model, device):
    source = """(float[n] x, string[n] s, int64[n] i) => (string[n] of_x, string[n] of_i, float[n] of_s, float[n] back) {
      of_x = Cast <to = 8> (x)
      of_i = Cast <to = 8> (i)
      number = Cast <to = 1> (s)
      of_s = Mul(number, x)
      back = Cast <to = 1> (of_x)
    }"""
    session = model(source)[0].get(device) or pytest.skip(f"there is no {device} here")
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
def test_a_choice_of_literal_strings(check, device):
    source = """(bool[n] c) => (string[n] label, int64[1] size) <string yes = {"yes"}, string[1] no = {"no"}> {
      label = Where(c, yes, no)
      size = Shape(label)
    }"""
    for size in (3, 1):
        check(device, source, c=np.array([True, False, True])[:size])


# ---- maps ------------------------------------------------------------------------------


def ml_model(node, inputs, outputs):
    graph = onnx.helper.make_graph([node], "maps", inputs, outputs)
    imports = [onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("ai.onnx.ml", 2)]
    made = onnx.helper.make_model(graph, opset_imports=imports)
    made.ir_version = 8
    return made


def map_type(key, value):
    tensor = onnx.helper.make_tensor_type_proto(value, [])
    return onnx.helper.make_map_type_proto(key, tensor)


def run_everywhere(tmp_path, made, **inputs):
    artifact = str(tmp_path / "model.hxm")
    hexin.compile(made, artifact, targets=["cpu", "opencl"])
    found = {device.id for device in hexin.devices() if device.available}
    return [hexin.Session(artifact, device=device).run(inputs) for device in DEVICES if device in found]


def beside_reference(tmp_path, made, **inputs):
    reference = onnxruntime.InferenceSession(made.SerializeToString())
    expected = dict(zip([o.name for o in reference.get_outputs()], reference.run(None, inputs)))
    for outputs in run_everywhere(tmp_path, made, **inputs):
        for name, value in expected.items():
            assert_same(outputs[name], value, name)


T = onnx.TensorProto


@pytest.mark.parametrize("labels", [{"classlabels_strings": ["cat", "dog", "eel"]}, {"classlabels_int64s": [7, -1, 3]}])
def test_zip_map(tmp_path, labels):
    key = T.STRING if "classlabels_strings" in labels else T.INT64
    node = onnx.helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", **labels)
    y = onnx.helper.make_value_info("y", onnx.helper.make_sequence_type_proto(map_type(key, T.FLOAT)))
    made = ml_model(node, [onnx.helper.make_tensor_value_info("x", T.FLOAT, ["n", 3])], [y])
    x = array(2, 3)
    names = next(iter(labels.values()))
    for outputs in run_everywhere(tmp_path, made, x=x):
        assert [{k: float(v) for k, v in sorted(row.items())} for row in outputs["y"]] == [
            dict(sorted(zip(names, map(float, row)))) for row in x]


def test_dict_vectorizer(tmp_path):
    node = onnx.helper.make_node("DictVectorizer", ["m"], ["y"], domain="ai.onnx.ml", string_vocabulary=["a", "b", "c"])
    made = ml_model(node, [onnx.helper.make_value_info("m", map_type(T.STRING, T.FLOAT))],
                    [onnx.helper.make_tensor_value_info("y", T.FLOAT, [1, 3])])
    for outputs in run_everywhere(tmp_path, made, m={"c": 3.5, "a": np.float32(1), "z": 9}):
        assert_same(outputs["y"], np.array([[1, 0, 3.5]], np.float32), "y")


@pytest.mark.parametrize("form", ["DENSE", "SPARSE"])
@pytest.mark.parametrize("cast", ["TO_FLOAT", "TO_INT64", "TO_STRING"])
def test_cast_map(tmp_path, form, cast):
    node = onnx.helper.make_node("CastMap", ["m"], ["y"], domain="ai.onnx.ml", cast_to=cast, map_form=form, max_map=4)
    kind = {"TO_FLOAT": T.FLOAT, "TO_INT64": T.INT64, "TO_STRING": T.STRING}[cast]
    made = ml_model(node, [onnx.helper.make_value_info("m", map_type(T.INT64, T.FLOAT))],
                    [onnx.helper.make_tensor_value_info("y", kind, [1, "n"])])
    dense = [2.0, 5.0] if form == "DENSE" else [0.0, 2.0, 0.0, 5.0]
    for outputs in run_everywhere(tmp_path, made, m={1: 2.0, 3: 5.0}):
        if cast == "TO_STRING":
            assert list(outputs["y"][0]) == [str(x) if x else "" for x in dense]
        else:
            assert_same(outputs["y"], np.array([dense], np.float32 if cast == "TO_FLOAT" else np.int64), "y")


@pytest.mark.parametrize("keys, values, x", [
    ({"keys_strings": ["a", "b", "a"]}, {"values_int64s": [1, 2, 3]}, text("b", "a", "?")),
    ({"keys_int64s": [5, 7]}, {"values_strings": ["five", "seven"]}, np.array([7, 6, 5])),
    ({"keys_floats": [0.5, float("nan")]}, {"values_floats": [1.0, 2.0]}, np.array([np.nan, 0.5, 1], np.float32)),
    ({"keys_strings": ["a"]}, {"values_strings": ["z"]}, text("a", "b")),
])
def test_label_encoder(tmp_path, keys, values, x):
    kinds = {"O": T.STRING, "i": T.INT64, "f": T.FLOAT}
    out = {"values_int64s": T.INT64, "values_strings": T.STRING, "values_floats": T.FLOAT}[next(iter(values))]
    node = onnx.helper.make_node("LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml", **keys, **values)
    made = ml_model(node, [onnx.helper.make_tensor_value_info("x", kinds[x.dtype.kind], ["n"])],
                    [onnx.helper.make_tensor_value_info("y", out, ["n"])])
    names, mapped = next(iter(keys.values())), next(iter(values.values()))
    fallback = {T.INT64: -1, T.STRING: "_Unused", T.FLOAT: -0.0}[out]

    def encoded(value):
        found = [m for k, m in zip(names, mapped) if k == value or (k != k and value != value)]
        return found[-1] if found else fallback

    for outputs in run_everywhere(tmp_path, made, x=x):
        assert [v for v in outputs["y"]] == [encoded(v) for v in x]


# ---- what is wrong ----------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_positions_outside(model, device):
    session = model(MADE)[0].get(device) or pytest.skip(f"there is no {device} here")
    for at in (3, -4):
        with pytest.raises(hexin.OutOfRangeError, match=f"'taken_raw' on the host.*position {at} of a sequence of 3"):
            session.run({"x": array(2, 3), "at": np.array(at)})
    session.run({"x": array(2, 3), "at": np.array(0)})


def test_inputs_of_other_types(model):
    session = next(iter(model(ELEMENTS)[0].values()))
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
    made.graph.value_info.append(onnx.helper.make_tensor_value_info("x", T.FLOAT, ["n"]))
    hexin.compile(made, artifact)
    session = hexin.Session(artifact)
    assert_same(session.run({"s": [array(3)], "at": np.array(0)})["y"], np.maximum(array(3), 0), "y")
    with pytest.raises(hexin.InvalidArgumentError, match=r"gave f32\[3, 1\].*rank 1"):
        session.run({"s": [array(3, 1)], "at": np.array(0)})


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


# ---- pictures ---------------------------------------------------------------------------


def test_damaged_pictures(tmp_path):
    """Bytes that are no picture give an empty one; nothing that they say takes memory without a bound."""
    artifact = str(tmp_path / "decode.hxm")
    hexin.compile(parsed("(uint8[n] s) => (uint8[h, w, 3] y) { y = ImageDecoder(s) }", 20), artifact)
    session = hexin.Session(artifact)

    def decoded(data):
        return session.run({"s": np.frombuffer(bytes(data), np.uint8)})["y"]

    try:
        assert decoded(b"P6 2 1 255\n\1\2\3\4\5\6").tolist() == [[[1, 2, 3], [4, 5, 6]]]
    except hexin.UnavailableError as error:
        pytest.skip(str(error))
    assert decoded(b"P1 3 1 101").tolist() == [[[0] * 3, [255] * 3, [0] * 3]]
    assert decoded(b"P5 1 2 65535\n\x80\0\xff\xff").tolist() == [[[128] * 3], [[255] * 3]]
    bmp = b"BM" + bytes(8) + b"\x36\0\0\0" + b"\x28\0\0\0" + b"\2\0\0\0" + b"\1\0\0\0" + b"\1\0\x18\0" + bytes(24)
    assert decoded(bmp + b"\1\2\3\4\5\6\0\0").tolist() == [[[3, 2, 1], [6, 5, 4]]]
    for empty in (b"", b"P6", b"P6 2 1 255\n\1\2", bmp, b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40), b"II*\0" + bytes(30),
                  b"\xff\xd8\xff" + bytes(40), b"RIFF\0\0\0\0WEBPVP8 " + bytes(20), b"\xff\x4f\xff\x51" + bytes(60)):
        assert decoded(empty).shape == (0, 0, 3), empty
    with pytest.raises(hexin.ResourceExhaustedError, match="more than 268435456 pixels"):
        decoded(b"P6 4000000000 4000000000 255\n")
    files = [np.asarray(case.data_sets[0][0][0]) for case in decoder_cases()]
    random = np.random.default_rng(0)
    for file in files:
        for _ in range(12):
            damaged = file.copy()
            damaged[random.integers(0, min(len(damaged), 200), 4)] = random.integers(0, 256, 4)
            try:
                assert decoded(damaged[:random.integers(1, len(damaged))]).ndim == 3
            except hexin.ResourceExhaustedError:
                pass


def decoder_cases():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_node_model_tests

        return [case for case in load_node_model_tests() if "image_decoder" in case.name]
