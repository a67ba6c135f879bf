"""make_models.py FOLDER: writes the small models below, for the lit tests."""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

F32, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name, shape, dtype=F32):
    return helper.make_tensor_value_info(name, dtype, shape)


def ints(name, values):
    return onnx.numpy_helper.from_array(np.array(values, np.int64), name)


def floats(name, values):
    return onnx.numpy_helper.from_array(np.array(values, np.float32), name)


def model(nodes, inputs, outputs, initializers=(), opset=17, functions=(), opsets=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    imports = [helper.make_opsetid("", opset), *opsets]
    return helper.make_model(graph, ir_version=8, opset_imports=imports,
                             functions=list(functions))


def one(op, inputs, outputs=(("y", None),), initializers=(), opset=17, domain="", **attributes):
    """A model of one node "n"; initializers are inputs of it too."""
    names = [v.name for v in inputs] + [t.name for t in initializers]
    node = helper.make_node(op, names, [name for name, _ in outputs], name="n", domain=domain,
                            **attributes)
    opsets = [helper.make_opsetid(domain, 1)] if domain else []
    return model([node], inputs, [value(name, shape) for name, shape in outputs], initializers,
                 opset, opsets=opsets)


def if_model(then_nodes, else_nodes, shape, outputs=1, condition_shape=()):
    def branch(name, nodes):
        last = [value(f"{name}_{i}", None) for i in range(outputs)]
        return helper.make_graph(nodes, name, [], last)

    node = helper.make_node("If", ["c"], [f"y{i}" for i in range(outputs)], name="choice",
                            then_branch=branch("then", then_nodes),
                            else_branch=branch("else", else_nodes))
    return model([node], [value("c", condition_shape, BOOL), value("x", shape)],
                 [value(f"y{i}", None) for i in range(outputs)])


def squeeze_if_one():
    axes = helper.make_tensor("axes", I64, [1], [2])
    keep = helper.make_graph([helper.make_node("Identity", ["x"], ["kept"])], "keep", [],
                             [value("kept", None)])
    squeeze = helper.make_graph([helper.make_node("Squeeze", ["x", "axes"], ["cut"])], "squeeze",
                                [], [value("cut", None)], [axes])
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "two"], ["size"]),
        helper.make_node("Equal", ["size", "one"], ["c"]),
        helper.make_node("If", ["c"], ["y"], name="choice", then_branch=squeeze,
                         else_branch=keep),
    ]
    return model(nodes, [value("x", ["N", 8, "T"])], [value("y", None)],
                 [ints("two", 2), ints("one", 1)])


def local_function(recursive=False):
    if recursive:
        body = [helper.make_node("twice", ["a", "a"], ["b"], domain="local", name="inner")]
    else:
        body = [helper.make_node("Constant", [], ["k"]),
                helper.make_node("Mul", ["a", "k"], ["b"], name="inner")]
        body[0].attribute.append(onnx.AttributeProto(
            name="value_float", type=onnx.AttributeProto.FLOAT, ref_attr_name="factor"))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    function = helper.make_function("local", "twice", ["a", "unused"], ["b"], body, opsets,
                                    ["factor"])
    node = helper.make_node("twice", ["x"], ["y"], name="call", domain="local", factor=3.0)
    return model([node], [value("x", [4])], [value("y", None)], opset=13,
                 functions=[function], opsets=[helper.make_opsetid("local", 1)])


def reshape_of_shape():
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axis"], ["n1"]),
        helper.make_node("Concat", ["n1", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["y"], name="reshape"),
    ]
    return model(nodes, [value("x", ["N", 6, 4])], [value("y", None)],
                 [ints("zero", 0), ints("axis", [0]), ints("rest", [-1, 8])])


