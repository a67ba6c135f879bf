"""com.microsoft: fused products, normalisations, integer products, embeddings, dropouts, recurrent attention."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from contrib_cases import Cases, Compiled, random, refusal, run_family
from devices import DEVICES

ACTIVATIONS = {
    "Relu": {}, "LeakyRelu": {"activation_alpha": 0.2}, "Elu": {"activation_alpha": 0.7}, "Sigmoid": {}, "Tanh": {},
    "HardSigmoid": {"activation_alpha": 0.3, "activation_beta": 0.4}, "Softplus": {}, "Softsign": {},
    "Selu": {"activation_alpha": 1.5, "activation_gamma": 1.1}, "ThresholdedRelu": {"activation_alpha": 0.6},
}


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def products():
    """FusedMatMul, FusedGemm with each activation, GemmFastGelu, GemmFloat8."""
    cases = Cases(depth=40)
    a, b, c = cases.input("a", random(1, 5, 33), ("rows", 33)), cases.constant("b", random(2, 33, 9)), cases.constant(
        "c", random(3, 9))
    for name, attributes in ACTIVATIONS.items():
        cases.add("FusedGemm", name, [a, b, c], activation=name, alpha=0.5, beta=2.0, **attributes,
                  everywhere=name == "Selu")
    cases.add("FusedGemm", "turned", [cases.input("at", random(4, 33, 5)), cases.constant("bt", random(5, 9, 33))],
              transA=1, transB=1, activation="Relu")
    deep, wide = cases.input("deep", random(6, 2, 3, 4, 5)), cases.input("wide", random(7, 2, 3, 5, 6))
    cases.add("FusedMatMul", "plain", [deep, wide], alpha=0.25)
    cases.add("FusedMatMul", "turned-rows", [cases.input("dt", random(8, 2, 3, 5, 4)), wide], transA=1, everywhere=True)
    cases.add("FusedMatMul", "batch", [cases.input("db", random(9, 4, 2, 3, 5)), wide], transBatchA=1)
    left, right = random(10, 4, 33), random(11, 33, 9)
    product = left.astype(np.float64) @ right
    operands = [cases.input("left", left), cases.constant("right", right)]
    cases.add("FusedMatMulActivation", "activated", operands, activation="LeakyRelu", activation_alpha=0.2, alpha=0.5,
              reference=np.where(product > 0, product, 0.2 * product).astype(np.float32) * np.float32(0.5))
    cases.add("GemmFastGelu", "gelu", [*operands, c], everywhere=True, reference=gelu_tanh(
        product + random(3, 9)).astype(np.float32))
    # 8-bit floats: what they hold, times their scales.
    codes = [np.random.default_rng(i).integers(0, 256, shape).astype(np.uint8) for i, shape in ((12, (4, 32)), (13, (9, 32)))]
    for each in codes:
        each[(each & 0x7F) > 0x70] = 0x38  # neither NaN nor much larger than the rest
    kinds = TensorProto.FLOAT8E4M3FN, helper.tensor_dtype_to_np_dtype(TensorProto.FLOAT8E4M3FN)
    names = [cases.constant(f"codes{i}", helper.make_tensor(f"codes{i}", kinds[0], each.shape, each.tobytes(), raw=True))
             for i, each in enumerate(codes)]
    lhs, rhs = (each.view(kinds[1]).astype(np.float64) for each in codes)
    scale = [np.float32(0.02), np.float32(0.03), np.float32(1.5)]
    added = random(14, 4, 9)
    y = np.maximum(lhs * scale[0] @ (rhs * scale[1]).T * 0.5 + added * 2, 0) * scale[2]
    cases.add("GemmFloat8", "f8", [*names, cases.input("added", added), *(
        cases.constant(f"scale{i}", each) for i, each in enumerate(scale))], transB=1, alpha=0.5, beta=2.0, dtype=1,
        activation="RELU", reference=y.astype(np.float32), everywhere=True)
    return cases


def norms():
    """Skip*, Gated- and BranchwiseRMSNorm, the Gelus, BiasSoftmax."""
    cases, width = Cases(depth=48), 24
    for dtype in (np.float32, np.float16):
        tag = dtype.__name__
        x = cases.input("x." + tag, random(1, 2, 5, width, dtype=dtype), ("batch", "positions", width))
        gate = cases.input("gate." + tag, random(2, 2, 5, width, dtype=dtype))
        each, whole = cases.constant("each." + tag, random(3, 8, dtype=dtype)), cases.constant(
            "whole." + tag, random(4, width, dtype=dtype))
        for activation in ("silu", "sigmoid"):
            cases.add("GatedRMSNorm", f"gated-{activation}-{tag}", [x, each, gate], activation=activation, epsilon=1e-3,
                      everywhere=dtype == np.float32)
        grouped = cases.input("grouped." + tag, random(5, 2, 5, 3, 8, dtype=dtype))
        table = cases.constant("table." + tag, random(6, 3, 8, dtype=dtype))
        for name, scale in (("none", ""), ("one", each), ("table", table), ("whole", whole)):
            cases.add("BranchwiseRMSNorm", f"grouped-{name}-{tag}", [grouped, scale])
            cases.add("BranchwiseRMSNorm", f"flat-{name}-{tag}", [x, scale], num_branches=3,
                      everywhere=name == "table" and dtype == np.float32)
        skip, row = cases.input("skip." + tag, random(7, 5, width, dtype=dtype)), cases.constant(
            "row." + tag, random(8, width, dtype=dtype))
        cases.add("SkipLayerNormalization", "skip-" + tag, [x, skip, whole, row, row], outputs=4, skip=(1, 2))
        cases.add("SkipSimplifiedLayerNormalization", "skip-simple-" + tag, [x, gate, whole, row], outputs=4, skip=(1, 2))
    data, bias = random(9, 2, 3, 4, 5), random(10, 2, 1, 1, 5)
    total = (data + bias).astype(np.float64)
    cases.input("data", data), cases.input("added", bias)
    for axis in (3, 2):
        flat = np.exp(total.reshape(*data.shape[:axis], -1))
        y = (flat / flat.sum(-1, keepdims=True)).reshape(data.shape).astype(np.float32)
        cases.add("BiasSoftmax", f"softmax-{axis}", ["data", "added"], axis=axis,
                  is_inner_broadcast=1, reference=y, everywhere=axis == 2)
    return cases


def integers():
    """Products of 8 and 16 bits with scales, and sums."""
    cases, draw = Cases(depth=8), np.random.default_rng(1)
    a = cases.input("a", random(2, 3, 5, 33), ("batch", "rows", 33))
    bias = cases.constant("bias", random(3, 12))
    for kind in (np.int8, np.uint8):
        info, name = np.iinfo(kind), kind.__name__
        b = cases.constant("b." + name, draw.integers(info.min, info.max + 1, (33, 12)).astype(kind))
        each, one = cases.constant("each", np.linspace(0.01, 0.02, 12, dtype=np.float32)), cases.constant(
            "one", np.float32(0.03))
        zeros = cases.constant("zeros." + name, draw.integers(info.min, info.max, 12).astype(kind))
        zero = cases.constant("zero." + name, kind(info.min + 120))
        cases.add("DynamicQuantizeMatMul", "dynamic-one-" + name, [a, b, one, zero])
        cases.add("DynamicQuantizeMatMul", "dynamic-each-" + name, [a, b, each, zeros, bias], everywhere=kind == np.int8)
        cases.add("DynamicQuantizeMatMul", "dynamic-none-" + name, [a, b, one, "", bias])
        lhs = cases.input("lhs." + name, draw.integers(info.min, info.max + 1, (2, 7, 33)).astype(kind))
        scale = cases.constant("scale", np.array([0.05], np.float32))
        cases.add("MatMulIntegerToFloat", "scaled-" + name, [lhs, b, scale, each, zero, zeros, bias], everywhere=True)
        cases.add("MatMulIntegerToFloat", "scaled-plain-" + name, [lhs, b, scale, one])
        wide = np.int32 if kind == np.int8 else np.uint32
        values = cases.inputs["lhs." + name].astype(np.int64)
        for keep in (0, 1):
            cases.add("ReduceSumInteger", f"sum-{keep}-{name}", [lhs], axes=[0, 2], keepdims=keep,
                      reference=values.sum((0, 2), keepdims=bool(keep)).astype(wide))
        other = draw.integers(info.min, info.max + 1, 33).astype(kind)
        factor = values - int(info.min + 120)
        cases.add("MulInteger", "product-" + name, [lhs, zero, cases.input("other." + name, other)],
                  reference=(factor * other.astype(np.int64)).astype(np.int32), everywhere=True)
    shorts = [cases.input(f"short{i}", draw.integers(-2000, 2000, shape).astype(np.int16))
              for i, shape in enumerate(((2, 5, 40), (40, 6)))]
    cases.add("MatMulInteger16", "short", shorts, everywhere=True)
    words = [draw.integers(0, 60000, shape).astype(np.uint16) for shape in ((3, 8), (8, 4))]
    cases.add("MatMulInteger16", "word", [cases.input(f"word{i}", x) for i, x in enumerate(words)],
              reference=(words[0].astype(np.uint32) @ words[1].astype(np.uint32)))
    return cases


def embeddings():
    """EmbedLayerNormalization, whole and in 8 bits."""
    cases, width, draw = Cases(depth=48), 16, np.random.default_rng(1)
    ids = cases.input("ids", draw.integers(0, 30, (2, 5)).astype(np.int32), ("batch", "positions"))
    segments = cases.input("segments", draw.integers(0, 2, (2, 5)).astype(np.int32), ("batch", "positions"))
    mask = cases.input("mask", np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32))
    places = cases.input("places", np.array([[4, 3, 2, 1, 0]], np.int32))
    tables = [cases.constant(name, random(2 + i, size, width))
              for i, (name, size) in enumerate((("words", 30), ("rows", 8), ("parts", 2)))]
    ends = [cases.constant(name, random(6 + i, width)) for i, name in enumerate(("gamma", "beta"))]
    op = "EmbedLayerNormalization"
    cases.add(op, "all", [ids, segments, *tables, *ends, mask], outputs=3, everywhere=True)
    cases.add(op, "no-mask", [ids, segments, *tables, *ends], outputs=2, epsilon=1e-3)
    cases.add(op, "no-segments", [ids, "", *tables[:2], "", *ends, "", places], outputs=3, skip=(1,))
    for kind in (np.uint8, np.int8):
        info, name = np.iinfo(kind), kind.__name__
        narrow = [cases.constant(f"{table}.{name}", draw.integers(info.min, info.max + 1, size).astype(kind))
                  for table, size in (("words", (30, width)), ("rows", (8, width)), ("parts", (2, width)),
                                      ("gamma", width), ("beta", width))]
        scales = [cases.constant(f"scale{i}", np.float32(0.01 + 0.002 * i)) for i in range(5)]
        zeros = [cases.constant(f"zero{i}.{name}", kind(info.min + 100 + i)) for i in range(5)]
        cases.add("QEmbedLayerNormalization", "all-" + name, [ids, segments, *narrow, mask, *scales, *zeros], outputs=2,
                  everywhere=kind == np.uint8)
        without = lambda values: [*values[:2], "", *values[3:]]
        cases.add("QEmbedLayerNormalization", "no-segments-" + name,
                  [ids, "", *without(narrow), "", *without(scales), *without(zeros)], outputs=2)
    return cases


def dropouts():
    """Inference: what is added, and masks in which every bit is set."""
    cases, x, bias, residual = Cases(depth=4), random(1, 3, 5, 7), random(2, 7), random(3, 3, 5, 7)
    data, added, rest = (cases.input(name, value) for name, value in (("x", x), ("b", bias), ("r", residual)))
    ratio, training = cases.constant("ratio", np.float32(0.5)), cases.constant("training", np.array(False))
    full, bits = np.ones(x.shape, bool), np.full(4, 0xFFFFFFFF, np.uint32)
    cases.add("BiasDropout", "bias", [data, added, rest, ratio, training], outputs=2, reference=[x + bias + residual, full],
              everywhere=True)
    cases.add("BiasDropout", "bias-alone", [data, added], reference=[x + bias])
    cases.add("BitmaskBiasDropout", "bias-bits", [data, added, "", ratio], outputs=2, reference=[x + bias, bits])
    cases.add("BitmaskDropout", "bits", [data, ratio], outputs=2, reference=[x, bits], everywhere=True)
    return cases


def recurrent():
    """LinearAttention with shared heads of both kinds, its gate, CausalConvWithState with dilation and channels last."""
    cases, heads = Cases(depth=64), 2
    operands = {count: cases.input(f"x{count}", random(count, 2, 6, count * 8) * 0.3, (2, "steps", count * 8))
                for count in (2, 4)}
    for queries, keys in ((2, 2), (4, 2), (2, 4)):
        q, k = operands[queries], operands[keys]
        cases.add("LinearAttention", f"linear-{queries}-{keys}", [q, k, k], outputs=2, q_num_heads=queries,
                  kv_num_heads=keys, update_rule="linear", everywhere=queries < keys)
    decay = cases.input("decay", -np.abs(random(5, 2, 6, heads)), (2, "steps", heads))
    beta = cases.input("beta", np.abs(random(6, 2, 6, heads)) * 0.5, (2, "steps", heads))
    cases.add("LinearAttention", "gated-delta", [operands[2], operands[2], operands[2], "", decay, beta], outputs=2,
              q_num_heads=2, kv_num_heads=2, scale=0.4, chunk_size=16)
    row, factor = cases.constant("row", random(7, heads)), cases.constant("factor", -np.abs(random(8, heads)))
    cases.add("LinearAttentionGate", "gate", [decay, row, factor, beta], outputs=2, everywhere=True)
    cases.add("LinearAttentionGate", "decay", [decay, row, factor])
    line, taps = cases.input("line", random(9, 2, 6, 11)), cases.constant("taps", random(10, 6, 1, 3))
    bias, past = cases.constant("bias", random(11, 6)), cases.input("past", random(12, 2, 6, 4))
    cases.add("CausalConvWithState", "dilated", [line, taps, bias, past], outputs=2, dilation=2, activation="silu",
              everywhere=True)
    last, before = cases.input("last", random(13, 2, 11, 2, 3)), cases.input("before", random(14, 2, 2, 2, 3))
    cases.add("CausalConvWithState", "last", [last, taps, bias, before], outputs=2, channels_last=1)
    cases.add("CausalConvWithState", "fresh", [last, taps], outputs=2, channels_last=1, dilation=3)
    return cases


FAMILIES = {"products": products, "norms": norms, "integers": integers, "embeddings": embeddings, "dropouts": dropouts,
            "recurrent": recurrent}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return Compiled(FAMILIES, tmp_path_factory.mktemp("fused"))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", FAMILIES)
def test_family_agrees(compiled, name, device):
    run_family(compiled, name, device)


@pytest.mark.parametrize("op, operands, attributes, message", [
    ("FusedGemm", [(2, 3), (3, 4)], {"activation": "Cosine"}, "activation 'Cosine': expected Relu"),
    ("FusedMatMulActivation", [(2, 3), (3, 4)], {"activation": "Relu", "activation_axis": 1}, "activation_axis"),
    ("GemmFloat8", [(2, 3), (3, 4)], {"activation": "SOFTMAX"}, "expected NONE, RELU or GELU"),
    ("GatedRMSNorm", [(2, 24), (7,), (2, 24)], {}, "is not made of groups of 7"),
    ("GatedRMSNorm", [(2, 24), (8,), (2, 24)], {"activation": "relu"}, "expected silu, swish or sigmoid"),
    ("BranchwiseRMSNorm", [(2, 24)], {"num_branches": 5}, "is not made of 5 branches"),
    ("CausalConvWithState", [(2, 6, 11, 4), (6, 1, 3, 3)], {"ndim": 2}, "ndim"),
    ("CausalConvWithState", [(2, 6, 11), (6, 1, 3)], {"state_window": 2}, "state_window"),
    ("LinearAttention", [(2, 6, 8)] * 3, {"q_num_heads": 1, "kv_num_heads": 1, "update_rule": "linear", "state_window": 1},
     "state_window"),
    ("DequantizeLinear", [(2, 3), (3,)], {}, "needs attribute axis"),
    # Refused by name, with the reason.
    ("PagedAttention", [(2, 3)], {}, "ragged, paged and sparse batches"),
    ("BeamSearch", [(2, 3)], {}, "compile the decoder subgraph"),
    ("QOrderedMatMul", [(2, 3)], {}, "private to one vendor"),
    ("MurmurHash3", [(2, 3)], {}, "express it with operators of ai.onnx"),
    ("NoSuchOperator", [(2, 3)], {}, "is not supported"),
])
def test_refusals(op, operands, attributes, message):
    cases = Cases(depth=1)
    cases.add(op, "bad", [cases.input(f"x{i}", np.zeros(shape, np.float32)) for i, shape in enumerate(operands)],
              **attributes)
    text = refusal(cases)
    assert message in text and "'bad'" in text
