"""Attention on the driver's stand-in: in f32 and by matrices of halfs, with shared heads, without scores in memory."""

import numpy as np
import pytest
from onnx import TensorProto
from standin_models import SEEDS, Graph, check, random, run, standin

pytestmark = pytest.mark.usefixtures("needs_cuda")

TYPES = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
# Weights are rounded to the type, and the result is; q, k and v are beforehand (`rounded`).
TOLERANCES = {"f32": 1e-5, "f16": 2e-3, "bf16": 1.6e-2}


def causal(size):
    return np.where(np.tri(size, dtype=bool), 0, -np.inf).astype(np.float32)[None, None]


def rounded(x, type):
    """What of 23, 10 or 7 digits a type keeps."""
    digits = {"f32": 23, "f16": 10, "bf16": 7}[type]
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 2.0 ** (digits + 1)) / 2.0 ** (digits + 1), exponent).astype(np.float32)


def reference(q, k, v, mask=0, scale=None):
    """In f64; q [B, Hq, S, D], k [B, Hkv, T, D], v [B, Hkv, T, Dv]."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], axis=1) for x in (k, v))
    scores = q @ k.swapaxes(2, 3) * (q.shape[3] ** -0.5 if scale is None else scale) + mask
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return (powers / powers.sum(-1, keepdims=True)) @ v


def port(graph, name, value, type, unknown=()):
    """An input of `type`; bf16, which numpy's files do not have, by a cast."""
    if type == "bf16":
        return graph.node("Cast", [graph.input(name, value, unknown)], name + ".narrow", is_output=False, to=TYPES[type])
    return graph.input(name, value.astype(np.float16 if type == "f16" else np.float32), unknown)


def finish(graph, op, inputs, type, **attributes):
    """The last node, whose result numpy's files have."""
    graph.node(op, inputs, "narrow" if type == "bf16" else "attention", is_output=type != "bf16", **attributes)
    if type == "bf16":
        graph.node("Cast", ["narrow"], "attention", to=TensorProto.FLOAT)


def attention(queries, keys, features, value_features, mask, is_known, transposes, type="f32", merged=False):
    """softmax(scale * Q Kt + mask) V, as exporters write it; `merged`: heads and batch as one axis around the products."""
    graph = Graph()
    k_shape = (2, 3, features, keys) if not transposes else (2, 3, keys, features)
    shapes = {"q": (2, 3, queries, features), "k": k_shape, "v": (2, 3, keys, value_features)}

    operands = {}
    for seed, (name, shape) in enumerate(shapes.items(), 7):
        rows = 3 if name == "k" and not transposes else 2
        unknown = {} if is_known else {0: "batch", rows: "queries" if name == "q" else "keys"}
        operands[name] = port(graph, name, rounded(random(seed, *shape), type), type, unknown)
        if merged:
            merge = graph.constant(name + ".shape", np.array([6, *shape[2:]]))
            operands[name] = graph.node("Reshape", [operands[name], merge], name + ".merged", is_output=False)
    q, k, v = operands.values()
    if transposes:
        k = graph.node("Transpose", [k], "kt", is_output=False, perm=[0, 2, 1] if merged else [0, 1, 3, 2])
    scores = graph.node("MatMul", [q, k], "products", is_output=False)
    if merged:
        split = graph.constant("split", np.array([2, 3, queries, keys]))
        scores = graph.node("Reshape", [scores, split], "split.scores", is_output=False)
    scale = port(graph, "scale", np.array(0.125), type)
    scores = graph.node("Mul", [scores, scale], "scaled", is_output=False)
    if mask is not None:
        added = port(graph, "mask", mask, type, {} if is_known else {2: "queries", 3: "keys"})
        scores = graph.node("Add", [scores, added], "masked", is_output=False)
    weights = graph.node("Softmax", [scores], "weights", is_output=False, axis=-1)
    if merged:
        again = graph.constant("again", np.array([6, queries, keys]))
        weights = graph.node("Reshape", [weights, again], "merged.weights", is_output=False)
    finish(graph, "MatMul", [weights, v], type)
    k_values = graph.values["k"] if transposes else graph.values["k"].swapaxes(2, 3)
    with np.errstate(invalid="ignore"):
        wanted = reference(graph.values["q"], k_values, graph.values["v"], 0 if mask is None else mask, 0.125)
    graph.wanted = {"attention": (wanted.reshape(6, queries, -1) if merged else wanted).astype(np.float32)}
    return graph


def shared_heads(heads, key_heads, queries, keys, features, value_features, mask=None, type="f32"):
    """ONNX's own operator."""
    graph = Graph()

    shapes = {"q": (2, heads, queries, features), "k": (2, key_heads, keys, features), "v": (2, key_heads, keys, value_features)}
    inputs = [port(graph, name, rounded(random(seed, *shape), type), type) for seed, (name, shape) in enumerate(shapes.items())]
    if mask is not None:
        inputs.append(graph.input("mask", mask))
    # A power of 4, whose root is exact: both operands are scaled by it.
    finish(graph, "Attention", inputs, type, scale=0.0625)
    values = graph.values
    added = 0 if mask is None else np.where(mask, 0, -np.inf)
    graph.wanted = {"attention": reference(values["q"], values["k"], values["v"], added, 0.0625).astype(np.float32)}
    return graph


