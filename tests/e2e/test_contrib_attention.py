"""com.microsoft: attention with projections, masks, caches and shared heads, rotary positions, biases by position."""

import numpy as np
import pytest
from onnx import TensorProto

from contrib_cases import Cases, Compiled, open_session, random, refusal, run_family
from devices import DEVICES

B, S, N, H = 2, 5, 3, 8
D = N * H


def masks(cases, keys=S, prefix=""):
    """Of every kind, the same padding for none."""
    raw = np.ones((B, keys), np.int32)
    raw[0, keys - 2:] = 0
    raw[1, :2] = 0
    full = np.random.default_rng(3).integers(0, 2, (B, S, keys)).astype(np.int32)
    full[:, :, 0] = 1
    return {
        "raw": cases.input(prefix + "mask.raw", raw), "full": cases.input(prefix + "mask.full", full),
        "ends": cases.input(prefix + "mask.ends", np.array([keys, keys - 2], np.int32)),
        "spans": cases.input(prefix + "mask.spans", np.array([keys, keys - 1, 2, 0], np.int32)),
    }


def projected():
    """Attention: packed projections, each mask, a past, biases."""
    cases, width = Cases(depth=64, offset=10000), 16  # rows of which every key is masked by -10000
    x = cases.input("x", random(1, B, S, width), ("batch", "positions", width))
    w, bias = cases.constant("w", random(2, width, 3 * D) * 0.4), cases.constant("bias", random(3, 3 * D))
    past = cases.input("past", random(4, 2, B, N, 3, H), (2, "batch", N, "before", H))
    for name, mask in {"none": "", **masks(cases)}.items():
        for causal in (0, 1):
            cases.add("Attention", f"{name}-{causal}", [x, w, bias, mask], num_heads=N, unidirectional=causal,
                      everywhere=name == "spans" and causal == 1)
    for name, mask in {"none": "", **masks(cases, S + 3, "long.")}.items():
        cases.add("Attention", f"past-{name}", [x, w, bias, mask, past], outputs=2, num_heads=N, unidirectional=1,
                  everywhere=name == "raw")
    cases.add("Attention", "present", [x, w, bias], outputs=2, num_heads=N)
    # Without a bias ONNX Runtime reads through a null pointer.
    parts = np.split(cases.inputs["x"] @ cases.constants["w"], 3, -1)
    cases.add("Attention", "plain", [x, w], num_heads=N, scale=0.3, reference=attention(
        *(heads_of(part, N) for part in parts), scale=0.3))
    cases.add("Attention", "filter", [x, w, bias, "mask.raw"], num_heads=N, mask_filter_value=-2.5)
    wide = cases.constant("w.wide", random(5, width, 2 * D + 36) * 0.4)
    cases.add("Attention", "wide", [x, wide, cases.constant("bias.wide", random(6, 2 * D + 36))], num_heads=N,
              qkv_hidden_sizes=[D, D, 36])
    for name, shape in (("each", (B, N, S, S)), ("shared", (1, 1, S, S)), ("heads", (1, N, S, S))):
        added = cases.input(f"added.{name}", random(7, *shape))
        cases.add("Attention", f"added-{name}", [x, w, bias, "mask.raw", "", added], num_heads=N, unidirectional=1)
    return cases


