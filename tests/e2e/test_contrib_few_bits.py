"""com.microsoft: weights of 2, 4 and 8 bits in products and lookups, experts of floats and of few bits."""

import itertools

import numpy as np
import pytest
from onnx import TensorProto, helper

from contrib_cases import Cases, Compiled, random, refusal, run_family
from devices import DEVICES


def packed(numbers, bits):
    """Numbers below 2^bits along the last axis, low bits first, in whole bytes."""
    each = 8 // bits
    short = -numbers.shape[-1] % each
    numbers = np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, short)]).astype(np.uint32)
    grouped = numbers.reshape(*numbers.shape[:-1], -1, each)
    return (grouped << (np.arange(each, dtype=np.uint32) * bits)).sum(-1).astype(np.uint8)


def narrow_weights(seed, bits, rows, columns, block):
    """Numbers [rows, blocks, block], their bytes, scales and zero points of each block."""
    draw, blocks = np.random.default_rng(seed), -(-columns // block)
    numbers = draw.integers(0, 1 << bits, (rows, blocks, block))
    return (numbers, packed(numbers, bits), draw.uniform(0.01, 0.05, (rows, blocks)).astype(np.float32),
            draw.integers(0, 1 << bits, (rows, blocks)))


def few_bits():
    """MatMulNBits: every width, zero points of each form, short blocks, groups, f16."""
    cases, rows = Cases(depth=192), 12
    for bits in (2, 4, 8):
        for columns, block in ((64, 32), (80, 16), (40, 32)):
            name = f"{bits}-{columns}"
            numbers, stored, scales, zeros = narrow_weights(bits + columns, bits, rows, columns, block)
            x = cases.input(f"x{columns}.{bits}", random(columns, 2, 3, columns), ("batch", "steps", columns))
            w, s = cases.constant("w" + name, stored), cases.constant("s" + name, scales)
            packed_zeros = cases.constant("z" + name, packed(zeros, bits))
            float_zeros = cases.constant("f" + name, zeros.astype(np.float32) + 0.25)
            bias = cases.constant("bias", random(5, rows))
            attributes = {"K": columns, "N": rows, "bits": bits, "block_size": block}
            # 2 bits with zero points and rows of a part of a block: ONNX Runtime has its own ideas of them.
            wide = lambda zero: ((numbers - zero) * scales[..., None].astype(np.float64)).reshape(rows, -1)[:, :columns]
            by_numpy = lambda zero: (cases.inputs[x].astype(np.float64) @ wide(zero).T).astype(np.float32)
            cases.add("MatMulNBits", "plain-" + name, [x, w, s], **attributes, reference=by_numpy(1 << (bits - 1)),
                      everywhere=columns == 80)
            cases.add("MatMulNBits", "zeros-" + name, [x, w, s, packed_zeros, "", bias], **attributes,
                      reference=by_numpy(zeros[..., None]) + random(5, rows), everywhere=columns == 40)
            cases.add("MatMulNBits", "floats-" + name, [x, w, s, float_zeros], **attributes,
                      reference=by_numpy(zeros[..., None] + 0.25))
            if bits == 4 and columns != 40:
                cases.add("MatMulNBits", "engine-" + name, [x, w, s, packed_zeros, "", bias], **attributes)
                cases.add("MatMulNBits", "engine-flat-" + name, [
                    x, w, cases.constant("sf" + name, scales.reshape(-1)),
                    cases.constant("zf" + name, packed(zeros, bits).reshape(-1))], **attributes)
            groups = np.random.default_rng(3).integers(0, scales.shape[1], columns)
            taken = (numbers.reshape(rows, -1)[:, :columns] - (1 << (bits - 1))) * scales[:, groups].astype(np.float64)
            cases.add("MatMulNBits", "groups-" + name, [x, w, s, "", cases.constant("g" + name, groups.astype(np.int32))],
                      **attributes, reference=(cases.inputs[x].astype(np.float64) @ taken.T).astype(np.float32))
    numbers, stored, scales, _ = narrow_weights(9, 4, rows, 64, 32)
    half = cases.input("half", random(10, 5, 64, dtype=np.float16))
    cases.add("MatMulNBits", "half", [half, cases.constant("wh", stored), cases.constant("sh", scales.astype(np.float16))],
              K=64, N=rows, block_size=32, everywhere=True)
    # Tiles of several rows, a panel of a few columns beside whole ones, blocks of all sizes; numbers as they lie and
    # as floats that more rows share.
    wide, columns = 75, 192
    for rows, (bits, block) in itertools.product((19, 50), ((2, 32), (4, 16), (4, 64), (8, 32))):
        x = cases.input(f"tiled{rows}", random(11, rows, columns), (f"tall{rows}", columns))
        name = f"tiles-{bits}-{block}-{rows}"
        numbers, stored, scales, zeros = narrow_weights(20 + bits, bits, wide, columns, block)
        weights = ((numbers - zeros[..., None]) * scales[..., None].astype(np.float64)).reshape(wide, -1)
        cases.add("MatMulNBits", name, [x, cases.constant("w" + name, stored), cases.constant("s" + name, scales), cases.constant(
            "z" + name, packed(zeros, bits))], K=columns, N=wide, bits=bits, block_size=block,
            reference=(cases.inputs[x].astype(np.float64) @ weights.T).astype(np.float32), everywhere=block == 16)
    return cases


def fused():
    """MatMulNBitsMlp and MatMulNBitsQkv, of which ONNX Runtime has no CPU kernels."""
    cases, width, block = Cases(depth=96), 64, 32
    x, skip, norm = random(1, 2, 3, width), random(2, 2, 3, width), np.abs(random(3, width))

    def layer(seed, rows):
        numbers, stored, scales, _ = narrow_weights(seed, 4, rows, width, block)
        names = [cases.constant(f"w{seed}", stored), cases.constant(f"s{seed}", scales),
                 cases.constant(f"b{seed}", random(seed, rows))]
        weights = ((numbers - 8) * scales[..., None].astype(np.float64)).reshape(rows, -1)
        return names, lambda y: y @ weights.T + random(seed, rows)

    def normed(y, epsilon):
        return y / np.sqrt((y.astype(np.float64)**2).mean(-1, keepdims=True) + epsilon) * norm

    inputs = [cases.input("x", x), cases.input("skip", skip), cases.constant("norm", norm)]
    (gate_names, gate), (up_names, up) = layer(11, 24), layer(12, 24)
    swish = lambda y: y / (1 + np.exp(-y))
    for name, operands, y, total in (("plain", ["x", "", ""], x, None), ("norm", ["x", "", "norm"], normed(x, 1e-5), None),
                                     ("skip", inputs, normed(x + skip, 1e-5), x + skip)):
        result = (swish(gate(y)) * up(y)).astype(np.float32)
        cases.add("MatMulNBitsMlp", "mlp-" + name, [*operands, *gate_names, *up_names], K=width, N=24, block_size=block,
                  activation="silu", outputs=1 if total is None else 2,
                  reference=[result] if total is None else [result, total], everywhere=name == "skip")
    layers = [layer(13, 24), layer(14, 8), layer(15, 8)]
    y = normed(x + skip, 1e-6)
    cases.add("MatMulNBitsQkv", "qkv", [*inputs, *(name for names, _ in layers for name in names)], outputs=4, K=width,
              Nq=24, Nkv=8, block_size=block, reference=[*(each(y).astype(np.float32) for _, each in layers), x + skip])
    return cases


FP4 = [0, 0.005208333333, 0.66666667, 1, 0.33333333, 0.5, 0.16666667, 0.25]
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])


