"""Models of a few nodes, for tests of the surfaces rather than of operators."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
BIAS = np.array([10, 20], np.float32)
METADATA = {"characters": "a\nb\n合", "empty": ""}


def _model(nodes, inputs, outputs, initializers=(), *, opset=17, name="small"):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model


def _value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def affine() -> onnx.ModelProto:
    """y[N, 2] = x[N, 3] · WEIGHTS + BIAS, with metadata and doc strings."""
    model = _model(
        [
            helper.make_node("MatMul", ["x", "w"], ["xw"], name="product"),
            helper.make_node("Add", ["xw", "b"], ["y"], name="sum"),
        ],
        [_value("x", ["N", 3])],
        [_value("y", ["N", 2])],
        [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(BIAS, "b")],
        name="affine",
    )
    model.doc_string = "a small model"
    for key, value in METADATA.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    return model


def accumulate() -> onnx.ModelProto:
    """total_out = total_in + x; y = 2 · total_out, all [2]."""
    return _model(
        [
            helper.make_node("Add", ["total_in", "x"], ["total_out"]),
            helper.make_node("Mul", ["total_out", "two"], ["y"]),
        ],
        [_value("x", [2]), _value("total_in", [2])],
        [_value("y", [2]), _value("total_out", [2])],
        [numpy_helper.from_array(np.array([2, 2], np.float32), "two")],
    )


def add_rows() -> onnx.ModelProto:
    """c = a + b, both [rows, 4]: one symbol in two inputs. Names are unsafe."""
    return _model(
        [helper.make_node("Add", ["in/a:0", "in/b:0"], ["out/c:0"])],
        [_value("in/a:0", ["rows", 4]), _value("in/b:0", ["rows", 4])],
        [_value("out/c:0", ["rows", 4])],
    )


def double(dtype: int) -> onnx.ModelProto:
    """y[4] = x[4] + x[4] of an ONNX element type."""
    return _model(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        [_value("x", [4], dtype)],
        [_value("y", [4], dtype)],
    )


def unknown_op() -> onnx.ModelProto:
    model = _model(
        [helper.make_node("Frobnicate", ["x"], ["y"], name="strange", domain="com.example")],
        [_value("x", [2])],
        [_value("y", [2])],
    )
    model.opset_import.append(helper.make_opsetid("com.example", 3))
    return model


def cyclic() -> onnx.ModelProto:
    return _model(
        [
            helper.make_node("Add", ["x", "b"], ["a"]),
            helper.make_node("Add", ["x", "a"], ["b"]),
        ],
        [_value("x", [2])],
        [_value("b", [2])],
    )


def huge_initializer() -> onnx.ModelProto:
    """A weight whose dims promise far more than its bytes hold."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 40, 1 << 40])
    weight.raw_data = b"1234"
    return _model([helper.make_node("Add", ["x", "w"], ["y"])], [_value("x", [2])], [_value("y", [2])], [weight])


def external_weight(location: str) -> onnx.ModelProto:
    """y[2] = x[2] + w[2], with w in another file."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2])
    weight.data_location = TensorProto.EXTERNAL
    entry = weight.external_data.add()
    entry.key, entry.value = "location", location
    return _model([helper.make_node("Add", ["x", "w"], ["y"])], [_value("x", [2])], [_value("y", [2])], [weight])


class RawModel:
    """Bytes that protobuf itself would refuse to build."""

    def __init__(self, contents: bytes) -> None:
        self.contents = contents

    def SerializeToString(self) -> bytes:
        return self.contents


def _field(number: int, payload: bytes | int) -> bytes:
    """One protobuf field: a varint, or length and bytes."""

    def varint(value: int) -> bytes:
        parts = bytearray()
        while value >= 0x80:
            parts.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes(parts + bytes([value]))

    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def nested_ifs(depth: int) -> RawModel:
    """An If inside an If inside …, deeper than protobuf's own limit when asked."""

    def graph(node: bytes, output: str) -> bytes:
        return _field(1, node) + _field(2, b"g") + _field(12, _value(output, [2]).SerializeToString())

    def branch(name: bytes, body: bytes) -> bytes:
        return _field(5, _field(1, name) + _field(6, body) + _field(20, 5))

    leaf = helper.make_node("Identity", ["x"], ["r"]).SerializeToString()
    node = leaf
    for _ in range(depth):
        branches = branch(b"then_branch", graph(node, "r")) + branch(b"else_branch", graph(leaf, "r"))
        node = helper.make_node("If", ["c"], ["r"]).SerializeToString() + branches
    inputs = [_value("x", [2]), _value("c", [], TensorProto.BOOL)]
    main = graph(node, "r") + b"".join(_field(11, value.SerializeToString()) for value in inputs)
    opset = helper.make_opsetid("", 17).SerializeToString()
    return RawModel(_field(1, 8) + _field(8, opset) + _field(7, main))


def two_products() -> onnx.ModelProto:
    """h[N, 2] = x[N, 3] · WEIGHTS; y[N, 3] = h · WEIGHTSᵀ: a value between two kernels."""
    return _model(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"], name="first"),
            helper.make_node("MatMul", ["h", "v"], ["y"], name="second"),
        ],
        [_value("x", ["N", 3])],
        [_value("y", ["N", 3])],
        [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(WEIGHTS.T.copy(), "v")],
    )


def double_f32() -> onnx.ModelProto:
    return double(TensorProto.FLOAT)


def apart() -> onnx.ModelProto:
    """Negated inputs: a [p, 4], b [p, q], c [?, q], d [8]."""
    shapes = {"a": ["p", 4], "b": ["p", "q"], "c": [None, "q"], "d": [8]}
    return _model([helper.make_node("Neg", [name], ["-" + name]) for name in shapes],
                  [_value(name, shape) for name, shape in shapes.items()],
                  [_value("-" + name, shape) for name, shape in shapes.items()])


def recurrent() -> onnx.ModelProto:
    """An LSTM over x [T, N, 3]; its state h, c [1, ?, 2] says nothing of its batch."""
    rng = np.random.default_rng(0)
    weights = [numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)
               for name, shape in (("w", (1, 8, 3)), ("r", (1, 8, 2)), ("b", (1, 16)))]
    return _model(
        [helper.make_node("LSTM", ["x", "w", "r", "b", "", "h", "c"], ["y", "h_out", "c_out"], name="lstm",
                          hidden_size=2)],
        [_value("x", ["T", "N", 3]), _value("h", [1, None, 2]), _value("c", [1, None, 2])],
        [_value("y", None), _value("h_out", [1, None, 2]), _value("c_out", [1, None, 2])],
        weights,
    )


def growing() -> onnx.ModelProto:
    """all [?, 2] = past [?, 2] then x [N, 2]: a cache; last [?, 2] is given back as it is."""
    return _model(
        [helper.make_node("Concat", ["past", "x"], ["all"], axis=0),
         helper.make_node("Identity", ["last"], ["last_out"]), helper.make_node("Abs", ["all"], ["y"])],
        [_value("x", ["N", 2]), _value("past", [None, 2]), _value("last", [None, 2])],
        [_value("y", None), _value("all", [None, 2]), _value("last_out", [None, 2])],
    )
