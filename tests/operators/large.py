"""Operators on a million elements, for a test and for a benchmark."""

import numpy as np

from operators.case import EXACT, Bound, Case

COUNT = 2**20
ROWS = 1024


def few_bits(rng, rows: int, size: int = ROWS, block: int = 32) -> Case:
    """A product with weights of 4 bits; scales are powers of two, so that sums are exact."""
    x = rng.integers(-3, 4, (rows, size)).astype(np.float32)
    packed = rng.integers(0, 256, (size, size // block, block // 2)).astype(np.uint8)
    scales = np.exp2(rng.integers(-2, 1, (size, size // block))).astype(np.float32)
    zeros = rng.integers(0, 256, (size, size // block // 2)).astype(np.uint8)
    attributes = {"K": size, "N": size, "bits": 4, "block_size": block}

    def product(x, packed, scales, zeros):
        numbers, points = (np.stack([part & 15, part >> 4], -1).reshape(*scales.shape, -1).astype(np.float64)
                           for part in (packed, zeros))
        return x @ ((numbers - points) * scales[..., None]).reshape(size, size).T

    return Case("MatMulNBits", [x, packed, scales, zeros], attributes, 1, frozenset({1, 2, 3}), EXACT, product,
                domain="com.microsoft", since=1, opset=1)


def forest(rng, rows: int = ROWS, features: int = 20, trees: int = 50, depth: int = 5, targets: int = 20) -> Case:
    """Trees with a weight for every target in every leaf."""
    inner, count = 2**depth - 1, 2**(depth + 1) - 1
    tree, node = np.divmod(np.arange(trees * count), count)
    child = np.where(node < inner, 2 * node + 1, 0)
    leaf = np.flatnonzero(node >= inner).repeat(targets)
    attributes = {
        "n_targets": targets, "nodes_treeids": tree, "nodes_nodeids": node, "nodes_truenodeids": child,
        "nodes_falsenodeids": child + (child > 0), "nodes_featureids": rng.integers(0, features, tree.size),
        "nodes_values": rng.standard_normal(tree.size), "target_treeids": tree[leaf], "target_nodeids": node[leaf],
        "target_ids": np.arange(leaf.size) % targets, "target_weights": rng.integers(-8, 9, leaf.size).astype(np.float32)}
    attributes = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in attributes.items()}
    attributes["nodes_modes"] = ["BRANCH_LEQ" if i < inner else "LEAF" for i in node]
    x = rng.standard_normal((rows, features)).astype(np.float32)
    return Case("TreeEnsembleRegressor", [x], attributes, bound=EXACT, domain="ai.onnx.ml", since=3, opset=3)


def large_cases() -> dict[str, Case]:
    """name -> case. Where sums are rounded, values are small integers, whose sums are exact."""
    rng = np.random.default_rng(0)
    x = rng.permutation(COUNT).astype(np.float32)
    few = rng.integers(0, 1000, COUNT).astype(np.int64)
    ones = rng.integers(-3, 4, COUNT).astype(np.float32)
    index = rng.permutation(COUNT).astype(np.int64)
    again = rng.integers(0, COUNT, COUNT).astype(np.int64)
    axis, k = np.array(0, np.int64), np.array([100], np.int64)
    rows = x.reshape(ROWS, -1)
    sparse = np.where(rng.integers(0, 10, COUNT) == 0, x, 0).astype(np.float32)

    def make(op, *inputs, outputs=1, opset=18, constants=(), bound=EXACT, **attributes):
        case = Case(op, list(inputs), attributes, outputs, frozenset(constants), bound)
        case.since = case.opset = opset
        return case

    return {
        "top-k": make("TopK", x, k, outputs=2, constants={1}),
        "sort": make("TopK", x, np.array([COUNT], np.int64), outputs=2, constants={1}),
        "top-k-rows": make("TopK", rows, np.array([10], np.int64), outputs=2, constants={1}),
        "sort-rows": make("TopK", rows, np.array([COUNT // ROWS], np.int64), outputs=2, constants={1}),
        "unique": make("Unique", few, outputs=4),
        "unique-values": make("Unique", x),
        "cum-sum": make("CumSum", ones, axis, constants={1}),
        "cum-sum-columns": make("CumSum", ones.reshape(ROWS, -1), axis, constants={1}),
        "arg-max": make("ArgMax", x, axis=0),
        "scatter-elements": make("ScatterElements", x, index, ones),
        "scatter-elements-add": make("ScatterElements", np.zeros(COUNT, np.float32), again, ones, reduction="add"),
        "scatter-nd": make("ScatterND", x, index.reshape(-1, 1), ones),
        "scatter-nd-add": make("ScatterND", np.zeros(COUNT, np.float32), again.reshape(-1, 1), ones, reduction="add"),
        "scatter-few-targets": make("ScatterElements", np.zeros(1000, np.float32), few, ones, reduction="add"),
        "gather": make("Gather", x, again),
        "gather-elements": make("GatherElements", rows, rng.integers(0, ROWS, rows.shape).astype(np.int64)),
        "gather-nd": make("GatherND", x, again.reshape(-1, 1)),
        "non-zero": make("NonZero", sparse),
        "compress": make("Compress", x, sparse != 0),
        "one-hot": make("OneHot", few[:2**10], np.array(1000, np.int64), np.array([0, 1], np.float32), constants={1}),
        "reduce-sum": make("ReduceSum", ones, np.array([0], np.int64), constants={1}),
        "few-bits-1": few_bits(rng, 1),
        "few-bits-64": few_bits(rng, 64),
        "forest-20": forest(rng),
        "softmax": make("Softmax", rows / COUNT, bound=Bound(40 + COUNT // ROWS)),
    }
