"""hx.if end to end: a plan takes one branch, decided by sizes and contents of inputs."""

import hexin
import numpy
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

F32, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name, dtype=F32, shape=None):
    return helper.make_tensor_value_info(name, dtype, shape)


def ints(name, values, shape=None):
    shape = [len(values)] if shape is None else shape
    return helper.make_node("Constant", [], [name], value=helper.make_tensor(name, I64, shape, values))


def branch(nodes, *outputs):
    """A subgraph without inputs: it reads the names around it."""
    return helper.make_graph(nodes, "branch_of_" + outputs[0], [], [value(name) for name in outputs])


def choose(condition, outputs, then_branch, else_branch, name="choose"):
    return helper.make_node("If", [condition], outputs, name=name, then_branch=then_branch, else_branch=else_branch)


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], name=output, **attributes)


def model(nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(nodes, "test", inputs, outputs, list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class Both:
    """The model in Hexin, one session for all runs, and in ONNX Runtime."""

    def __init__(self, made, folder, device="cpu"):
        source, artifact = folder / "model.onnx", folder / "model.hxm"
        onnx.save(made, source)
        hexin.compile(str(source), str(artifact), targets=["cpu"])
        self.session = hexin.Session(str(artifact), device=device)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.reference = onnxruntime.InferenceSession(made.SerializeToString(), options)

    def check(self, **inputs):
        outputs = self.session.run(inputs)
        for port, expected in zip(self.reference.get_outputs(), self.reference.run(None, inputs)):
            assert outputs[port.name].shape == expected.shape
            numpy.testing.assert_allclose(outputs[port.name], expected, rtol=1e-5, atol=1e-6)


def array(*shape):
    return numpy.random.default_rng(7).standard_normal(shape, dtype=numpy.float32)


def size_of(source, axis, name):
    return [node("Shape", [source], name + "_shape"), ints(name + "_axis", [axis], []),
            node("Gather", [name + "_shape", name + "_axis"], name)]


def test_condition_over_contents_of_an_input(tmp_path):
    made = model([
        ints("k", [16000], []), node("Equal", ["sr", "k"], "is16"),
        choose("is16", ["y"], branch([node("Exp", ["x"], "a")], "a"),
               branch([node("Concat", ["x", "x"], "b", axis=0)], "b")),
        node("Relu", ["y"], "z"),
    ], [value("x", F32, ["n", 3]), value("sr", I64, [])], [value("z")])
    both = Both(made, tmp_path)
    for rate in (16000, 8000, 16000):
        for n in (1, 5):
            both.check(x=array(n, 3), sr=numpy.array(rate))


def test_condition_over_a_bool_input(tmp_path):
    made = model([choose("flag", ["y"], branch([node("Neg", ["x"], "a")], "a"),
                         branch([node("Identity", ["x"], "b")], "b"))],
                 [value("x", F32, ["n"]), value("flag", BOOL, [1])], [value("y")])
    both = Both(made, tmp_path)
    for flag in (True, False):
        both.check(x=array(9), flag=numpy.array([flag]))


def test_condition_over_a_size_of_what_is_computed(tmp_path):
    made = model([
        node("Exp", ["x"], "e"), *size_of("e", 0, "n"), ints("few", [4], []), node("Less", ["n", "few"], "small"),
        choose("small", ["y"], branch([node("Concat", ["e", "e"], "a", axis=0)], "a"),
               branch([node("Sqrt", ["e"], "b")], "b")),
    ], [value("x", F32, ["n", 5])], [value("y")])
    both = Both(made, tmp_path)
    for n in (3, 4, 1, 64):
        both.check(x=array(n, 5))


def test_nested_and_asked_again_later(tmp_path):
    inner = choose("long", ["p"], branch([node("Tanh", ["x"], "p1")], "p1"),
                   branch([node("Abs", ["x"], "p2"), node("Add", ["p2", "p2"], "p3")], "p3"), "inner")
    made = model([
        ints("k", [16000], []), node("Equal", ["sr", "k"], "is16"),
        *size_of("x", 0, "n"), ints("limit", [6], []), node("Greater", ["n", "limit"], "long"),
        choose("is16", ["y", "w"], branch([inner, node("Neg", ["x"], "q")], "p", "q"),
               branch([node("Floor", ["x"], "r"), node("Concat", ["x", "r"], "s", axis=0)], "s", "r"), "outer"),
        choose("is16", ["z"], branch([node("Mul", ["y", "w"], "m")], "m"),
               branch([node("Relu", ["y"], "m2")], "m2"), "again"),
        node("Add", ["z", "z"], "out"),
    ], [value("x", F32, ["n", 2]), value("sr", I64, [])], [value("out"), value("w")])
    both = Both(made, tmp_path)
    for rate in (16000, 8000):
        for n in (3, 7, 6):
            both.check(x=array(n, 2), sr=numpy.array(rate))


def test_what_a_branch_requires_binds_only_runs_that_take_it(tmp_path):
    # The then branch has a convolution of three taps, and rows of n // 4 columns.
    made = model([
        *size_of("x", 2, "n"), ints("four", [4], []), node("GreaterOrEqual", ["n", "four"], "enough"),
        choose("enough", ["y"],
               branch([node("Conv", ["x", "taps"], "c", kernel_shape=[3], pads=[0, 2]),
                       node("Div", ["n", "four"], "columns"), ints("axis0", [0]), ints("rows", [2, -1]),
                       node("Unsqueeze", ["columns", "axis0"], "last"),
                       node("Concat", ["rows", "last"], "shape", axis=0),
                       node("Reshape", ["c", "shape"], "a")], "a"),
               branch([node("Identity", ["x"], "b")], "b")),
    ], [value("x", F32, [1, 2, "n"])], [value("y")],
        [helper.make_tensor("taps", F32, [2, 2, 3], array(2, 2, 3).ravel())])
    both = Both(made, tmp_path)
    for n in (8, 1, 2, 4, 12):
        both.check(x=array(1, 2, n))
    with pytest.raises(hexin.InvalidArgumentError):
        both.session.run({"x": array(1, 2, 11)})


def test_both_branches_run_real_kernels(tmp_path):
    weights = [helper.make_tensor("small", F32, [4, 6], array(4, 6).ravel()),
               helper.make_tensor("large", F32, [4, 6], array(6, 4).ravel())]
    made = model([
        ints("one", [1], []), node("Equal", ["mode", "one"], "first"),
        node("Softmax", ["x"], "p", axis=-1),
        choose("first", ["y"], branch([node("MatMul", ["p", "small"], "a")], "a"),
               branch([node("MatMul", ["x", "large"], "t"), node("ReduceMax", ["t"], "m", axes=[-1], keepdims=1),
                       node("Sub", ["t", "m"], "b")], "b")),
        node("ReduceSum", ["y"], "sum", keepdims=0),
    ], [value("x", F32, ["n", 4]), value("mode", I64, [])], [value("y"), value("sum")], weights)
    both = Both(made, tmp_path)
    for mode in (1, 2):
        for n in (1, 17):
            both.check(x=array(n, 4), mode=numpy.array(mode))


def test_convolution_at_unknown_batch_and_length(tmp_path):
    # That the window fits is known inside of its branch only.
    taps = [helper.make_tensor("wide", F32, [4, 2, 5], array(4, 2, 5).ravel()),
            helper.make_tensor("narrow", F32, [4, 2, 2], array(4, 2, 2).ravel())]
    made = model([
        ints("k", [16000], []), node("Equal", ["sr", "k"], "is16"),
        choose("is16", ["y"], branch([node("Conv", ["x", "wide"], "a", strides=[2])], "a"),
               branch([node("Conv", ["x", "narrow"], "b")], "b")),
        node("Relu", ["y"], "z"),
    ], [value("x", F32, ["batch", 2, "length"]), value("sr", I64, [])], [value("z")], taps)
    both = Both(made, tmp_path)
    for rate in (16000, 8000):
        for batch, length in ((1, 5), (3, 12)):
            both.check(x=array(batch, 2, length), sr=numpy.array(rate))
    both.check(x=array(1, 2, 3), sr=numpy.array(8000))
    with pytest.raises(hexin.InvalidArgumentError, match="window"):
        both.session.run({"x": array(1, 2, 3), "sr": numpy.array(16000)})


def test_branches_that_hand_on_inputs_constants_and_sizes(tmp_path):
    made = model([
        choose("flag", ["y", "k", "s"],
               branch([node("Identity", ["x"], "a"), ints("k1", [1, 2, 3]), node("Shape", ["x"], "s1")],
                      "a", "k1", "s1"),
               branch([node("Identity", ["w"], "b"), ints("k2", [4, 5]),
                       node("Shape", ["w"], "s2")], "b", "k2", "s2")),
    ], [value("x", F32, ["n", 2]), value("flag", BOOL, [])],
        [value("y"), value("k", I64), value("s", I64)], [helper.make_tensor("w", F32, [3, 2], array(3, 2).ravel())])
    for info in [n for n in made.graph.node if n.op_type == "If"]:
        for attribute in info.attribute:
            for output in attribute.g.output[1:]:
                output.type.tensor_type.elem_type = I64
    both = Both(made, tmp_path)
    for flag in (True, False):
        both.check(x=array(5, 2), flag=numpy.array(flag))


def test_shape_value_read_in_both_branches_and_after(tmp_path):
    made = model([
        node("Shape", ["x"], "shape"), node("Cast", ["shape"], "dims", to=F32),
        choose("flag", ["y"], branch([node("Add", ["x", "dims"], "a")], "a"),
               branch([node("Sub", ["x", "dims"], "b")], "b")),
        node("Mul", ["y", "dims"], "z"),
    ], [value("x", F32, ["n", 2]), value("flag", BOOL, [])], [value("z")])
    both = Both(made, tmp_path)
    for flag in (True, False, True):
        both.check(x=array(3, 2), flag=numpy.array(flag))