def check_fused(build_dir, tmp_path, graph, type="f32", opset=20, by_matrices=None):
    """One kernel without scores in memory, by matrices where `type` has them; right in any order of warps."""
    import hexin

    by_matrices = type != "f32" if by_matrices is None else by_matrices
    model = graph.model(opset)
    placed = hexin.compile(model, tmp_path / "none.hxm", targets=["cuda"], emit="placed").text
    whole = placed.partition("// for targets that take attention whole")[2]
    assert '"attention"(' in whole and '"softmax"(' not in whole
    kernels = hexin.compile(model, tmp_path / "none.hxm", targets=["cuda"], emit="kernels").text
    assert ("nvgpu.mma.sync" in kernels) == by_matrices
    for seed in SEEDS:
        check(run(build_dir, tmp_path, model, graph.values, seed)[0], graph.wanted, TOLERANCES[type])


# queries, keys, features of a key, of a value, mask, sizes known, K before it is transposed
SIZES = {
    "square": (64, 64, 64, 64, None, True, True),
    "odd": (45, 71, 20, 37, None, True, True),
    "unknown": (45, 71, 20, 36, None, False, True),
    "masked": (70, 70, 32, 32, causal(70), False, True),
    "transposed": (33, 65, 64, 128, None, True, False),
    "wide": (33, 100, 128, 128, None, True, True),
    "narrow": (40, 40, 1, 3, None, False, True),
    "one-key": (40, 1, 8, 8, None, False, True),
    "many-features": (35, 70, 256, 160, None, True, True),
    "most-features": (20, 40, 130, 512, None, False, False),
}


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("case", SIZES)
def test_sizes(build_dir, tmp_path, case, type):
    by_matrices = type != "f32" and max(SIZES[case][2:4]) <= 256
    check_fused(build_dir, tmp_path, attention(*SIZES[case], type=type), type, by_matrices=by_matrices)


@pytest.mark.parametrize("type", TYPES)
def test_heads_merged_with_the_batch(build_dir, tmp_path, type):
    check_fused(build_dir, tmp_path, attention(50, 50, 32, 32, causal(50), True, True, type=type, merged=True), type)


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("heads, key_heads, queries, keys", [(6, 2, 33, 40), (4, 1, 17, 70), (8, 8, 20, 20)])
def test_shared_heads(build_dir, tmp_path, heads, key_heads, queries, keys, type):
    mask = np.random.default_rng(4).integers(0, 4, (1, heads, queries, keys)) > 0
    graph = shared_heads(heads, key_heads, queries, keys, 32, 24, mask, type)
    check_fused(build_dir, tmp_path, graph, type, opset=23)


@pytest.mark.parametrize("type", TYPES)
def test_rows_without_keys(build_dir, tmp_path, type):
    """NaN, as the softmax of nothing but -inf is; and NaN of a key, which adding -inf does not hide, stays in its head."""
    mask = causal(40)
    mask[0, 0, 3] = -np.inf
    graph = attention(40, 40, 16, 16, mask, False, True, type)
    graph.values["k"][0, 0, 9, 0] = np.nan
    found, _ = run(build_dir, tmp_path, graph.model(), graph.values, 0)
    values = graph.values
    with np.errstate(invalid="ignore"):
        wanted = reference(values["q"], values["k"], values["v"], mask, 0.125).astype(np.float32)
    assert np.isnan(wanted[:, :, 3]).all()
    check(found, {"attention": wanted}, TOLERANCES[type])


def test_rows_without_keys_of_onnx_are_zero(build_dir, tmp_path):
    mask = np.ones((1, 6, 20, 30), bool)
    mask[:, 4, 7] = False
    for type in TYPES:
        graph = shared_heads(6, 2, 20, 30, 16, 16, mask, type)
        graph.wanted["attention"][:, 4, 7] = 0
        folder = tmp_path / type
        folder.mkdir()
        check_fused(build_dir, folder, graph, type, opset=23)


HALF_AS_LARGE = {"f32": 1, "f16": 2}
LARGE = {
    "plain": lambda type: (attention(512, 512, 64, 64, None, True, True, type), 6 * 512 * 512, 20),
    "many-features": lambda type: (attention(900, 900, 192, 192, None, True, False, type), 6 * 900 * 900, 20),
    "shared-heads": lambda type: (shared_heads(6, 2, 512, 512, 64, 64, None, type), 12 * 512 * 512, 23),
}


@pytest.mark.parametrize("type", HALF_AS_LARGE)
@pytest.mark.parametrize("case", LARGE)
def test_has_no_scores_in_memory(build_dir, tmp_path, case, type):
    if standin.is_real():
        pytest.skip("the stand-in counts memory")
    graph, scores, opset = LARGE[case](type)
    found, peak = run(build_dir, tmp_path, graph.model(opset), graph.values, 0)
    check(found, graph.wanted, TOLERANCES[type])
    assert peak < scores * 4 / HALF_AS_LARGE[type]
