"""Trees of ai.onnx.ml, on every device: beside ONNX Runtime, and beside plain Python where that has no kernel or answers
otherwise than the standard says."""

import itertools

import numpy as np
import onnxruntime
import pytest
from devices import DEVICES
from ml_cases import TRANSFORMS, Cases, opened, refused, same, tensor
from onnx import TensorProto as T
from tree_cases import MEMBERS, MODES, TWO_TREES, X, ensemble, forest


def inputs_of_trees(cases):
    for name, kind in (("f", np.float32), ("d", np.float64)):
        cases.input(name, X.astype(kind))
    for name, kind in (("l", np.int64), ("i", np.int32)):
        cases.input(name, np.nan_to_num(X * 2).astype(kind))


def regressors():
    cases = Cases()
    inputs_of_trees(cases)
    for mode in MODES:
        for tracks in (False, True):
            cases.add("TreeEnsembleRegressor", f"{mode}-{tracks}", ["f"], [T.FLOAT], n_targets=1,
                      **forest(1, 4, 4, 1, "target", mode, tracks=tracks))
    for join, votes in itertools.product(("SUM", "AVERAGE", "MIN", "MAX"), ("one", "all", "tree")):
        for transform in TRANSFORMS if (join, votes) == ("SUM", "all") else TRANSFORMS[:1]:
            cases.add("TreeEnsembleRegressor", f"{join}-{votes}-{transform}", ["f"], [T.FLOAT], n_targets=3, aggregate_function=join,
                      post_transform=transform, **forest(2, 6, 4, 3, "target", votes=votes))
        if votes == "all":
            cases.add("TreeEnsembleRegressor", f"{join}-base", ["f"], [T.FLOAT], n_targets=3, aggregate_function=join,
                      base_values=[0.5, -2.0, 3.0], **forest(3, 5, 4, 3, "target", votes=votes))
    for transform in TRANSFORMS:
        cases.add("TreeEnsembleRegressor", f"single-{transform}", ["f"], [T.FLOAT], n_targets=1, base_values=[0.25],
                  post_transform=transform, **forest(4, 5, 3, 1, "target", positive=True))
    cases.add("TreeEnsembleRegressor", "input-d", ["d"], [T.FLOAT], n_targets=2, **forest(5, 6, 5, 2, "target", votes="all"))
    doubles = forest(6, 6, 5, 2, "target", votes="all")
    for key in ("nodes_values", "target_weights"):
        doubles[f"{key}_as_tensor"] = tensor(T.DOUBLE, [value + 1e-9 for value in doubles.pop(key)])
    cases.add("TreeEnsembleRegressor", "doubles", ["d"], [T.FLOAT], n_targets=2,
              base_values_as_tensor=tensor(T.DOUBLE, [0.1, 0.2]), **doubles)
    cases.add("TreeEnsembleRegressor", "large", ["f"], [T.FLOAT], 1e-4, n_targets=1, **forest(7, 100, 9, 1, "target", "BRANCH_LEQ"))
    return cases


