"""Recurrent layers, by the formulas of the schema in f64.

Bound: what one step rounds (its products of depth D + H and its gates), times the steps: gates
have slopes of at most one, and states stay within one."""

import numpy as np

from operators.case import Bound, Case
from operators.registry import strategy

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


@strategy("RNN", "GRU", "LSTM")
def recurrent(draw):
    op, gates, attributes, kind = draw.op, GATES[draw.op], {}, np.dtype(np.float32)
    steps, batch, depth, hidden = draw.dim(1, 5), draw.dim(1, 3), draw.dim(1, 7), draw.dim(1, 7)
    direction = draw.maybe(attributes, "direction", draw.pick(["forward", "reverse", "bidirectional"])) or "forward"
    attributes["hidden_size"] = hidden
    directions = 2 if direction == "bidirectional" else 1
    clip = draw.maybe(attributes, "clip", 0.7)
    layout = (draw.maybe(attributes, "layout", 1) if draw.since >= 14 else 0) or 0
    linear_before = (draw.maybe(attributes, "linear_before_reset", 1) if op == "GRU" and draw.since >= 3 else 0) or 0
    forget = (draw.maybe(attributes, "input_forget", 1) if op == "LSTM" else 0) or 0
    values = lambda *shape, low=-0.6, high=0.6: draw.values(shape, kind, low, high)  # noqa: E731
    x = values(steps, batch, depth, low=-1, high=1)
    lengths = draw.rng().integers(1, steps + 1, batch).astype(np.int32) if draw.flag() else None
    inputs = [x, values(directions, gates * hidden, depth), values(directions, gates * hidden, hidden),
              values(directions, 2 * gates * hidden) if draw.flag() else None, lengths,
              values(directions, batch, hidden) if draw.flag() else None]
    if op == "LSTM":
        inputs += [values(directions, batch, hidden) if draw.flag() else None, values(directions, 3 * hidden) if draw.flag() else None]

    def limited(v):
        return v if clip is None else np.clip(v, -float(np.float32(clip)), float(np.float32(clip)))

    def step(parts, at, h, c, d):
        w, r, b, p = (None if v is None else v[d].astype(np.float64) for v in parts)
        b = np.zeros(2 * gates * hidden) if b is None else b
        wb, rb = b[:gates * hidden], b[gates * hidden:]
        a, z = at @ w.T + wb, h @ r.T
        if op == "RNN":
            return np.tanh(limited(a + z + rb)), c
        if op == "GRU":
            cut = 2 * hidden
            gate = _sigmoid(limited(a[:, :cut] + z[:, :cut] + rb[:cut]))
            update, reset = gate[:, :hidden], gate[:, hidden:]
            new = (a[:, cut:] + reset * (z[:, cut:] + rb[cut:]) if linear_before
                   else a[:, cut:] + (reset * h) @ r[cut:].T + rb[cut:])
            return (1 - update) * np.tanh(limited(new)) + update * h, c
        i, o, f, g = np.split(a + z + rb, 4, -1)
        pi, po, pf = (0, 0, 0) if p is None else np.split(p, 3)
        i, f = _sigmoid(limited(i + pi * c)), _sigmoid(limited(f + pf * c))
        f = 1 - i if forget else f
        c = f * c + i * np.tanh(limited(g))
        return _sigmoid(limited(o + po * c)) * np.tanh(c), c

    def reference(x, w, r, b=None, lengths=None, h0=None, c0=None, p=None):
        x = np.swapaxes(x, 0, 1) if layout else x
        h0, c0 = (np.swapaxes(v, 0, 1) if layout and v is not None else v for v in (h0, c0))
        lengths = np.full(batch, steps) if lengths is None else lengths
        y = np.zeros((steps, directions, batch, hidden))
        last = np.zeros((2, directions, batch, hidden))
        for d in range(directions):
            backwards = direction == "reverse" or d == 1
            for n in range(batch):
                h, c = (np.zeros((1, hidden)) if v is None else v[d, n:n + 1].astype(np.float64) for v in (h0, c0))
                order = range(lengths[n])
                for t in reversed(order) if backwards else order:
                    h, c = step((w, r, b, p), x[t, n:n + 1].astype(np.float64), h, c, d)
                    y[t, d, n] = h[0]
                last[:, d, n] = h[0], c[0]
        results = (y.transpose(2, 0, 1, 3) if layout else y, *(np.swapaxes(v, 0, 1) if layout else v for v in last))
        return results if op == "LSTM" else results[:2]

    if layout:
        inputs = [value if value is None or i not in (0, 5, 6) else np.ascontiguousarray(np.swapaxes(value, 0, 1))
                  for i, value in enumerate(inputs)]
    per_step = depth + hidden + 12
    return Case(op, inputs, attributes, 3 if op == "LSTM" else 2,
                frozenset({1, 2} | ({3} if inputs[3] is not None else set())) if draw.flag() else frozenset(),
                Bound(8, 4 * steps * per_step, 2.0), reference=reference)