def other_formats():
    """MatMulBnb4 of both tables, MatMulFpQ4, weights of 8-bit and 4-bit floats."""
    cases, rows, columns = Cases(depth=96), 9, 48
    draw = np.random.default_rng(1)
    x = cases.input("x", random(2, 3, columns), ("rows", columns))
    codes = cases.constant("codes", draw.integers(0, 256, rows * columns // 2).astype(np.uint8))
    for kind in (0, 1):
        for block in (16, 64):
            largest = cases.constant(f"largest{block}", draw.uniform(0.5, 2, -(-rows * columns // block)).astype(np.float32))
            cases.add("MatMulBnb4", f"bnb-{kind}-{block}", [x, codes, largest], K=columns, N=rows, block_size=block,
                      quant_type=kind, everywhere=block == 16)
    # The other way round ONNX Runtime's kernel does not do what its documentation says.
    table = np.array([*FP4, *(-np.array(FP4))])
    bytes_ = cases.constants["codes"]
    wide = table[np.stack([bytes_ >> 4, bytes_ & 15], -1)].reshape(-1, 16) * cases.constants["largest16"][:, None]
    turned = random(3, 4, rows)
    cases.add("MatMulBnb4", "bnb-turned", [cases.input("xt", turned), codes, "largest16"], K=columns, N=rows,
              block_size=16, quant_type=0, transB=0, reference=(turned @ wide.reshape(rows, columns)).astype(np.float32))
    for kind, block in ((0, 32), (1, 32), (2, 64)):
        blocks = -(-columns // block)
        scales = draw.uniform(0.01, 0.05, (rows, blocks, 1)).astype(np.float32)
        zeros = draw.integers(0, 16, (rows, blocks, 1)).astype(np.uint8)
        numbers = draw.integers(0, 16, (rows, blocks, block // 32, 2, 16))
        halves = (numbers[..., 0, :] | numbers[..., 1, :] << 4).astype(np.uint8).reshape(rows, blocks, -1)
        blob = np.concatenate([scales.view(np.uint8), *([zeros] if kind == 1 else []), halves], -1)
        wide = ((numbers.reshape(rows, blocks, block) - (zeros.astype(int) if kind == 1 else 8)) * scales.astype(
            np.float64)).reshape(rows, -1)[:, :columns]
        cases.add("MatMulFpQ4", f"fpq4-{kind}", [x, cases.constant(f"blob{kind}", blob.reshape(-1)), cases.constant(
            "shape", np.array([columns, rows], np.int64))], blk_quant_type=kind, everywhere=kind == 1,
            reference=(cases.inputs["x"].astype(np.float64) @ wide.T).astype(np.float32))
    half = random(4, 2, 3, columns, dtype=np.float16)
    cases.input("half", half)
    f8 = helper.tensor_dtype_to_np_dtype(TensorProto.FLOAT8E4M3FN)
    bytes_ = draw.integers(0, 0x50, (rows, columns)).astype(np.uint8) | (draw.integers(0, 2, (rows, columns)) << 7).astype(
        np.uint8)
    cases.constant("w8", helper.make_tensor("w8", TensorProto.FLOAT8E4M3FN, bytes_.shape, bytes_.tobytes(), raw=True))
    scales = draw.uniform(0.1, 0.3, (rows, 2)).astype(np.float32)
    wide = bytes_.view(f8).astype(np.float64) * np.repeat(scales, 32, 1)[:, :columns]
    bias = cases.constant("bias16", random(5, rows, dtype=np.float16))
    y = half.astype(np.float64) @ wide.T
    cases.add("MatMulBlockQuantizedFp8Weight", "fp8", ["half", "w8", cases.constant("s8", scales), "", bias], block_size=32,
              reference=(y + random(5, rows, dtype=np.float16)).astype(np.float16), everywhere=True)
    step = np.float32(0.02)
    rounded = (half.astype(np.float32) / step).astype(f8).astype(np.float64) * step
    cases.add("MatMulBlockQuantizedFp8Weight", "fp8-both", ["half", "w8", "s8", cases.constant("step", step)], block_size=32,
              reference=(rounded @ wide.T).astype(np.float16))
    numbers = draw.integers(0, 16, (rows, columns))
    scale_bytes = draw.integers(0x20, 0x48, (rows, columns // 16)).astype(np.uint8)
    wide = (E2M1[numbers] * np.repeat(scale_bytes.view(f8).astype(np.float64) * 0.5, 16, 1)).astype(np.float16)
    cases.add("MatMulBlockQuantizedFp4Weight", "fp4", [
        "half", cases.constant("w4", packed(numbers, 4)), cases.constant("s4", scale_bytes), cases.constant(
            "global", np.float32(0.5)), "", bias], everywhere=True, reference=(
                half.astype(np.float64) @ wide.astype(np.float64).T + random(5, rows, dtype=np.float16)).astype(np.float16))
    return cases


def lookups():
    """GatherBlockQuantized: 4-bit types, bytes of each width, 8-bit floats; axes before and behind; indices that miss."""
    cases, draw = Cases(depth=4), np.random.default_rng(1)
    rows, columns, block = 10, 64, 16
    at = cases.input("at", np.array([[0, 9, -1], [-10, 3, 3]], np.int64))
    misses = cases.input("misses", np.array([2, 10, -11], np.int32))
    scales = cases.constant("scales", draw.uniform(0.01, 0.05, (rows, columns // block)).astype(np.float32))
    for kind, low in ((TensorProto.UINT4, 0), (TensorProto.INT4, -8)):
        numbers = draw.integers(low, low + 16, (rows, columns))
        name = f"four{kind}"
        data = cases.constant(name, helper.make_tensor(name, kind, numbers.shape, numbers.flatten().tolist()))
        zeros = draw.integers(low, low + 16, (rows, columns // block))
        zero = cases.constant("z" + name, helper.make_tensor("z" + name, kind, zeros.shape, zeros.flatten().tolist()))
        cases.add("GatherBlockQuantized", "rows-" + name, [data, at, scales], block_size=block)
        cases.add("GatherBlockQuantized", "zeros-" + name, [data, at, scales, zero], block_size=block,
                  everywhere=kind == TensorProto.INT4)
        cases.add("GatherBlockQuantized", "misses-" + name, [data, misses, scales], block_size=block, everywhere=True)
        cases.add("GatherBlockQuantized", "columns-" + name, [data, cases.constant("few", np.array([3, 17, 63], np.int64)),
                                                             scales, zero], block_size=block, gather_axis=1)
        tall = draw.integers(low, low + 16, (32, 6))
        tall_name = cases.constant("t" + name, helper.make_tensor("t" + name, kind, tall.shape, tall.flatten().tolist()))
        cases.add("GatherBlockQuantized", "tall-" + name, [tall_name, cases.constant("one", np.array(17, np.int64)),
                                                          cases.constant("tall.s", random(3, 2, 6))], block_size=block,
                  gather_axis=0, quantize_axis=0)
    for bits in (2, 4, 8):
        numbers, zeros = draw.integers(0, 1 << bits, (rows, columns)), draw.integers(0, 1 << bits, (rows, columns // block))
        data, zero = cases.constant(f"d{bits}", packed(numbers, bits)), cases.constant(f"z{bits}", packed(zeros, bits))
        common = {"block_size": block, "bits": bits}
        cases.add("GatherBlockQuantized", f"bytes-{bits}", [data, at, scales], **common)
        cases.add("GatherBlockQuantized", f"bytes-zeros-{bits}", [data, misses, scales, zero], **common,
                  everywhere=bits == 2)
    codes = draw.integers(0, 0x70, (rows, columns)).astype(np.uint8)
    f8 = cases.constant("f8", helper.make_tensor("f8", TensorProto.FLOAT8E4M3FN, codes.shape, codes.tobytes(), raw=True))
    cases.add("GatherBlockQuantized", "float", [f8, at, scales], block_size=block)
    cases.add("GatherBlockQuantized", "float-row", [f8, at, cases.constant("row.s", random(4, rows, 1))], block_size=0)
    cases.add("GatherBlockQuantized", "float-all", [f8, at, cases.constant("all.s", random(5, 1, 4))], block_size=block)
    return cases


def experts():
    """MoE: each activation, many tokens and one, normalised weights; SwiGLU in its three forms."""
    cases, hidden, inner, count = Cases(depth=96), 16, 24, 5
    many = cases.input("many", random(1, 3, 7, hidden), ("batch", "steps", hidden))
    logits = cases.input("logits", random(2, 21, count), ("tokens", count))
    one, single = cases.input("one", random(3, 1, hidden)), cases.input("single", random(4, 1, count))
    w1, b1 = cases.constant("w1", random(5, count, inner, hidden) * 0.3), cases.constant("b1", random(6, count, inner))
    w2, b2 = cases.constant("w2", random(7, count, hidden, inner) * 0.3), cases.constant("b2", random(8, count, hidden))
    for kind in ("relu", "gelu", "silu", "identity"):
        cases.add("MoE", "many-" + kind, [many, logits, w1, b1, w2, b2], k=2, activation_type=kind,
                  everywhere=kind == "gelu")
    cases.add("MoE", "one", [one, single, w1, "", w2], k=3, activation_type="relu", normalize_routing_weights=1)
    cases.add("MoE", "all", [many, logits, w1, b1, w2], k=count, activation_type="relu")
    pair = cases.constant("pair", random(9, count, 2 * inner, hidden) * 0.3)
    pair_bias = cases.constant("pair.b", random(10, count, 2 * inner))
    glu = {"activation_type": "swiglu", "activation_alpha": 1.702, "activation_beta": 1.0, "k": 2}
    cases.add("MoE", "interleaved", [many, logits, pair, pair_bias, w2, b2], swiglu_fusion=1, **glu)
    cases.add("MoE", "limited", [many, logits, pair, pair_bias, w2, b2], swiglu_fusion=1, swiglu_limit=0.7, **glu)
    # The other two forms by rearranging the weights.
    halves = lambda name: [np.ascontiguousarray(cases.constants[name].reshape(
        count, 2 * inner, *((hidden,) if name == "pair" else ()))[:, i::2]) for i in range(2)]
    weights, biases = halves("pair"), halves("pair.b")
    expected = mixture(cases.inputs["many"], cases.inputs["logits"], weights[0], biases[0], weights[1], biases[1],
                       random(7, count, hidden, inner) * 0.3, random(8, count, hidden), 2)
    names = [[cases.constant(f"{kind}{i}", each) for i, each in enumerate(values)]
             for kind, values in (("half", weights), ("half.b", biases))]
    cases.add("MoE", "apart", [many, logits, names[0][0], names[1][0], w2, b2, names[0][1], names[1][1]], **glu,
              reference=expected)
    cases.add("MoE", "behind", [many, logits, cases.constant("joined", np.concatenate(weights, 1)), cases.constant(
        "joined.b", np.concatenate(biases, 1)), w2, b2], swiglu_fusion=2, **glu, reference=expected)
    return cases


def routed(x, logits, k, expert, normalized=False, mixing=None):
    """Each token's k best experts, one by one, in f64."""
    flat = x.reshape(-1, x.shape[-1]).astype(np.float64)
    exps = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    probabilities = exps / exps.sum(-1, keepdims=True)
    y = np.zeros_like(flat)
    for token, row in enumerate(probabilities):
        chosen = np.argsort(-row)[:k]
        weights = (row if mixing is None else mixing[token])[chosen]
        for index, weight in zip(chosen, weights / (weights.sum() if normalized else 1)):
            y[token] += weight * expert(index, flat[token])
    return y.reshape(x.shape).astype(np.float32)


def mixture(x, logits, gate_w, gate_b, linear_w, linear_b, w2, b2, k):
    def expert(index, token):
        gate, linear = gate_w[index] @ token + gate_b[index], linear_w[index] @ token + linear_b[index]
        return w2[index] @ (gate / (1 + np.exp(-1.702 * gate)) * (linear + 1)) + b2[index]

    return routed(x, logits, k, expert)


def narrow_experts():
    """QMoE: 2, 4 and 8 bits, by row and by block, with zero points, other widths for a layer, other mixing weights."""
    cases, hidden, inner, count, block = Cases(depth=96), 64, 32, 4, 16
    x, logits, mixing = random(1, 9, hidden), random(2, 9, count), np.abs(random(3, 9, count))
    cases.input("x", x), cases.input("logits", logits), cases.input("mixing", mixing)
    for name, bits, blocked, has_zeros in (("4", (4, 4), False, False), ("4-zeros", (4, 4), False, True),
                                           ("8", (8, 8), False, True), ("4-blocks", (4, 4), True, True),
                                           ("2-blocks", (2, 2), True, False), ("mixed", (8, 4), True, True)):
        operands, layers = [], []
        for i, (rows, columns) in enumerate(((inner, hidden), (hidden, inner))):
            width = block if blocked else columns
            numbers, stored, scales, zeros = narrow_weights(10 * i + bits[i], bits[i], count * rows, columns, width)
            shape = (count, rows, columns // width) if blocked else (count, rows)
            stored, scales, zeros = stored.reshape(count, rows, -1), scales.reshape(shape), zeros.reshape(shape)
            key = f"{name}.{i}"
            operands.append([cases.constant("w" + key, stored), cases.constant("s" + key, scales), cases.constant(
                "z" + key, packed(zeros, bits[i])) if has_zeros else "", cases.constant(f"b{i}", random(20 + i, count, rows))])
            zero = zeros if has_zeros else np.full(shape, 1 << (bits[i] - 1))
            spread = lambda values: values.reshape(count, rows, -1, 1).astype(np.float64)
            layers.append(((numbers.reshape(count, rows, -1, width) - spread(zero)) * spread(scales)).reshape(
                count, rows, columns))

        def expert(index, token):
            inside = layers[0][index] @ token + random(20, count, inner)[index]
            return layers[1][index] @ (inside / (1 + np.exp(-inside))) + random(21, count, hidden)[index]

        (w1, s1, z1, b1), (w2, s2, z2, b2) = operands
        attributes = {"k": 2, "activation_type": "silu", "normalize_routing_weights": 1, "expert_weight_bits": bits[1]}
        if bits[0] != bits[1]:
            attributes["fc1_expert_weight_bits"] = bits[0]
        if blocked:
            attributes["block_size"] = block
        other = "mixing" if name == "mixed" else ""
        cases.add("QMoE", name, ["x", "logits", w1, s1, b1, w2, s2, b2, "", "", "", z1, z2, "", other], **attributes,
                  reference=routed(x, logits, 2, expert, True, mixing if other else None), everywhere=name == "mixed")
    return cases


FAMILIES = {"few-bits": few_bits, "fused": fused, "other-formats": other_formats, "lookups": lookups, "experts": experts,
            "narrow-experts": narrow_experts}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return Compiled(FAMILIES, tmp_path_factory.mktemp("few-bits"))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", FAMILIES)
def test_family_agrees(compiled, name, device):
    run_family(compiled, name, device)


def test_weights_stay_packed(tmp_path):
    """The artifact is no larger than the weights in their bytes, and what else any has."""
    import hexin

    rows, columns, sizes = 1024, 1024, {}
    for bits in (2, 4, 8):
        _, stored, scales, _ = narrow_weights(bits, bits, rows, columns, 32)
        cases = Cases(depth=1)
        cases.add("MatMulNBits", "product", [cases.input("x", random(1, 1, columns), ("rows", columns)), cases.constant(
            "w", stored), cases.constant("s", scales)], K=columns, N=rows, bits=bits, block_size=32)
        path = tmp_path / f"{bits}.hxm"
        hexin.compile(cases.model(), str(path), targets=["cpu"])
        sizes[bits] = path.stat().st_size - scales.nbytes
        assert sizes[bits] < stored.nbytes + 400_000
    assert sizes[8] - sizes[4] > 0.45 * rows * columns and sizes[4] - sizes[2] > 0.2 * rows * columns


@pytest.mark.parametrize("op, operands, attributes, message", [
    ("MatMulNBits", {"x": (2, 64), "b": (8, 2, 12), "s": (8, 2)}, {"K": 64, "N": 8, "bits": 3, "block_size": 32},
     "bits is 3, expected 2, 4 or 8"),
    ("MatMulNBits", {"x": (2, 64), "b": (8, 2, 16), "s": (8, 2)}, {"K": 64, "N": 8, "block_size": 24}, "power of two"),
    ("MatMulNBits", {"x": (2, 64), "b": (8, 2, 16), "s": (8, 2)}, {"K": 64, "N": 8, "block_size": 32, "weight_prepacked": 1},
     "weight_prepacked"),
    ("MatMulNBits", {"x": (2, 64), "b": (8, 2, 15), "s": (8, 2)}, {"K": 64, "N": 8, "block_size": 32}, "reshape"),
    ("MatMulNBits", {"x": (2, 64), "b": (8, 2, 16), "s": (8, 2)}, {"N": 8, "block_size": 32}, "attribute K is 0"),
    ("MatMulNBitsMlp", {"x": (2, 64)}, {"K": 64, "N": 8, "block_size": 32, "activation": "tanh"}, "expected silu"),
    ("MatMulBnb4", {"x": (2, 64), "b": (256,), "s": (32,)}, {"K": 64, "N": 8, "block_size": 16, "quant_type": 2},
     "expected 0 (FP4) or 1 (NF4)"),
    ("MatMulBnb4", {"x": (2, 64), "b": (256,), "s": (8, 4)}, {"K": 64, "N": 8, "block_size": 16, "quant_type": 1},
     "the scales have rank 2, expected 1"),
    ("GatherBlockQuantized", {"b": (8, 32), "i": (2,), "s": (8, 2)}, {"block_size": 16, "gather_axis": 1}, "expected 0"),
    ("MoE", {"x": (2, 16), "r": (2, 4), "w1": (4, 8, 16), "": None, "w2": (4, 16, 8)}, {"k": 5}, "k is 5 of 4 experts"),
    ("MoE", {"x": (2, 16), "r": (2, 4), "w1": (4, 8, 16), "": None, "w2": (4, 16, 8)}, {"use_sparse_mixer": 1},
     "use_sparse_mixer"),
    ("MoE", {"x": (2, 16), "r": (2, 4), "w1": (4, 8, 16), "": None, "w2": (4, 16, 8)}, {"activation_type": "mish"},
     "expected relu, gelu"),
    ("QMoE", {"x": (2, 16), "r": (2, 4), "b": (4, 8, 8), "s": (4, 8), "": None, "b2": (4, 16, 4), "s2": (4, 16)},
     {"quant_type": "fp8"}, "quant_type 'fp8': expected int"),
])
def test_refusals(op, operands, attributes, message):
    cases = Cases(depth=1)
    kinds = {"b": np.uint8, "b2": np.uint8, "i": np.int64}
    names = [cases.input(name, np.zeros(shape, kinds.get(name, np.float32))) if name else ""
             for name, shape in operands.items()]
    cases.add(op, "bad", names, **attributes)
    text = refusal(cases)
    assert message in text and "'bad'" in text