def classifiers():
    cases = Cases()
    inputs_of_trees(cases)
    for votes, transform in [("one", "NONE"), ("tree", "NONE"), *(("all", transform) for transform in TRANSFORMS)]:
        labels = {"classlabels_strings": ["x", "y", "z"]} if votes == "all" else {"classlabels_int64s": [4, 2, 9]}
        kind = T.STRING if votes == "all" else T.INT64
        cases.add("TreeEnsembleClassifier", f"three-{votes}-{transform}", ["f"], [kind, T.FLOAT], post_transform=transform,
                  base_values=[0.1, -0.2, 0.3], **labels, **forest(11, 6, 4, 3, "class", votes=votes))
    for votes in ("one", "all", "tree"):  # a class that nobody votes for does not win with its 0
        trees = forest(15, 3, 3, 4, "class", "BRANCH_LEQ", votes=votes)
        trees["class_weights"] = [-abs(weight) for weight in trees["class_weights"]]
        cases.add("TreeEnsembleClassifier", f"negative-{votes}", ["f"], [T.INT64, T.FLOAT], classlabels_int64s=[4, 2, 9, 7], **trees)
    for positive, transform in itertools.product((True, False), TRANSFORMS[:4]):
        for labels, base in (({"classlabels_int64s": [4, 2]}, {}), ({"classlabels_strings": ["x", "y"]}, {"base_values": [0.05]})):
            kind = T.STRING if base else T.INT64
            cases.add("TreeEnsembleClassifier", f"two-{positive}-{transform}-{kind}", ["f"], [kind, T.FLOAT],
                      post_transform=transform, **base, **labels, **forest(12, 5, 4, 1, "class", positive=positive))
    second = forest(12, 5, 4, 1, "class", positive=True)
    second["class_ids"] = [1] * len(second["class_ids"])
    cases.add("TreeEnsembleClassifier", "second", ["f"], [T.INT64, T.FLOAT], classlabels_int64s=[4, 2], **second)
    cases.add("TreeEnsembleClassifier", "label", ["f"], [T.INT64, T.FLOAT], classlabels_int64s=[4],
              **forest(13, 5, 4, 1, "class"))
    for name in "dli":
        cases.add("TreeEnsembleClassifier", f"input-{name}", [name], [T.INT64, T.FLOAT], classlabels_int64s=[0, 1, 2],
                  **forest(14, 6, 5, 3, "class", votes="all"))
    return cases


def ensembles():
    cases = Cases(version=5)
    whole = np.round(X * 2)
    for name, kind in (("f", np.float32), ("d", np.float64)):
        cases.input(name, whole.astype(kind))
    for join, transform in [(0, 0), (1, 0), (2, 0), (3, 0), (1, 3), (1, 4)]:
        cases.add("TreeEnsemble", f"{join}-{transform}", ["f"], [T.FLOAT], **ensemble(
            T.FLOAT, TWO_TREES, tree_roots=[0, 3], n_targets=2, aggregate_function=join, post_transform=transform,
            membership_values=tensor(T.FLOAT, MEMBERS)))
    cases.add("TreeEnsemble", "doubles", ["d"], [T.DOUBLE], 1e-12, **ensemble(
        T.DOUBLE, TWO_TREES, tree_roots=[0, 3], n_targets=2, membership_values=tensor(T.DOUBLE, MEMBERS)))
    cases.add("TreeEnsemble", "leaf", ["f"], [T.FLOAT], **ensemble(
        T.FLOAT, ([(0, 0, 0.0, (True, 0), (True, 0), 0)], [(1, 0.5)]), tree_roots=[0], n_targets=3))
    return cases


FAMILIES = [regressors, classifiers, ensembles]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_beside_onnxruntime(tmp_path, family, device):
    family().check(tmp_path, device)


@pytest.mark.parametrize("device", DEVICES)
def test_sizes_that_only_a_run_knows(tmp_path, device):
    """The same kernels for any number of rows; features are counted by the run."""
    import hexin

    cases = Cases()
    cases.input("f", X.astype(np.float32))
    trees = forest(21, 5, 4, 3, "class", "BRANCH_LEQ", votes="all")
    cases.add("TreeEnsembleClassifier", "trees", ["f"], [T.INT64, T.FLOAT], classlabels_int64s=[3, 1, 2], **trees)
    cases.add("LinearClassifier", "linear", ["f"], [T.INT64, T.FLOAT], classlabels_ints=[3, 1], coefficients=[1.0, 2, 3, 4] * 2, intercepts=[0.5, 0.25])
    cases.add("Normalizer", "norm", ["f"], [T.FLOAT], norm="L2")
    model = cases.model(lambda name, value: ["rows", "columns"])
    session = opened(model, tmp_path, device)
    engine = onnxruntime.InferenceSession(cases.model().SerializeToString(), providers=["CPUExecutionProvider"])
    expected = dict(zip(cases.types, engine.run(list(cases.types), cases.inputs)))
    for rows in (1, 0, 33, 40):
        found = session.run({"f": X[:rows].astype(np.float32)})
        for name, value in expected.items():
            same(found[name], value[:rows], 2e-5, f"{name} {rows}")
    with pytest.raises(hexin.Error, match="3|4"):
        session.run({"f": X[:, :3].astype(np.float32)})