def quantized():
    """QAttention: the product of integers is exact, the rest in f32."""
    cases, width, draw = Cases(depth=64), 16, np.random.default_rng(8)
    x = cases.input("x", draw.integers(0, 256, (B, S, width)).astype(np.uint8))
    bias = cases.constant("bias", random(3, 3 * D))
    scale, zero = cases.constant("scale", np.float32(0.02)), cases.constant("zero", np.uint8(121))
    for kind in (np.int8, np.uint8):
        low = -128 if kind == np.int8 else 0
        name = kind.__name__
        w = cases.constant("w." + name, draw.integers(low, low + 256, (width, 3 * D)).astype(kind))
        one, each = cases.constant("ws.one", np.float32(0.01)), cases.constant(
            "ws.each", draw.uniform(0.005, 0.02, 3 * D).astype(np.float32))
        middle = cases.constant("wz." + name, kind(low + 130))
        cases.add("QAttention", "one-" + name, [x, w, bias, scale, one, "", zero, middle], num_heads=N)
        cases.add("QAttention", "each-" + name, [x, w, bias, scale, each, "", zero], num_heads=N, unidirectional=1)
        cases.add("QAttention", "mask-" + name, everywhere=True, inputs=[x, w, bias, scale, one, cases.constant(
            "ends", np.array([5, 3], np.int32)), zero, middle], num_heads=N)
    past = cases.input("past", random(4, 2, B, N, 3, H))
    cases.add("QAttention", "past", [x, w, bias, scale, one, "", zero, middle, past], outputs=2, num_heads=N)
    return cases