def many_weights():
    big = np.arange(128 * 256, dtype=np.float32).reshape(128, 256)
    nodes = [
        helper.make_node("Identity", ["w"], ["alias"]),
        helper.make_node("MatMul", ["x", "alias"], ["h"], name="first"),
        helper.make_node("MatMul", ["x", "copy"], ["g"], name="second"),
        helper.make_node("Add", ["h", "g"], ["s"], name="sum"),
        helper.make_node("Add", ["s", "small"], ["y"], name="bias"),
    ]
    made = model(nodes, [value("x", [1, 128]), value("w", [128, 256])], [value("y", None)],
                 [onnx.numpy_helper.from_array(big, "w"),
                  onnx.numpy_helper.from_array(big, "copy"),
                  floats("small", [0.5])])
    return made


MODELS = {
    "slice-static": lambda: one("Slice", [value("x", [8, 5])], initializers=[
        ints("starts", [-3, 4]), ints("ends", [2**63 - 1, -(2**63)]), ints("axes", [0, -1]),
        ints("steps", [1, -2])]),
    "slice-dynamic": lambda: one("Slice", [value("x", ["N", 4])], initializers=[
        ints("starts", [1]), ints("ends", [2**31 - 1]), ints("axes", [0])]),
    "slice-whole": lambda: one("Slice", [value("x", ["N", 4])], initializers=[
        ints("starts", [0]), ints("ends", [2**63 - 1]), ints("axes", [0])]),
    "reshape-zero": lambda: one("Reshape", [value("x", ["N", 6, 4])],
                                initializers=[ints("shape", [0, -1])]),
    "reshape-run-time": lambda: one("Reshape", [value("x", [2, 6]), value("s", [2], I64)]),
    "reshape-of-shape": reshape_of_shape,
    "expand-two-way": lambda: one("Expand", [value("x", ["N", 1, 4])],
                                  initializers=[ints("shape", [3, 1])]),
    "split-uneven": lambda: one("Split", [value("x", [7, 2])], [("a", None), ("b", None)],
                                opset=18, num_outputs=2),
    "split-old-uneven": lambda: one("Split", [value("x", [7, 2])], [("a", None), ("b", None)],
                                    opset=13),
    "pad-negative": lambda: one("Pad", [value("x", [4, 6])],
                                initializers=[ints("pads", [0, -1, 2, -2])]),
    "add-opset6": lambda: one("Add", [value("x", [2, 3, 4]), value("b", [3])], opset=6,
                              broadcast=1, axis=1),
    "clip-one-bound": lambda: one("Clip", [value("x", [4])], initializers=[floats("low", 0)]),
    "softmax-coerced": lambda: one("Softmax", [value("x", [2, 3, 4])], opset=11, axis=1),
    "reduce-mean": lambda: one("ReduceMean", [value("x", ["N", 6])], axes=[-1], keepdims=0),
    "reduce-mean-dynamic": lambda: one("ReduceMean", [value("x", ["N", 6])], axes=[0]),
    "matmul-vector": lambda: one("MatMul", [value("x", [3, 4]), value("v", [4])]),
    "gemm": lambda: one("Gemm", [value("a", [4, 2]), value("b", [3, 4]), value("c", [3])],
                        transA=1, transB=1, alpha=2.0),
    "range-floats": lambda: one("Range", [], initializers=[
        floats("start", 1), floats("limit", 2), floats("delta", 0.25)]),
    "nonzero": lambda: one("NonZero", [value("x", ["N", 3])]),
    "resize-scales": lambda: one("Resize", [value("x", ["N", 3, "H", 5])], initializers=[
        floats("roi", []), floats("scales", [1, 1, 2, 1.5])], mode="linear"),
    "topk": lambda: one("TopK", [value("x", ["N", 9])], [("values", None), ("indices", None)],
                        initializers=[ints("k", [3])]),
    "conv-same": lambda: one("Conv", [value("x", [1, 3, "H", 9]), value("w", [8, 3, 3, 3])],
                             auto_pad="SAME_LOWER", strides=[2, 2]),
    "lstm-batch-first": lambda: one("LSTM", [
        value("x", ["B", "T", 4]), value("w", [1, 12, 4]), value("r", [1, 12, 3])],
        [("y", None), ("h", None)], layout=1, hidden_size=3),
    "unknown-op": lambda: one("FrobnicateTensor", [value("x", [1])]),
    "unknown-domain": lambda: one("Magic", [value("x", [1])], domain="org.acme"),
    "too-old": lambda: one("Relu", [value("x", [1])], opset=5),
    "missing-input": lambda: one("MatMul", [value("x", [1])]),
    "undefined-name": lambda: model([helper.make_node("Relu", ["nowhere"], ["y"], name="n")],
                                    [value("x", [1])], [value("y", None)]),
    "same-name-twice": lambda: model([helper.make_node("Relu", ["x"], ["y"], name="a"),
                                      helper.make_node("Abs", ["x"], ["y"], name="b")],
                                     [value("x", [1])], [value("y", None)]),
    "wrong-attribute": lambda: one("Concat", [value("x", [1])], axis=1.5),
    "wrong-types": lambda: one("Add", [value("x", [1]), value("i", [1], I64)]),
    "bad-axis": lambda: one("Concat", [value("x", [1, 2])], axis=5),
    "bad-groups": lambda: one("Conv", [value("x", [1, 4, 8]), value("w", [6, 1, 3])], group=3),
    "high-rank-input": lambda: one("Relu", [value("x", [1] * 33)]),
    "high-rank-node": lambda: one("Unsqueeze", [value("x", [1] * 32)],
                                  initializers=[ints("axes", [0])]),
    "repeated-output": lambda: model([helper.make_node("Relu", ["x"], ["y"], name="n")],
                                     [value("x", [2])], [value("y", None), value("y", None)]),
    "no-outputs": lambda: model([helper.make_node("Relu", ["x"], ["y"], name="n")],
                                [value("x", [2])], []),
    "negative-size": lambda: one("Relu", [value("x", [3, -2])]),
    "huge-fill": lambda: one("ConstantOfShape", [], initializers=[ints("s", [10 ** 6, 10 ** 6])]),
    "empty-fill": lambda: one("ConstantOfShape", [], initializers=[ints("s", [10 ** 12, 0])]),
    "no-rank": lambda: one("Relu", [value("x", None)]),
    "dynamic": lambda: model([helper.make_node("Add", ["a", "b"], ["y"], name="n")],
                             [value("a", ["N", "?"]), value("b", ["N", "?"])],
                             [value("y", None)]),
    "if": lambda: if_model([helper.make_node("Relu", ["x"], ["then_0"], name="relu")],
                           [helper.make_node("Neg", ["x"], ["else_0"], name="neg")], ["N", 4]),
    "if-contradiction": lambda: if_model(
        [helper.make_node("Relu", ["x"], ["then_0"], name="relu")],
        [helper.make_node("MatMul", ["x", "x"], ["else_0"], name="square")], [3, 4]),
    "if-ranks": lambda: if_model(
        [helper.make_node("ReduceSum", ["x"], ["then_0"], name="sum", keepdims=0)],
        [helper.make_node("Neg", ["x"], ["else_0"], name="neg")], ["N", 4]),
    "if-unsupported": lambda: if_model(
        [helper.make_node("Relu", ["x"], ["then_0"], name="relu")],
        [helper.make_node("FrobnicateTensor", ["x"], ["else_0"], name="f")], [3, 4]),
    "squeeze-if-one": squeeze_if_one,
    "function": local_function,
    "recursive-function": lambda: local_function(recursive=True),
    "weights": many_weights,
    "fused-matmul": lambda: one("FusedMatMul", [value("a", [2, 4, 3]), value("b", [2, 4, 5])],
                                domain="com.microsoft", transA=1, alpha=0.5),
}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in MODELS.items():
        onnx.save(make(), folder / f"{name}.onnx")
