"""Models that onnx.checker refuses, and mistakes that a message must name at its node."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import hexin
from devices import DEVICES

F32, I64, BOOL, TEXT = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING
N = helper.make_node


def info(name, kind=F32, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs=None, constants=(), functions=(), outputs=("y",), opset=21):
    graph = helper.make_graph(nodes, "refused", inputs or [info("x", F32, [2, 3])],
                              [helper.make_empty_tensor_value_info(name) for name in outputs], list(constants))
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("loc", 1), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=10)


def function(name, nodes):
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("loc", 1)]
    return helper.make_function("loc", name, ["i"], ["o"], nodes, imports)


def refused(source, error, words, folder):
    with pytest.raises(error, match=words) as caught:
        hexin.compile(source, folder / "m.hxm")
    assert not isinstance(caught.value, hexin.InternalError)
    return str(caught.value)


def session(source, folder, device="cpu"):
    hexin.compile(source, folder / "m.hxm", targets=[device.partition(":")[0]])
    return hexin.Session(folder / "m.hxm", device=device)


@pytest.mark.parametrize("node, words", [
    (N("Relu", ["x"], ["y"], name="n", bogus=3), "'n' .Relu.: attribute 'bogus' is none of Relu at opset 21: it has none"),
    (N("Squeeze", ["x"], ["y"], name="n", axes=[0]), "attribute 'axes' is none of Squeeze at opset 21"),
    (N("Softmax", ["x"], ["y"], axes=1), "'axes' is none of Softmax at opset 21: it has 'axis'"),
    (N("FastGelu", ["x"], ["y"], domain="com.microsoft", bogus=1), "'bogus' is none of FastGelu"),
])
def test_attributes_that_the_operator_does_not_have(node, words, tmp_path):
    refused(model([node]), hexin.CorruptDataError, words, tmp_path)


def test_attributes_of_anybody(tmp_path):
    y = session(model([N("Relu", ["x"], ["y"], __note=3)]), tmp_path).run({"x": -np.ones((2, 3), np.float32)})["y"]
    assert (y == 0).all()


def test_an_attribute_given_twice(tmp_path):
    node = N("Softmax", ["x"], ["y"], name="n", axis=0)
    node.attribute.append(helper.make_attribute("axis", 1))
    refused(model([node]), hexin.CorruptDataError, "'n' .Softmax.: attribute 'axis' is given twice", tmp_path)


def test_two_functions_of_one_name(tmp_path):
    twice = [function("A", [N(op, ["i"], ["o"])]) for op in ("Relu", "Neg")]
    refused(model([N("A", ["x"], ["y"], domain="loc")], functions=twice), hexin.CorruptDataError,
            "two functions are called 'A' in domain 'loc'", tmp_path)


def test_functions_in_a_circle(tmp_path):
    circle = [function("A", [N("B", ["i"], ["o"], domain="loc")]), function("B", [N("A", ["i"], ["o"], domain="loc")])]
    text = refused(model([N("A", ["x"], ["y"], domain="loc")], functions=circle), hexin.CorruptDataError,
                   "function 'A' calls itself", tmp_path)
    assert len(text) < 300


def test_a_function_called_again_behind_itself(tmp_path):
    functions = [function("A", [N("Neg", ["i"], ["o"])])]
    nodes = [N("A", ["x"], ["z"], domain="loc"), N("A", ["z"], ["y"], domain="loc")]
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(session(model(nodes, functions=functions), tmp_path).run({"x": x})["y"], x)


def test_a_long_chain_of_functions(tmp_path):
    chain = [function(f"F{i}", [N(f"F{i + 1}", ["i"], ["o"], domain="loc")]) for i in range(90)]
    chain.append(function("F90", [N("Relu", ["i"], ["o"])]))
    text = refused(model([N("F0", ["x"], ["y"], domain="loc")], functions=chain), hexin.CorruptDataError,
                   "more than 64 levels deep", tmp_path)
    assert len(text) < 1000


def test_a_tensor_with_its_elements_twice(tmp_path):
    twice = numpy_helper.from_array(np.ones(3, np.float32), "w")
    twice.float_data.extend([1, 2, 3])
    refused(model([N("Add", ["x", "w"], ["y"])], constants=[twice]), hexin.CorruptDataError, "'w': has its elements twice", tmp_path)


@pytest.mark.parametrize("which", ["scan_input_directions", "scan_output_directions"])
def test_a_direction_that_is_none(which, tmp_path):
    body = helper.make_graph([N("Add", ["s", "e"], ["so"]), N("Identity", ["so"], ["o"])], "b",
                             [info("s", F32, [3]), info("e", F32, [3])], [info("so", F32, [3]), info("o", F32, [3])])
    node = N("Scan", ["z", "x"], ["f", "y"], body=body, num_scan_inputs=1, **{which: [7]})
    zero = numpy_helper.from_array(np.zeros(3, np.float32), "z")
    refused(model([node], constants=[zero]), hexin.CorruptDataError, f"'{which}' holds 7, expected 0 .forward. or 1", tmp_path)


def loop(nodes, carried, kind, constants, outputs=("y",)):
    body = helper.make_graph([N("Identity", ["ci"], ["co"]), *nodes], "b",
                             [info("i", I64, []), info("ci", BOOL, []), carried], [info("co", BOOL, []), info("vo", kind)])
    return N("Loop", ["n", "c", "x"], list(outputs), name="the_loop", body=body), [
        numpy_helper.from_array(np.array(50), "n"), numpy_helper.from_array(np.array(True), "c"), *constants]


def test_a_loop_that_changes_a_type(tmp_path):
    node, constants = loop([N("Cast", ["v"], ["vo"], to=TensorProto.INT32)], info("v", F32, [2, 3]), TensorProto.INT32, [])
    refused(model([node], constants=constants), hexin.CorruptDataError,
            "'the_loop'.*carried value #0 is f32 before an iteration and i32 after it", tmp_path)


def test_a_string_that_doubles(tmp_path):
    node, constants = loop([N("StringConcat", ["v", "v"], ["vo"])], info("v", TEXT, [1]), TEXT, [])
    running = session(model([node], [info("x", TEXT, [1])], constants), tmp_path)
    with pytest.raises(hexin.ResourceExhaustedError, match="more than 268435456 bytes of text"):
        running.run({"x": np.array(["abcdefgh"], object)})
    with pytest.raises(hexin.ResourceExhaustedError):
        running.run({"x": np.array(["a"], object)})


# name: (node, inputs, good feeds and sizes of y, bad feeds and words)
X = np.arange(12, dtype=np.float32).reshape(3, 4)
ONE_NUMBER = {
    "topk": (N("TopK", ["x", "n"], ["y", "z"], name="n0"), {"n": [2]}, (3, 2)),
    "onehot": (N("OneHot", ["i", "n", "v"], ["y"], name="n0"), {"n": [5]}, (3, 5)),
    "slice": (N("Slice", ["x", "n", "e", "a", "t"], ["y"], name="n0"), {"n": [1], "e": [3], "a": [1], "t": [1]}, (3, 2)),
    "nms": (N("NonMaxSuppression", ["b", "p", "n"], ["y"], name="n0"), {"n": [1]}, (1, 3)),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ONE_NUMBER)
def test_one_number_of_unknown_length(name, device, tmp_path):
    node, numbers, sizes = ONE_NUMBER[name]
    feeds = {"x": X, "i": np.arange(3), "v": np.array([0, 1], np.float32),
             "b": np.array([[[0, 0, 1, 1], [0, 0, 1, 1]]], np.float32), "p": np.ones((1, 1, 2), np.float32)}
    feeds = {key: value for key, value in feeds.items() if key in node.input}
    inputs = [info(key, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape) for key, value in feeds.items()]
    inputs += [info(key, I64, ["k"]) for key in numbers]
    running = session(model([node], inputs), tmp_path, device)
    numbers = {key: np.array(value) for key, value in numbers.items()}
    assert running.run({**feeds, **numbers})["y"].shape == sizes
    with pytest.raises(hexin.InvalidArgumentError, match="n0.*must be one number, got 2 of them"):
        running.run({**feeds, **{key: np.repeat(value, 2) for key, value in numbers.items()}})
    assert running.run({**feeds, **numbers})["y"].shape == sizes


D = info("x", F32, ["a", "b", "c", "d"])
MESSAGES = {
    "group": (N("GroupNormalization", ["x", "w", "w"], ["y"], name="n0", num_groups=3), [D, info("w", F32, ["b"])],
              {"x": np.ones((1, 4, 2, 2), np.float32), "w": np.ones(4, np.float32)}, "the number of channels is 4, expected a multiple of 3"),
    "depth": (N("DepthToSpace", ["x"], ["y"], name="n0", blocksize=3), [D],
              {"x": np.ones((1, 4, 2, 2), np.float32)}, "the number of channels is 4, expected a multiple of 9"),
    "space": (N("SpaceToDepth", ["x"], ["y"], name="n0", blocksize=3), [D],
              {"x": np.ones((1, 4, 2, 3), np.float32)}, "the height is 2, expected a multiple of 3"),
    "heads": (N("Attention", ["q", "q", "q"], ["y"], name="n0", q_num_heads=3, kv_num_heads=3), [info("q", F32, ["a", "b", "c"])],
              {"q": np.ones((1, 2, 4), np.float32)}, "last axis is 4, expected a multiple of 3"),
    "reshape": (N("Reshape", ["x", "s"], ["y"], name="n0"), [info("x", F32, [3, 4]), info("s", I64, [2])],
                {"x": X, "s": np.array([3, -4])}, "size #1 of the shape is -4, expected at least -1"),
    "split": (N("Split", ["x", "s"], ["y", "z"], name="n0"), [info("x", F32, [3, 4]), info("s", I64, [2])],
              {"x": X, "s": np.array([2**63 - 1, 3])}, "the size of part #0 is 9223372036854775807, expected 0 to 3"),
    "huge": (N("Expand", ["x", "s"], ["y"], name="n0"), [info("x", F32, [1]), info("s", I64, [2])],
             {"x": X.ravel()[:1], "s": np.array([2**40, 2**40])}, "n0.*the sizes of value .*overflow"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_errors_of_a_run_in_the_words_of_the_node(name, tmp_path):
    node, inputs, feeds, words = MESSAGES[name]
    running = session(model([node], inputs, opset=23), tmp_path)
    with pytest.raises(hexin.Error, match=words) as caught:
        running.run(feeds)
    assert "n0" in str(caught.value) and "hx." not in str(caught.value)


def test_a_block_that_is_too_large(tmp_path):
    node = N("DepthToSpace", ["x"], ["y"], blocksize=2**32)
    refused(model([node], [D]), hexin.CorruptDataError, "blocksize 4294967296: expected 1 to 32768", tmp_path)


def test_a_name_with_a_nul(tmp_path):
    outside = TensorProto(name="w", data_type=F32, dims=[3], data_location=TensorProto.EXTERNAL)
    outside.external_data.add(key="location", value="w.bin\0x")
    (tmp_path / "m.onnx").write_bytes(model([N("Add", ["x", "w"], ["y"])], constants=[outside]).SerializeToString())
    refused(tmp_path / "m.onnx", hexin.CorruptDataError, r"'w.bin\\0x' is not a path inside the model's folder", tmp_path)


def test_printed_programs_have_no_unknown_places(tmp_path):
    for form in ("import", "optimized", "placed", "kernels"):
        text = hexin.compile(model([N("Relu", ["x"], ["y"], name="a [unknown] one")]), emit=form, cpu_archs=["x86-64-v2"]).text
        assert text.replace('"a [unknown] one"', "").count("[unknown]") == 0 and "{" in text


@pytest.mark.parametrize("trips, go, again, words", [
    (F32, BOOL, BOOL, "the trip count M is tensor<f32>: expected one i64"), (I64, I64, BOOL, "the condition is tensor<i64>: expected one bool"),
    (I64, TensorProto.UINT2, BOOL, "the condition is .*expected one bool"), (I64, BOOL, F32, "the body's condition is tensor<f32>: expected one bool"),
    (I64, TEXT, BOOL, "the condition is .*expected one bool"),
])
def test_what_a_loop_hangs_on(trips, go, again, words, tmp_path):
    body = helper.make_graph([N("Cast", ["c"], ["c_out"], to=again), N("Identity", ["s"], ["s_out"])], "b",
                             [info("i", I64, []), info("c", BOOL, []), info("s", F32, [2, 3])],
                             [info("c_out", again, []), info("s_out", F32, [2, 3])])
    refused(model([N("Loop", ["m", "go", "x"], ["y"], body=body)], [info("m", trips, []), info("go", go, []), info("x", F32, [2, 3])]),
            hexin.CorruptDataError, words, tmp_path)


def test_an_empty_sequence_of_another_type(tmp_path):
    body = helper.make_graph([N("Identity", ["c"], ["c_out"]), N("SequenceInsert", ["s", "i"], ["s_out"])], "b",
                             [info("i", I64, []), info("c", BOOL, []), helper.make_tensor_sequence_value_info("s", I64, None)],
                             [info("c_out", BOOL, []), helper.make_tensor_sequence_value_info("s_out", I64, None)])
    nodes = [N("SequenceEmpty", [], ["e"], dtype=F32), N("Loop", ["m", "", "e"], ["y"], body=body)]
    refused(model(nodes, [info("m", I64, [])]), hexin.CorruptDataError,
            "carried value #0 is .*f32.* before an iteration and .*i64.* after it", tmp_path)


@pytest.mark.parametrize("kind", [F32, TEXT, TensorProto.UINT4])
def test_sizes_that_are_no_integers(kind, tmp_path):
    refused(model([N("Split", ["x", "parts"], ["y", "z"], axis=0)], [info("x", F32, [2, 3]), info("parts", kind, [2])], outputs=("y", "z")),
            hexin.Error, "'producing y' .Split.: input #1 is .*: expected a tensor of i64", tmp_path)