def heads_of(x, count):
    batch, length, width = x.shape
    return x.reshape(batch, length, count, width // count).transpose(0, 2, 1, 3)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention(q, k, v, bias=0, scale=None):
    """[B, N, S, H] each -> [B, S, N * H], in f64."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) * (scale or 1 / np.sqrt(q.shape[-1])) + bias
    y = softmax(scores) @ v
    return y.transpose(0, 2, 1, 3).reshape(y.shape[0], y.shape[2], -1).astype(np.float32)


def multi_head():
    """MultiHeadAttention: every form of its operands, masks, biases, a past; DecoderMaskedMultiHeadAttention."""
    cases, keys = Cases(depth=64), 7
    q = cases.input("q", random(1, B, S, D), ("batch", "positions", D))
    k = cases.input("k", random(2, B, keys, D), ("batch", "keys", D))
    v = cases.input("v", random(3, B, keys, 2 * D), ("batch", "keys", 2 * D))
    bias = cases.constant("bias", random(4, 4 * D))
    past_k, past_v = cases.input("past.k", random(5, B, N, 4, H)), cases.input("past.v", random(6, B, N, 4, H))
    cases.constant("bias.short", random(5, 3 * D))
    every = masks(cases, keys)
    cases.add("MultiHeadAttention", "plain", [q, k, v], num_heads=N)
    cases.add("MultiHeadAttention", "bias", [q, k, v, bias], num_heads=N, scale=0.2, everywhere=True)
    for name in ("raw", "full", "ends"):
        cases.add("MultiHeadAttention", "mask-" + name, [q, k, v, "", every[name]], num_heads=N)
    added = cases.input("added", random(7, 1, N, S, keys))
    cases.add("MultiHeadAttention", "added", [q, k, v, bias, "", added], num_heads=N)
    cases.add("MultiHeadAttention", "self", [q, q, q], num_heads=N, unidirectional=1)
    long_mask = masks(cases, keys + 4, "long.")["raw"]
    cases.add("MultiHeadAttention", "past", [q, k, k, "bias.short", long_mask, "", past_k, past_v], outputs=3, num_heads=N)
    cases.add("MultiHeadAttention", "presents", [q, k, v, "", every["raw"]], outputs=4, num_heads=N,
              kinds={3: TensorProto.FLOAT})
    ready_k, ready_v = cases.input("ready.k", random(8, B, N, 6, H)), cases.input("ready.v", random(9, B, N, 6, H))
    cases.add("MultiHeadAttention", "ready", [q, ready_k, ready_v], num_heads=N)
    # No kernel of ONNX Runtime's CPU takes packed operands.
    packed, pair = random(10, B, S, N, 3, H), random(11, B, keys, N, 2, H)
    cases.add("MultiHeadAttention", "packed", [cases.input("qkv", packed)], num_heads=N, reference=attention(
        *(packed[:, :, :, i].transpose(0, 2, 1, 3) for i in range(3))))
    cases.add("MultiHeadAttention", "packed-pair", [q, cases.input("kv", pair)], num_heads=N, reference=attention(
        heads_of(cases.inputs["q"], N), *(pair[:, :, :, i].transpose(0, 2, 1, 3) for i in range(2))))
    # One position at a time, into a buffer of which 4 positions are filled.
    one = [cases.input(f"one.{name}", random(12 + i, B, 1, D)) for i, name in enumerate("qkv")]
    buffers = [cases.input(f"buffer.{name}", random(15, B, N, 9, H)) for name in "kv"]
    filled = cases.input("filled", np.array([4], np.int32))
    short = cases.input("short", np.array([[1, 1, 0, 1, 1], [1, 1, 1, 1, 1]], np.int32))
    for name, operands in (("decode", [*one, "", "", *buffers, filled]),
                           ("decode-mask", [*one, short, "", *buffers, filled]),
                           ("decode-bias", [*one, "", cases.input("one.added", random(16, 1, N, 1, 5)), *buffers, filled,
                                            "", "", cases.constant("one.bias", random(17, 3 * D))])):
        cases.add("DecoderMaskedMultiHeadAttention", name, operands, outputs=4, everywhere=name == "decode-mask", num_heads=N, output_qk=1,
                  past_present_share_buffer=1, kinds={3: TensorProto.FLOAT})
    cases.add("DecoderMaskedMultiHeadAttention", "decode-cross", [one[0], ready_k, ready_v], num_heads=N)
    return cases


def decoder_self():
    """DecoderMaskedSelfAttention, of which ONNX Runtime has no CPU kernel."""
    cases, width, filled = Cases(depth=64), 16, 4
    x, w, bias = random(1, B, 1, width), random(2, width, 3 * D) * 0.4, random(3, 3 * D)
    past = random(4, 2, B, N, 9, H)
    q, k, v = (heads_of(part, N) for part in np.split(x @ w + bias, 3, -1))
    present = past.copy()
    present[0][:, :, filled:filled + 1], present[1][:, :, filled:filled + 1] = k, v
    y = attention(q, present[0][:, :, :filled + 1], present[1][:, :, :filled + 1])
    cases.add("DecoderMaskedSelfAttention", "self", [
        cases.input("x", x), cases.constant("w", w), cases.constant("b", bias), "", cases.input("past", past), "",
        cases.input("filled", np.array([filled], np.int32))], outputs=2, num_heads=N, past_present_share_buffer=1,
        reference=[y, present])
    return cases


def group_query(dtype=np.float32):
    """GroupQueryAttention: prompts, single steps, a shared buffer, rotary positions, windows, sinks."""
    cases, heads, shared, size, longest = Cases(depth=64), 4, 2, 32, 32
    angles = np.outer(np.arange(longest), 0.5 ** np.arange(size // 2))
    cosine, sine = (cases.constant(name, fn(angles).astype(dtype)) for name, fn in (("cos", np.cos), ("sin", np.sin)))
    half = [cases.constant(name + ".half", fn(angles[:, :size // 4]).astype(dtype))
            for name, fn in (("cos", np.cos), ("sin", np.sin))]

    def operands(prefix, length, before, lengths, batch=B, capacity=None):
        q = cases.input(prefix + ".q", random(1, batch, length, heads * size, dtype=dtype),
                        (batch, prefix + "_positions", heads * size))
        kv = [cases.input(f"{prefix}.{name}", random(2 + i, batch, length, shared * size, dtype=dtype),
                          (batch, prefix + "_positions", shared * size)) for i, name in enumerate("kv")]
        past = [random(4 + i, batch, shared, capacity or before, size, dtype=dtype) for i in range(2 if before else 0)]
        for x in past:  # what is not filled yet is anything; ONNX Runtime hands it on as zeros
            for row, total in enumerate(lengths):
                x[row, :, total - length:] = 0
        past = [cases.input(f"{prefix}.past.{name}", x) for name, x in zip("kv", past)] or ["", ""]
        total = max(lengths)
        return [q, *kv, *past, cases.input(prefix + ".lengths", np.array(lengths, np.int32) - 1),
                cases.input(prefix + ".total", np.array([total], np.int32))]

    common = {"num_heads": heads, "kv_num_heads": shared, "outputs": 3}
    prompt = operands("prompt", 6, 0, [6, 6])
    step = operands("step", 1, 7, [8, 8])
    ragged = operands("ragged", 1, 7, [8, 5], capacity=12)
    chunk = operands("chunk", 3, 7, [10], batch=1, capacity=12)
    for name, all_of in (("prompt", prompt), ("step", step), ("ragged", ragged), ("chunk", chunk)):
        cases.add("GroupQueryAttention", name, all_of, **common)
        cases.add("GroupQueryAttention", name + "-rotary", [*all_of, cosine, sine], do_rotary=1, **common,
                  everywhere=name == "ragged")
        cases.add("GroupQueryAttention", name + "-window", all_of, local_window_size=3, **common)
    cases.add("GroupQueryAttention", "half", [*step, *half], do_rotary=1, rotary_interleaved=1, **common)
    cases.add("GroupQueryAttention", "softcap", step, softcap=2.0, scale=0.7, **common)
    cases.add("GroupQueryAttention", "smooth", step, smooth_softmax=1, **common)
    sink = cases.constant("sink", random(9, heads, dtype=dtype))
    cases.add("GroupQueryAttention", "sink", [*step, "", "", "", "", sink], **common)
    added = cases.input("added", random(10, B, 1, 1, 8, dtype=dtype))
    cases.add("GroupQueryAttention", "added", [*step, "", "", "", added], **common)
    positions = cases.input("positions", np.array([[7], [3]], np.int64))
    cases.add("GroupQueryAttention", "positions", [*step, cosine, sine, positions], do_rotary=1, **common)
    packed = cases.input("packed", random(11, B, 6, (heads + 2 * shared) * size, dtype=dtype),
                         (B, "prompt_positions", (heads + 2 * shared) * size))
    cases.add("GroupQueryAttention", "packed", [packed, "", "", "", "", *prompt[5:], cosine, sine], do_rotary=1, **common)
    for stage in (1, 2):
        cases.add("GroupQueryAttention", f"scores-{stage}", step, **{**common, "outputs": 4}, qk_output=stage)
    return cases


def rms(x, weight, epsilon):
    x = x.astype(np.float64)
    return (x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * weight)


def group_query_more():
    """What ONNX Runtime's CPU refuses: normalised heads, keys on both sides, 8-bit caches by numpy."""
    cases, heads, shared, size, length = Cases(depth=64), 4, 2, 16, 6
    q, k, v = random(1, B, length, heads * size), random(2, B, length, shared * size), random(3, B, length, shared * size)
    weights = [np.abs(random(4 + i, size)) for i in range(2)]
    split = [heads_of(q, heads), *(heads_of(x, shared) for x in (k, v))]
    normed = [rms(split[0], weights[0], 1e-6), rms(split[1], weights[1], 1e-6).astype(np.float32)]
    repeat = lambda x: np.repeat(x, heads // shared, 1)
    causal = np.where(np.tril(np.ones((length, length))) > 0, 0, -np.inf)
    operands = [cases.input(name, value) for name, value in zip("qkv", (q, k, v))]
    lengths, total = cases.input("lengths", np.array([5, 3], np.int32)), cases.input("total", np.array(6, np.int32))
    common = {"num_heads": heads, "kv_num_heads": shared, "outputs": 3}
    cases.add("GroupQueryAttention", "normed", [*operands, "", "", lengths, total, "", "", "", "", "", "", "",
                                                *(cases.constant(f"norm{i}", w) for i, w in enumerate(weights))], **common,
              reference=[attention(normed[0], repeat(normed[1]), repeat(split[2]), causal), normed[1], split[2]])
    hidden = np.where(np.arange(length) < np.array([6, 4])[:, None, None, None], 0, -np.inf)
    cases.add("GroupQueryAttention", "both-sides", [*operands, "", "", lengths, total], causal=0, **common, everywhere=True,
              reference=[attention(split[0], repeat(split[1]), repeat(split[2]), hidden), split[1], split[2]])
    step = [x[:, :1] for x in (q, k, v)]
    past = [np.random.default_rng(9 + i).integers(-127, 128, (B, shared, 8, size)).astype(np.int8) for i in range(2)]
    scales = [np.array([0.02], np.float32), np.linspace(0.01, 0.03, shared * size, dtype=np.float32).reshape(
        1, shared, 1, size)]
    present = [x.copy() for x in past]
    filled = np.array([7, 4])
    for x, new, scale in zip(present, step[1:], scales):
        codes = np.clip(np.rint(heads_of(new, shared) / scale), -128, 127).astype(np.int8)
        for row in range(B):
            x[row, :, filled[row]] = codes[row, :, 0]
    wide = [x.astype(np.float32) * scale for x, scale in zip(present, scales)]
    hidden = np.where(np.arange(8) <= filled[:, None, None, None], 0, -np.inf)
    cases.add("GroupQueryAttention", "bytes", [
        *(cases.input("step." + name, x) for name, x in zip("qkv", step)),
        *(cases.input("past." + name, x) for name, x in zip("kv", past)),
        cases.input("filled", filled.astype(np.int32)), cases.input("longest", np.array(8, np.int32)), "", "", "", "", "",
        *(cases.constant("scale" + name, x) for name, x in zip("kv", scales))], **common, k_quant_type="PER_TENSOR",
        v_quant_type="PER_CHANNEL", kv_cache_bit_width=8,
        reference=[attention(heads_of(step[0], heads), repeat(wide[0]), repeat(wide[1]), hidden), *present])
    return cases


def rotary():
    """RotaryEmbedding in both layouts, offsets and positions; MRotaryEmbedding; GemmaRotaryEmbedding by numpy."""
    cases, size, longest = Cases(depth=4), 16, 20
    for dtype in (np.float32, np.float16):
        tag = dtype.__name__
        angles = np.outer(np.arange(longest), 0.7 ** np.arange(size // 2))
        tables = [cases.constant(f"{name}.{tag}", fn(angles).astype(dtype))
                  for name, fn in (("cos", np.cos), ("sin", np.sin))]
        part = [cases.constant(f"{name}.part.{tag}", fn(angles[:, :size // 4]).astype(dtype))
                for name, fn in (("cos", np.cos), ("sin", np.sin))]
        flat = cases.input("flat." + tag, random(1, B, S, N * size, dtype=dtype), ("batch", "positions", N * size))
        deep = cases.input("deep." + tag, random(2, B, N, S, size, dtype=dtype))
        if dtype == np.float32:
            offset = cases.input("offset", np.array([3], np.int64))
            positions = cases.input("at", np.array([[0, 1, 2, 3, 4], [9, 8, 7, 3, 19]], np.int64))
            thrice = cases.input("thrice", np.random.default_rng(3).integers(0, longest, (3, B, S)))
        for interleaved in (0, 1):
            for where, at in (("offset", offset), ("at", positions)):
                name = f"{tag}-{where}-{interleaved}"
                cases.add("RotaryEmbedding", "flat-" + name, [flat, at, *tables], interleaved=interleaved,
                          everywhere=where == "offset" and interleaved == 1 and dtype == np.float32)
                cases.add("RotaryEmbedding", "deep-" + name, [deep, at, *tables], interleaved=interleaved)
                cases.add("RotaryEmbedding", "part-" + name, [flat, at, *part], interleaved=interleaved, num_heads=N,
                          rotary_embedding_dim=size // 2)
            for layout, sections in ((0, [3, 3, 2]), (1, [4, 2, 2])):
                cases.add("MRotaryEmbedding", f"three-{tag}-{interleaved}-{layout}", [flat, thrice, *tables],
                          interleaved=interleaved, num_heads=N, mrope_layout=layout, mrope_section=sections,
                          everywhere=interleaved == layout == 0 and dtype == np.float16)
            cases.add("MRotaryEmbedding", f"three-part-{tag}-{interleaved}", [flat, thrice, *part], num_heads=N,
                      rotary_embedding_dim=size // 2, interleaved=interleaved, mrope_section=[2, 1, 1])
    angles, heads = random(4, B, S, size), [random(5 + i, B, N, S, size, dtype=np.float16) for i in range(4)]
    cos, sin = (fn(angles).astype(np.float16)[:, None].astype(np.float32) for fn in (np.cos, np.sin))
    wide = [x.astype(np.float32) for x in heads]
    cases.add("GemmaRotaryEmbedding", "gemma", [cases.input("angles", angles), *(
        cases.input(f"gemma{i}", x) for i, x in enumerate(heads))], outputs=2, reference=[
            (wide[i] * cos + wide[i + 1] * sin).astype(np.float16) for i in (0, 2)])
    return cases


def buckets(count, longest, both, rows, columns):
    """T5's, as its paper has them."""
    offset = np.arange(columns)[None, :] - np.arange(rows)[:, None]
    found = np.zeros_like(offset)
    if both:
        count //= 2
        found, distance = (offset > 0) * count, np.abs(offset)
    else:
        distance = -np.minimum(offset, 0)
    exact = count // 2
    large = exact + (np.log(np.maximum(distance, 1).astype(np.float32) / np.float32(exact)) / np.log(
            np.float32(longest) / np.float32(exact)) * np.float32(count - exact)).astype(np.int64)
    return found + np.where(distance < exact, distance, np.minimum(large, count - 1))


def position_biases():
    """RelativePositionBias and GatedRelativePositionBias, of which ONNX Runtime has no CPU kernels."""
    cases, count = Cases(depth=32), 16
    table = random(1, count, N)
    sizes = [cases.input(name, np.array([value], np.int64)) for name, value in (("rows", 40), ("columns", 70))]
    for both in (0, 1):
        found = buckets(count, 24, both, 40, 70)
        cases.add("RelativePositionBias", f"t5-{both}", [cases.input("table", table) if not both else "table", *sizes],
                  max_distance=24, is_bidirectional=both, reference=table.reshape(N, count)[:, found][None], everywhere=True)
    query, bias, weight, offset = random(2, B, S, D), random(3, D), random(4, H, 8), random(5, 8)
    positions, factor = random(6, 1, N, S, S), random(7, 1, N, 1, 1)
    gates = (heads_of((query + bias).astype(np.float64), N) @ weight + offset).reshape(B, N, S, 2, 4).sum(-1)
    update, reset = np.split(1 / (1 + np.exp(-gates)), 2, -1)
    cases.add("GatedRelativePositionBias", "gated", [cases.input(name, value) for name, value in (
        ("query", query), ("qbias", bias), ("positions", positions), ("weight", weight), ("offset", offset),
        ("factor", factor))], num_heads=N, everywhere=True, reference=((update * (reset * factor - 1) + 2) * positions).astype(np.float32))
    return cases


FAMILIES = {
    "projected": projected, "quantized": quantized, "multi-head": multi_head, "decoder-self": decoder_self,
    "group-query": group_query, "group-query-f16": lambda: group_query(np.float16),
    "group-query-more": group_query_more, "rotary": rotary, "position-biases": position_biases,
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return Compiled(FAMILIES, tmp_path_factory.mktemp("attention"))


@pytest.mark.parametrize("name, device", [(name, device) for name in FAMILIES for device in DEVICES
                                          if device == "cpu" or name != "group-query-f16"])
def test_family_agrees(compiled, name, device):
    run_family(compiled, name, device)


@pytest.mark.parametrize("op, operands, attributes, message", [
    ("Attention", {"x": (2, 5, 16), "w": (16, 72)}, {"num_heads": 3, "do_rotary": 1}, "do_rotary"),
    ("Attention", {"x": (2, 5, 16), "w": (16, 70)}, {"num_heads": 3}, "not made of 3 x 3 heads"),
    ("Attention", {"x": (2, 5, 16), "w": (16, 72)}, {"num_heads": 0}, "num_heads is 0"),
    ("Attention", {"x": (2, 5, 16), "w": (16, 72)}, {"num_heads": 3, "qkv_hidden_sizes": [24, 24, 12]}, "qkv_hidden_sizes"),
    ("DecoderMaskedSelfAttention", {"x": (2,), "w": (16, 72), "c": (72,)}, {"num_heads": 3}, "the input has rank 1"),
    ("MultiHeadAttention", {"q": (2, 5, 24), "k": (2, 3, 5, 8), "v": (2, 5)}, {"num_heads": 3}, "the value has rank 2"),
    ("MultiHeadAttention", {"q": (2, 5, 24), "k": (2, 5, 24)}, {"num_heads": 3}, "without a value"),
    ("MultiHeadAttention", {"q": (2, 5, 24), "k": (2, 5, 3, 3, 8)}, {"num_heads": 3}, "the number of parts of a packed head is 3, expected 2"),
    ("RotaryEmbedding", {"x": (2, 5, 24), "p": (2, 5), "c": (9, 4), "s": (9, 4)}, {"is_packed_batching": 1}, "ragged"),
    ("RotaryEmbedding", {"x": (2, 5, 24), "p": (2, 5), "c": (9, 4), "s": (9, 4)}, {"scale": 2.0}, "scale"),
    ("RotaryEmbedding", {"x": (2, 5, 24), "p": (1, 2, 5), "c": (9, 4), "s": (9, 4)}, {}, "position_ids has rank 3"),
    ("MRotaryEmbedding", {"x": (2, 5, 24), "p": (3, 2, 5), "c": (9, 4), "s": (9, 4)}, {"mrope_section": [1, 1, 1]},
     "the number of columns of cos_cache, which mrope_section divides, is 4, expected 3"),
    ("GroupQueryAttention", {"q": (2, 5, 24), "k": (2, 5, 16), "v": (2, 5, 16), "": None, " ": None, "l": (2,), "t": ()},
     {"num_heads": 3, "kv_num_heads": 2}, "3 query heads cannot share 2"),
    ("GroupQueryAttention", {"q": (2, 5, 16), "k": (2, 5, 16), "v": (2, 5, 16), "": None, " ": None, "l": (2,), "t": ()},
     {"num_heads": 2, "kv_num_heads": 2, "sliding_window_cache": 1}, "sliding_window_cache"),
])
def test_refusals(op, operands, attributes, message):
    cases = Cases(depth=1)
    integers = {"p": np.int64, "l": np.int32, "t": np.int32}
    names = [cases.input(name, np.zeros(shape, integers.get(name, np.float32))) if name.strip() else ""
             for name, shape in operands.items()]
    cases.add(op, "bad", names, **attributes)
    text = refusal(cases)
    assert message in text and "'bad'" in text


def test_a_later_total_grows_the_cache(compiled):
    """One artifact: prompts of other lengths than it was tried with."""
    cases, artifact = compiled("group-query", "cpu")
    session = open_session(artifact, "cpu")
    longer = {name: value for name, value in cases.inputs.items()}
    for name in ("q", "k", "v"):
        longer["prompt." + name] = np.concatenate([cases.inputs["prompt." + name]] * 2, 1)
    longer["packed"] = np.concatenate([cases.inputs["packed"]] * 2, 1)
    longer["prompt.lengths"], longer["prompt.total"] = np.array([11, 11], np.int32), np.array([12], np.int32)
    short, long = session.run(cases.inputs), session.run(longer)
    assert long["prompt.1"].shape[2] == 12
    np.testing.assert_allclose(long["prompt.0"][:, :6], short["prompt.0"], rtol=0, atol=1e-5)
