"""The lines of problems.txt as models: one list for the tests and for bench/kernels.py."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LIST = Path(__file__).with_name("problems.txt")


@dataclass(frozen=True)
class Problem:
    kind: str
    sizes: tuple[tuple[str, int], ...]

    @property
    def name(self) -> str:
        return " ".join([self.kind, *(f"{key}={value}" for key, value in self.sizes)])

    def __getattr__(self, key: str) -> int:
        try:
            return dict(self.sizes)[key]
        except KeyError:
            raise AttributeError(f"problem '{self.name}' has no size '{key}'") from None

    def get(self, key: str, default: int) -> int:
        return dict(self.sizes).get(key, default)


def parse(text: str) -> list[Problem]:
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        kind, *sizes = line.split("#")[0].split() or [""]
        if not kind:
            continue
        if kind not in MODELS:
            raise ValueError(f"line {number}: no problem '{kind}'; expected one of {', '.join(MODELS)}")
        pairs = [size.partition("=") for size in sizes]
        problems.append(Problem(kind, tuple((key, int(value)) for key, _, value in pairs)))
    return problems


def problems() -> list[Problem]:
    return parse(LIST.read_text())


class _Graph:
    """Nodes from one input `x` to one output `y`, with constants of about the scale of trained ones."""

    def __init__(self, problem: Problem, input_dims: list[int]) -> None:
        self._random = np.random.default_rng(0)
        self._problem, self._nodes, self._constants = problem, [], []
        self._inputs = {"x": input_dims}

    def input(self, name: str, dims: list[int]) -> str:
        self._inputs[name] = dims
        return name

    def constant(self, *dims: int, fan_in: int = 1) -> str:
        name = f"w{len(self._constants)}"
        values = (self._random.standard_normal(dims) / np.sqrt(fan_in)).astype(np.float32)
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes) -> str:
        self._nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def model(self) -> onnx.ModelProto:
        ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in self._inputs.items()]
        graph = helper.make_graph(self._nodes, self._problem.name, ports,
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def _conv(p: Problem) -> _Graph:
    graph, groups = _Graph(p, [p.n, p.h, p.w, p.c]), p.get("groups", 1)
    graph.node("Transpose", ["x"], "nchw", perm=[0, 3, 1, 2])  # these two cancel against our layout
    weights = graph.constant(p.m, p.c // groups, p.k, p.k, fan_in=p.c // groups * p.k * p.k)
    graph.node("Conv", ["nchw", weights, graph.constant(p.m)], "sums", pads=[p.pad] * 4, strides=[p.stride] * 2,
               group=groups)
    graph.node("Relu", ["sums"], "positive")
    graph.node("Transpose", ["positive"], "y", perm=[0, 2, 3, 1])
    return graph


def _matmul(p: Problem) -> _Graph:
    batch = p.get("batch", 0)
    graph = _Graph(p, [batch, p.rows, p.depth] if batch else [p.rows, p.depth])
    right = graph.input("z", [batch, p.depth, p.columns]) if batch else graph.constant(p.depth, p.columns,
                                                                                       fan_in=p.depth)
    graph.node("MatMul", ["x", right], "y")
    return graph


def _softmax(p: Problem) -> _Graph:
    graph = _Graph(p, [p.rows, p.columns])
    graph.node("Softmax", ["x"], "y", axis=-1)
    return graph


def _layernorm(p: Problem) -> _Graph:
    graph = _Graph(p, [p.rows, p.columns])
    graph.node("LayerNormalization", ["x", graph.constant(p.columns), graph.constant(p.columns)], "y")
    return graph


def _lstm(p: Problem) -> _Graph:
    graph = _Graph(p, [p.steps, 1, p.inputs])
    weights = graph.constant(1, 4 * p.hidden, p.inputs, fan_in=p.inputs)
    graph.node("LSTM", ["x", weights, graph.constant(1, 4 * p.hidden, p.hidden, fan_in=p.hidden),
                        graph.constant(1, 8 * p.hidden)], "y", hidden_size=p.hidden)
    return graph


def _gru(p: Problem) -> _Graph:
    graph = _Graph(p, [p.steps, 1, p.inputs])
    weights = graph.constant(1, 3 * p.hidden, p.inputs, fan_in=p.inputs)
    graph.node("GRU", ["x", weights, graph.constant(1, 3 * p.hidden, p.hidden, fan_in=p.hidden),
                       graph.constant(1, 6 * p.hidden)], "y", hidden_size=p.hidden, linear_before_reset=1)
    return graph


def _attention(p: Problem) -> _Graph:
    graph = _Graph(p, [p.heads, p.queries, p.features])
    graph.node("Transpose", [graph.input("z", [p.heads, p.keys, p.features])], "columns", perm=[0, 2, 1])
    graph.node("MatMul", ["x", "columns"], "scores")
    graph.node("Mul", ["scores", graph.constant(1, fan_in=p.features)], "scaled")
    graph.node("Softmax", ["scaled"], "weights", axis=-1)
    graph.node("MatMul", ["weights", graph.input("v", [p.heads, p.keys, p.features])], "y")
    return graph


def _gelu(p: Problem) -> _Graph:
    graph = _Graph(p, [p.rows, p.columns])
    graph.node("Add", ["x", graph.constant(p.columns)], "sum")
    graph.node("Gelu", ["sum"], "y")
    return graph


def _reduce(p: Problem) -> _Graph:
    graph = _Graph(p, [p.rows, p.columns])
    graph.node("Constant", [], "axis", value_ints=[p.axis])
    graph.node("ReduceSum", ["x", "axis"], "y", keepdims=0)
    return graph


def _transpose(p: Problem) -> _Graph:
    graph = _Graph(p, [p.batch, p.rows, p.columns])
    graph.node("Transpose", ["x"], "y", perm=[0, 2, 1])
    return graph


MODELS = {"conv": _conv, "matmul": _matmul, "softmax": _softmax, "layernorm": _layernorm, "lstm": _lstm,
          "gru": _gru, "attention": _attention, "gelu": _gelu, "reduce": _reduce, "transpose": _transpose}


def model_of(problem: Problem) -> onnx.ModelProto:
    return MODELS[problem.kind](problem).model()


def inputs_of(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    return {port.name: random.standard_normal([dim.dim_value for dim in port.type.tensor_type.shape.dim]).astype(
        np.float32) for port in model.graph.input}