@pytest.mark.parametrize("device", DEVICES)
def test_what_onnxruntime_has_no_kernel_for(tmp_path, device):
    """Integers into regressors, f16, labels of two classes with a score each, transforms 1 and 2 of TreeEnsemble."""
    trees = forest(5, 6, 5, 2, "target", votes="all")
    cases = Cases(version=5)
    whole = np.nan_to_num(X * 2).astype(np.int32)
    for name, kind in (("f", np.float32), ("i", np.int32), ("l", np.int64), ("h", np.float16)):
        cases.input(name, whole.astype(kind))
    for name in "fil":
        cases.add("TreeEnsembleRegressor", f"regress-{name}", [name], [T.FLOAT], n_targets=2, **trees)
    for transform in range(3):
        cases.add("TreeEnsemble", f"ensemble-{transform}", ["f"], [T.FLOAT], post_transform=transform, **ensemble(
            T.FLOAT, TWO_TREES, tree_roots=[0, 3], n_targets=2, membership_values=tensor(T.FLOAT, MEMBERS)))
    cases.add("TreeEnsemble", "half", ["h"], [T.FLOAT16], **ensemble(
        T.FLOAT16, TWO_TREES, tree_roots=[0, 3], n_targets=2, membership_values=tensor(T.FLOAT16, MEMBERS)))
    cases.add("TreeEnsembleClassifier", "two", ["f"], [T.STRING, T.FLOAT], classlabels_strings=["x", "y"],
              **forest(5, 6, 5, 2, "class", votes="all"))
    cases.add("FeatureVectorizer", "mixed", ["f", "i", "l"], [T.FLOAT])
    found = opened(cases.model(), tmp_path, device).run(cases.inputs)
    for name in "il":
        same(found[f"regress-{name}.0"], found["regress-f.0"], 0, name)
    scores = found["ensemble-0.0"]
    powers = np.exp(scores - scores.max(1, keepdims=True))
    same(found["ensemble-1.0"], powers / powers.sum(1, keepdims=True), 1e-5, "softmax")
    same(found["ensemble-2.0"], 1 / (1 + np.exp(-scores)), 1e-5, "logistic")
    same(found["half.0"], scores.astype(np.float16), 1e-3, "half")
    assert found["two.0"].tolist() == ["xy"[top] for top in found["two.1"].argmax(1)]
    same(found["mixed.0"], np.concatenate([whole] * 3, 1).astype(np.float32), 0, "mixed")


def chain(count, **changes):
    """One tree: `count` tests in a row, each false child the next."""
    ids = list(range(2 * count + 1))
    inner = [i % 2 == 0 and i < 2 * count for i in ids]
    return dict(
        nodes_treeids=[0] * len(ids), nodes_nodeids=ids, nodes_featureids=[0] * len(ids), nodes_values=[float(i) for i in ids],
        nodes_modes=["BRANCH_EQ" if i else "LEAF" for i in inner], nodes_truenodeids=[i + 1 if t else 0 for i, t in zip(ids, inner)],
        nodes_falsenodeids=[i + 2 if t else 0 for i, t in zip(ids, inner)],
        target_treeids=[0] * (count + 1), target_nodeids=[i for i, t in zip(ids, inner) if not t], target_ids=[0] * (count + 1),
        target_weights=[float(i) for i, t in zip(ids, inner) if not t], n_targets=1) | changes


def regressor(attributes, kind=np.float32):
    cases = Cases()
    cases.input("x", np.array([[3.0], [40.0], [-1.0]], kind))
    cases.add("TreeEnsembleRegressor", "trees", ["x"], [T.FLOAT], **attributes)
    return cases


