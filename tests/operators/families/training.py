"""Steps of optimisers, and attention with graphs inside."""

import numpy as np
from onnx import TensorProto, helper

from operators.case import Bound, Case
from operators.registry import TRAINING, strategy

FLOAT = np.dtype(np.float32)


def f32(value):
    return float(np.float32(value))


def operands(draw, states):
    rate, step, count = np.array(0.5, np.float32), np.array(draw.int(0, 3), np.int64), draw.int(1, 2)
    shapes = [draw.shape(1, 2) for _ in range(count)]
    tensors = [draw.values(s, FLOAT, 0.1 if group > 1 else -2, 2) for group in range(2 + states) for s in shapes]
    return [rate, step, *tensors], count


@strategy("Adagrad", domain=TRAINING)
def adagrad(draw):
    attributes, (inputs, n) = {}, operands(draw, 1)
    decay, epsilon, norm = (draw.maybe(attributes, k, v) or d for k, v, d in (
        ("decay_factor", 0.5, 0.0), ("epsilon", 0.125, f32(1e-6)), ("norm_coefficient", 0.25, f32(0.0))))

    def reference(r, t, *v):
        x, g, h = (v[i * n:i * n + n] for i in range(3))
        x, g, h = ([a.astype(np.float64) for a in group] for group in (x, g, h))
        g = [norm * a + b for a, b in zip(x, g)]
        h = [a + b * b for a, b in zip(h, g)]
        rate = float(r) / (1 + int(t) * decay)
        return (*(a - rate * b / (np.sqrt(c) + epsilon) for a, b, c in zip(x, g, h)), *h)

    return Case(draw.op, inputs, attributes, 2 * n, bound=Bound(12, 24, 4.0), reference=reference)


@strategy("Momentum", domain=TRAINING)
def momentum(draw):
    alpha, beta, norm, mode = 0.75, 0.5, draw.pick([0.0, 0.25]), draw.pick(["standard", "nesterov"])
    inputs, n = operands(draw, 1)

    def reference(r, t, *v):
        x, g, m = ([a.astype(np.float64) for a in v[i * n:i * n + n]] for i in range(3))
        g = [norm * a + b for a, b in zip(x, g)]
        adjusted = beta if int(t) > 0 else 1
        m = [alpha * a + adjusted * b for a, b in zip(m, g)]
        step = m if mode == "standard" else [b + alpha * a for a, b in zip(m, g)]
        return (*(a - float(r) * b for a, b in zip(x, step)), *m)

    return Case(draw.op, inputs, {"alpha": alpha, "beta": beta, "norm_coefficient": norm, "mode": mode}, 2 * n,
                bound=Bound(4, 12, 8.0), reference=reference)


@strategy("Adam", domain=TRAINING)
def adam(draw):
    alpha, beta, epsilon, norm, after = 0.5, 0.75, 0.125, draw.pick([0.0, 0.25]), draw.pick([0.0, 0.25])
    inputs, n = operands(draw, 2)

    def reference(r, t, *v):
        x, g, m, h = ([a.astype(np.float64) for a in v[i * n:i * n + n]] for i in range(4))
        g = [norm * a + b for a, b in zip(x, g)]
        m = [alpha * a + (1 - alpha) * b for a, b in zip(m, g)]
        h = [beta * a + (1 - beta) * b * b for a, b in zip(h, g)]
        t = int(t)
        rate = float(r) * np.sqrt(1 - beta**t) / (1 - alpha**t) if t > 0 else float(r)
        x = [(a - rate * b / (np.sqrt(c) + epsilon)) * (1 - after) for a, b, c in zip(x, m, h)]
        return (*x, *m, *h)

    return Case(draw.op, inputs, {"alpha": alpha, "beta": beta, "epsilon": epsilon, "norm_coefficient": norm, "norm_coefficient_post": after},
                3 * n, bound=Bound(16, 32, 8.0), reference=reference)


@strategy("FlexAttention", domain="ai.onnx.preview")
def flex_attention(draw):
    batch, heads, queries, keys, size = draw.dim(1, 2), draw.int(1, 2), draw.dim(1, 4), draw.dim(1, 4), draw.pick([2, 4])
    q, k, v = (draw.values((batch, heads, n, size), FLOAT, -1, 1) for n in (queries, keys, keys))
    attributes = {}
    scale = draw.maybe(attributes, "scale", 0.5) or 1 / np.sqrt(size)
    doubled = draw.flag()
    if doubled:
        shape = [None] * 4
        port = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
        attributes["score_mod"] = helper.make_graph([helper.make_node("Add", ["s", "s"], ["y"])], "double", [port("s")], [port("y")])

    def reference(q, k, v):
        scores = q.astype(np.float64) @ k.astype(np.float64).swapaxes(2, 3) * scale * (2 if doubled else 1)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True) @ v

    return Case(draw.op, [q, k, v], attributes, bound=Bound(8, 8 * (size + keys) + 40, 2.0), reference=reference)
