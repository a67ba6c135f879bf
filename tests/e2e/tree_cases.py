"""Trees of ai.onnx.ml, drawn at random and by hand."""

import itertools

import numpy as np
from ml_cases import tensor
from onnx import TensorProto as T

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
X = np.round(np.random.default_rng(300).standard_normal((40, 4)), 1)
X[::5, 1], X[1::7, 0] = np.nan, 0.5


def forest(seed, trees, depth, targets, kind, mode=None, votes="one", positive=False, tracks=True):
    """Lists of attributes of random trees; `votes`: how many of the targets a leaf has."""
    local = np.random.default_rng(seed)
    nodes = {key: [] for key in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids",
                                 "missing_value_tracks_true")}
    leaves = {key: [] for key in ("treeids", "nodeids", "ids", "weights")}
    for tree in range(trees):
        count = itertools.count(1)
        work = [(0, 0)]
        while work:
            node, level = work.pop(0)
            is_leaf = level == depth or (level > 1 and local.random() < 0.3)
            children = (0, 0) if is_leaf else (next(count), next(count))
            row = (tree, node, int(local.integers(4)), float(np.float32(np.round(local.standard_normal(), 1))),
                   "LEAF" if is_leaf else mode or MODES[local.integers(6)], *children, int(tracks and local.integers(2)))
            for key, value in zip(nodes, row):
                nodes[key].append(value)
            work += [] if is_leaf else [(children[0], level + 1), (children[1], level + 1)]
            if not is_leaf:
                continue
            picked = range(targets) if votes == "all" else [tree % targets] if votes == "tree" else [int(local.integers(targets))]
            for target in picked:
                weight = abs(local.standard_normal()) / trees if positive else local.standard_normal()
                for key, value in zip(leaves, (tree, node, target, float(np.float32(weight)))):
                    leaves[key].append(value)
    return {f"nodes_{key}": value for key, value in nodes.items()} | {f"{kind}_{key}": value for key, value in leaves.items()}


def ensemble(kind, tree, **attributes):
    """TreeEnsemble 5 of the nodes (feature, mode, split, (is leaf, id) x 2, tracks) and leaves (target, weight) of `tree`."""
    nodes, leaves = tree
    columns = list(zip(*nodes))
    return dict(
        nodes_featureids=columns[0], nodes_modes=tensor(T.UINT8, columns[1]), nodes_splits=tensor(kind, columns[2]),
        nodes_trueleafs=[int(leaf) for leaf, _ in columns[3]], nodes_truenodeids=[at for _, at in columns[3]],
        nodes_falseleafs=[int(leaf) for leaf, _ in columns[4]], nodes_falsenodeids=[at for _, at in columns[4]],
        nodes_missing_value_tracks_true=columns[5], leaf_targetids=[target for target, _ in leaves],
        leaf_weights=tensor(kind, [weight for _, weight in leaves]), **attributes)


TWO_TREES = ([(0, 0, 0.5, (False, 1), (True, 0), 1), (1, 6, 0.0, (True, 1), (False, 2), 0), (2, 3, -0.3, (True, 2), (True, 1), 0),
              (3, 6, 0.0, (True, 3), (True, 4), 1)],
             [(0, 0.3), (1, 0.7), (0, 0.1), (1, 0.25), (0, -0.5)])
MEMBERS = [1.0, -4, 7, float("nan"), 2, -1, 0, 3, -2, 40]  # ONNX Runtime has sets of integers only
