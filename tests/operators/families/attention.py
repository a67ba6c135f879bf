"""Attention and what belongs to it."""

import numpy as np

from operators.case import Bound, Case
from operators.registry import strategy

FLOAT = np.dtype(np.float32)


@strategy("Attention")
def attention(draw):
    attributes, kind = {}, FLOAT
    batch, kv_heads, share = draw.dim(1, 2), draw.int(1, 2), draw.int(1, 2)
    heads, queries, keys, size, v_size = kv_heads * share, draw.dim(1, 5), draw.dim(1, 5), draw.pick([2, 4, 8]), draw.pick([2, 4, 3])
    packed = draw.flag()
    shape = lambda h, length, d: (batch, length, h * d) if packed else (batch, h, length, d)  # noqa: E731
    if packed:
        attributes.update(q_num_heads=heads, kv_num_heads=kv_heads)
    q, k, v = (draw.values(s, kind, -1, 1) for s in (shape(heads, queries, size), shape(kv_heads, keys, size), shape(kv_heads, keys, v_size)))
    past = draw.dim(1, 3) if draw.flag(3) else 0
    total = keys + past
    causal = draw.maybe(attributes, "is_causal", 1) or 0
    scale = draw.maybe(attributes, "scale", 0.5) or 1 / np.sqrt(size)
    cap = draw.maybe(attributes, "softcap", 2.0) or 0
    mask = None
    if draw.flag():
        mask_shape = draw.pick([(queries, total), (batch, 1, queries, total), (1, heads, queries, total)])
        mask = draw.values(mask_shape, np.bool_) if draw.flag() else draw.values(mask_shape, kind)
    caches = [draw.values((batch, kv_heads, past, size), kind, -1, 1), draw.values((batch, kv_heads, past, v_size), kind, -1, 1)] if past else []
    inputs = [q, k, v, mask, *caches]
    outputs = 3 if past else 1

    def reference(q, k, v, mask=None, past_k=None, past_v=None):
        q, k, v = (x.astype(np.float64) for x in (q, k, v))
        if packed:
            q, k, v = (x.reshape(batch, x.shape[1], h, -1).swapaxes(1, 2) for x, h in ((q, heads), (k, kv_heads), (v, kv_heads)))
        if past_k is not None:
            k, v = np.concatenate([past_k, k], 2), np.concatenate([past_v, v], 2)
        present = (k, v)
        k, v = np.repeat(k, share, 1), np.repeat(v, share, 1)
        scores = q @ k.swapaxes(2, 3) * scale
        if cap:
            scores = cap * np.tanh(scores / cap)
        if mask is not None:
            scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
        if causal:
            # Before 24 no offset of a cache without attention to it: row i sees j <= i + past.
            rows, columns = np.indices((queries, total))
            scores = np.where(columns <= rows + past, scores, -np.inf)
        most = scores.max(-1, keepdims=True)
        e = np.exp(scores - np.where(np.isfinite(most), most, 0))
        weight = e.sum(-1, keepdims=True)
        y = np.where(weight > 0, e / np.where(weight > 0, weight, 1), 0) @ v
        y = y.swapaxes(1, 2).reshape(batch, queries, -1) if packed else y
        return (y, *present) if past else y

    return Case("Attention", inputs, attributes, outputs, bound=Bound(8, 4 * (size + total) + 40, 4.0), reference=reference)


@strategy("RotaryEmbedding")
def rotary(draw):
    attributes, batch, length, heads, size = {}, draw.dim(1, 2), draw.dim(1, 5), draw.int(1, 3), draw.pick([4, 8])
    interleaved = draw.maybe(attributes, "interleaved", draw.int(0, 1)) or 0
    dim = draw.maybe(attributes, "rotary_embedding_dim", 4) or size
    packed = draw.flag()
    if packed:
        attributes["num_heads"] = heads
    x = draw.values((batch, length, heads * size) if packed else (batch, heads, length, size), FLOAT)
    positions = draw.indices((batch, length), 9, negative=False) if draw.flag() else None
    table = (9, dim // 2) if positions is not None else (batch, length, dim // 2)
    inputs = [x, draw.values(table, FLOAT, -1, 1), draw.values(table, FLOAT, -1, 1), positions]

    def reference(x, cos, sin, at=None):
        y = x.astype(np.float64)
        y = y.reshape(batch, length, heads, size) if packed else y.swapaxes(1, 2)
        cos, sin = (t.astype(np.float64) if at is None else t.astype(np.float64)[at] for t in (cos, sin))
        cos, sin = cos[:, :, None], sin[:, :, None]
        turned, rest = y[..., :dim], y[..., dim:]
        a, b = (turned[..., ::2], turned[..., 1::2]) if interleaved else (turned[..., :dim // 2], turned[..., dim // 2:])
        real, imaginary = a * cos - b * sin, a * sin + b * cos
        both = np.stack([real, imaginary], -1).reshape(turned.shape) if interleaved else np.concatenate([real, imaginary], -1)
        y = np.concatenate([both, rest], -1)
        return y.reshape(batch, length, -1) if packed else y.swapaxes(1, 2)

    return Case("RotaryEmbedding", inputs, attributes, bound=Bound(1, 3, 8.0), reference=reference)


@strategy("LinearAttention")
def linear_attention(draw):
    """Against the function body: the operator's text is that."""
    batch, length, heads, size, v_size = draw.dim(1, 2), draw.dim(1, 4), draw.int(1, 2), draw.pick([2, 4]), draw.pick([2, 3])
    attributes = {"q_num_heads": heads, "kv_num_heads": heads}
    rule = draw.maybe(attributes, "update_rule", draw.pick(["linear", "gated", "delta", "gated_delta"])) or "gated_delta"
    q, k, v = (draw.values((batch, length, heads * d), FLOAT, -1, 1) for d in (size, size, v_size))
    decay = draw.values((batch, length, heads), FLOAT, -1, 0) if "gated" in rule else None
    beta = draw.values((batch, length, heads), FLOAT, 0, 1) if "delta" in rule else None
    state = draw.values((batch, heads, size, v_size), FLOAT, -1, 1) if draw.flag() else None

    def reference(q, k, v, state=None, decay=None, beta=None):
        split = lambda x: x.astype(np.float64).reshape(batch, length, heads, -1).swapaxes(1, 2)  # noqa: E731
        q, k, v = split(q), split(k), split(v)
        s = np.zeros((batch, heads, size, v_size)) if state is None else state.astype(np.float64)
        y = []
        for t in range(length):
            if decay is not None:
                s = s * np.exp(decay[:, t].astype(np.float64))[..., None, None]
            at, value = k[:, :, t], v[:, :, t]
            if beta is not None:
                value = beta[:, t].astype(np.float64)[..., None] * (value - np.einsum("bhkv,bhk->bhv", s, at))
            s = s + at[..., None] * value[..., None, :]
            y.append(np.einsum("bhkv,bhk->bhv", s, q[:, :, t]) / np.sqrt(size))
        y = np.stack(y, 2).swapaxes(1, 2).reshape(batch, length, -1)
        return y, s

    return Case("LinearAttention", [q, k, v, state, decay, beta], attributes, 2, bound=Bound(8, 20 * length * size, 2.0**length * 4),
                reference=reference)