@pytest.mark.parametrize("device", DEVICES)
def test_deep_and_shared_trees(tmp_path, device):
    """A tree as deep as it has nodes; leaves with many parents, in a number of steps that is not that of paths."""
    regressor(chain(3000)).check(tmp_path, device)
    count = 60
    nodes = [(0, 0, float(i), (False, i + 1), (False, i + 1), 0) for i in range(count - 1)]
    nodes.append((0, 0, 0.0, (True, 0), (True, 1), 0))
    cases = Cases(version=5)
    cases.input("x", np.array([[3.0], [-1.0]], np.float32))
    cases.add("TreeEnsemble", "shared", ["x"], [T.FLOAT], **ensemble(
        T.FLOAT, (nodes, [(0, 10.0), (0, 20.0)]), tree_roots=[0, count - 1], n_targets=1))
    assert opened(cases.model(), tmp_path, device).run(cases.inputs)["shared.0"].tolist() == [[40], [20]]


TREES_GONE_WRONG = {
    "cycle": ({"nodes_falsenodeids": [2, 0, 4, 0, 2, 0, 0]}, "nodes lead back to themselves, at or above node 2"),
    "self": ({"nodes_truenodeids": [0, 0, 3, 0, 5, 0, 0]}, "nodes lead back to themselves, at or above node 0"),
    "no-child": ({"nodes_truenodeids": [1, 0, 99, 0, 5, 0, 0]}, "a child of tree 0 is node 99"),
    "twice": ({"nodes_nodeids": [0, 1, 2, 3, 4, 5, 5]}, "tree 0 has node 5 twice"),
    "id": ({"nodes_nodeids": [0, 1, 2, 3, 4, 5, -(2**63)]}, "ids must be from 0"),
    "mode": ({"nodes_modes": ["BRANCH_EQ", "LEAF", "BRANCH_XY"] + ["LEAF"] * 4}, "mode 'BRANCH_XY' of node 2 of tree 0"),
    "feature": ({"nodes_featureids": [0, 0, 1, 0, 0, 0, 0]}, "feature 1 is tested, the input has 1"),
    "negative-feature": ({"nodes_featureids": [0, 0, -1, 0, 0, 0, 0]}, "node 2 tests feature -1"),
    "length": ({"nodes_values": [0.0]}, "'nodes_values' has 1 elements, expected 7"),
    "target": ({"target_ids": [0, 0, 0, 1]}, "a weight is for target 1 of 1"),
    "targets": ({"n_targets": 2**40}, "'n_targets' is 1099511627776"),
    "leaf": ({"target_nodeids": [1, 3, 5, 9]}, "a leaf with a weight of tree 0 is node 9"),
    "join": ({"aggregate_function": "MEDIAN"}, "'aggregate_function' is 'MEDIAN'"),
    "transform": ({"post_transform": "SQUARE"}, "'post_transform' is 'SQUARE'"),
    "base": ({"base_values": [1.0, 2.0]}, "'base_values' has 2 elements, expected 1"),
}


@pytest.mark.parametrize("case", TREES_GONE_WRONG)
def test_trees_gone_wrong(tmp_path, case):
    changes, message = TREES_GONE_WRONG[case]
    refused(regressor(chain(3, **changes)).model(), tmp_path, f"trees.*({message})")


def test_members_that_are_missing(tmp_path):
    cases = Cases(version=5)
    cases.input("x", X.astype(np.float32))
    cases.add("TreeEnsemble", "trees", ["x"], [T.FLOAT], **ensemble(
        T.FLOAT, TWO_TREES, tree_roots=[0, 3], n_targets=2, membership_values=tensor(T.FLOAT, [1.0, 2.0])))
    refused(cases.model(), tmp_path, "trees.*'membership_values' has fewer sets")
    cases.nodes[0].attribute.remove(next(each for each in cases.nodes[0].attribute if each.name == "membership_values"))
    refused(cases.model(), tmp_path, "trees.*'membership_values' has fewer sets")
