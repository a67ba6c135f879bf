"""Control flow: bodies of a few nodes that read what is outside, too."""

import numpy as np
from onnx import TensorProto, helper

from operators.case import Bound, Case, element_type
from operators.registry import strategy

FLOAT = np.dtype(np.float32)


def port(name, kind=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


@strategy("If")
def if_(draw):
    shape = draw.shape(1, 3, least=1)
    kind = draw.pick([FLOAT, np.dtype(np.int64)])
    x, y = draw.values(shape, kind), draw.values(shape, kind)
    condition = np.array(bool(draw.int(0, 1)))
    number = element_type(kind)
    then = helper.make_graph([helper.make_node("Add", ["@1", "@2"], ["t"])], "then", [], [port("t", number, shape)])
    other = helper.make_graph([helper.make_node("Identity", ["@1"], ["e"])], "else", [], [port("e", number, shape)])
    return Case("If", [condition, x, y], {"then_branch": then, "else_branch": other}, captured=frozenset({1, 2}),
                constants=draw.constants(0), bound=Bound(1), reference=lambda c, x, y: x + y if c else x)


@strategy("Loop")
def loop(draw):
    """s ← s + x, m times or while s₀ stays below a limit; a copy of s per turn is stacked."""
    turns, limit, size = draw.int(0, 4), draw.pick([None, 2.5]), draw.int(1, 5)
    x = np.abs(draw.values((size,), FLOAT)) + np.float32(0.5)
    nodes = [helper.make_node("Add", ["s", "@3"], ["next"]), helper.make_node("Identity", ["next"], ["copy"])]
    if limit is None:
        nodes.append(helper.make_node("Identity", ["c"], ["go"]))
    else:
        nodes += [helper.make_node("ReduceMax", ["next"], ["most"], keepdims=0), helper.make_node("Less", ["most", "@4"], ["go"])]
    body = helper.make_graph(nodes, "body", [port("i", TensorProto.INT64, []), port("c", TensorProto.BOOL, []), port("s", shape=[size])],
                             [port("go", TensorProto.BOOL, []), port("next", shape=[size]), port("copy", shape=[size])])
    inputs = [np.array(turns, np.int64), np.array(True), np.zeros(size, np.float32), x] + ([] if limit is None else [np.array(limit, np.float32)])

    def reference(m, c, s, x, most=None):
        s, copies, go = s.astype(np.float64), [], True
        while go and len(copies) < m:
            s = s + x
            copies.append(s)
            go = most is None or s.max() < most
        return s, np.array(copies).reshape(len(copies), size)

    return Case("Loop", inputs, {"body": body}, 2, draw.constants(0), Bound(turns, turns, 20.0), captured=frozenset({3, 4} & set(range(len(inputs)))),
                reference=reference)


@strategy("Scan")
def scan(draw):
    """Running sums over the rows of x. Version 8 has a batch axis and an operand of lengths."""
    batch, length, size, attributes = draw.int(1, 2), draw.int(1, 4), draw.int(1, 4), {"num_scan_inputs": 1}
    body = helper.make_graph([helper.make_node("Add", ["s", "row"], ["next"]), helper.make_node("Identity", ["next"], ["out"])], "body",
                             [port("s", shape=[size]), port("row", shape=[size])], [port("next", shape=[size]), port("out", shape=[size])])
    attributes["body"] = body
    bound = Bound(1, length, 4.0 * length)
    if draw.since == 8:
        inputs = [None, draw.values((batch, size), FLOAT), draw.values((batch, length, size), FLOAT)]
        backwards = bool(draw.maybe(attributes, "directions", [draw.int(0, 1)]) == [1])

        def batched(_, s, x):
            y = s[:, None].astype(np.float64) + np.cumsum((x[:, ::-1] if backwards else x).astype(np.float64), 1)
            return y[:, -1], y

        return Case("Scan", inputs, attributes, 2, bound=bound, reference=batched)
    axis = draw.int(0, 1)
    if axis or draw.flag():
        attributes["scan_input_axes"] = [axis - 2 if draw.since >= 11 and draw.flag() else axis]
    backwards = draw.maybe(attributes, "scan_input_directions", [1])
    last_first = draw.maybe(attributes, "scan_output_directions", [1])
    x = draw.values((length, size) if axis == 0 else (size, length), FLOAT)

    def reference(s, x):
        rows = (x if axis == 0 else x.T)[::-1 if backwards else 1].astype(np.float64)
        y = s + np.cumsum(rows, 0)
        return y[-1], y[::-1 if last_first else 1]

    return Case("Scan", [draw.values((size,), FLOAT), x], attributes, 2, bound=bound, reference=reference)


@strategy("SequenceMap")
def sequence_map(draw):
    count, size = draw.int(1, 3), draw.int(1, 4)
    pieces = [draw.values((size,), FLOAT) for _ in range(count)]
    other = draw.values((size,), FLOAT)
    body = helper.make_graph([helper.make_node("Add", ["a", "b"], ["y"])], "body", [port("a", shape=[size]), port("b", shape=[size])],
                             [port("y", shape=[size])])
    return Case("SequenceMap", [pieces, other], {"body": body}, bound=Bound(1),
                reference=lambda pieces, other: [[p.astype(np.float64) + other for p in pieces]])
