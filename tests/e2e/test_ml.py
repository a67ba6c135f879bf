"""Operators of ai.onnx.ml with every option and type, on every device, beside ONNX Runtime.

The cases of one family are nodes of one model, so that it costs one compile. Cases that ONNX Runtime has no kernel
for, or answers otherwise than the standard says, are beside plain Python.
"""

import itertools

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto as T
from onnx import helper

DEVICES = ["cpu", "opencl:0"]
TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
rng = np.random.default_rng(300)


class Cases:
    """Nodes of ai.onnx.ml over shared inputs; every output is the model's."""

    def __init__(self, version=3):
        self.nodes, self.inputs, self.types, self.tolerances, self.version = [], {}, {}, {}, version

    def input(self, name, value):
        self.inputs[name] = np.asarray(value)
        return name

    def add(self, op, name, inputs, types, tolerance=2e-5, **attributes):
        names = [f"{name}.{i}" for i in range(len(types))]
        self.types.update(zip(names, types))
        if attributes.get("post_transform") in ("PROBIT", 4):  # steep around 0.5
            tolerance = 1e-3
        self.tolerances.update((each, tolerance) for each in names)
        self.nodes.append(helper.make_node(op, inputs, names, name=name, domain="ai.onnx.ml", **attributes))

    def model(self, sizes=None):
        def port(name, value):
            dims = sizes(name, value) if sizes else value.shape
            kind = T.STRING if value.dtype == object else helper.np_dtype_to_tensor_dtype(value.dtype)
            return helper.make_tensor_value_info(name, kind, dims)

        graph = helper.make_graph(
            self.nodes, "cases", [port(*item) for item in self.inputs.items()],
            [helper.make_tensor_value_info(name, kind, None) for name, kind in self.types.items()])
        return helper.make_model(graph, ir_version=9, opset_imports=[
            helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", self.version)])

    def check(self, folder, device, sizes=None):
        """Against ONNX Runtime, which has all of these."""
        model = self.model(sizes)
        session = opened(model, folder, device)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        engine = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found = session.run(self.inputs)
        for name, expected in zip(self.types, engine.run(list(self.types), self.inputs)):
            same(found[name], expected, self.tolerances[name], name)


def same(found, expected, tolerance, name):
    assert found.shape == expected.shape and found.dtype == expected.dtype, name
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=name)
    else:
        assert found.tolist() == expected.tolist(), name


def opened(model, folder, device):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    hexin.compile(model, str(folder / "ml.hxm"), targets=[device.partition(":")[0]])
    return hexin.Session(str(folder / "ml.hxm"), device=device)


def refused(model, folder, message):
    import hexin

    with pytest.raises(hexin.Error, match=message):
        hexin.compile(model, str(folder / "bad.hxm"), targets=["cpu"])


def tensor(kind, values):
    return helper.make_tensor("t", kind, [len(values)], values)


# -- elements and rows ----------------------------------------------------------------------------------------------


def elements():
    cases = Cases(version=4)
    x = np.array([[1, -2, np.nan, 0.5], [-0.0, 7, 3, -2], [np.nan, 0, -4, 7]])
    for kind in (np.float32, np.float64):
        cases.input(f"x{kind.__name__}", x.astype(kind))
    for kind in (np.int32, np.int64):
        cases.input(f"x{kind.__name__}", np.nan_to_num(x, nan=9).astype(kind))
    cases.input("rows", np.array([[1, -2, 3], [-1, -0.5, -0.25], [0, 0, 0], [1e-3, 5, 2]], np.float32))
    cases.input("row", np.array([1, -2, 3], np.float32))
    for name, replaced in (("nan", float("nan")), ("zero", 0.0), ("seven", 7.0)):
        for count in (1, 4):
            cases.add("Imputer", f"impute-{name}-{count}", ["xfloat32"], [T.FLOAT], replaced_value_float=replaced,
                      imputed_value_floats=[-1.5, 2, 3, 4][:count])
    cases.add("Imputer", "impute-ints", ["xint64"], [T.INT64], replaced_value_int64=-2, imputed_value_int64s=[10, 20, 30, 40])
    for norm in ("MAX", "L1", "L2"):
        cases.add("Normalizer", f"norm-{norm}", ["rows"], [T.FLOAT], norm=norm)
        cases.add("Normalizer", f"norm-row-{norm}", ["row"], [T.FLOAT], norm=norm)
        for kind in ("int32", "int64"):
            cases.add("Normalizer", f"norm-{norm}-{kind}", [f"x{kind}"], [T.FLOAT], norm=norm)
    for sizes in ((4, 4), (3, 5), (6, 1)):
        for kind in ("float32", "float64", "int32", "int64"):
            cases.add("FeatureVectorizer", f"vectorize-{sizes}-{kind}", [f"x{kind}"] * 2, [T.FLOAT], inputdimensions=sizes)
    cases.add("Scaler", "scale", ["xfloat32"], [T.FLOAT], offset=[1.0, 2, 3, 4], scale=[2.0, 0.5, -1, 3])
    cases.add("Scaler", "scale-one", ["xint64"], [T.FLOAT], offset=[1.0], scale=[2.0])
    cases.add("Binarizer", "binarize", ["rows"], [T.FLOAT], threshold=0.5)
    cases.add("ArrayFeatureExtractor", "extract", ["rows", cases.input("columns", np.array([[2, 0]], np.int64))], [T.FLOAT])
    return cases


def categories():
    """All pairs of types of LabelEncoder, which looks keys up; so do CategoryMapper and OneHotEncoder."""
    cases = Cases(version=4)
    data = {
        "strings": (T.STRING, ["b", "", "a", "b", "ä"], np.array([["a", "b", "c"], ["", "ä", "A"]], object)),
        "int64s": (T.INT64, [5, -1, 2**40, 5, 0], np.array([[5, 2**40, 1], [0, -1, 4]], np.int64)),
        "floats": (T.FLOAT, [0.1, float("nan"), -0.0, 0.1, 7.5],
                   np.array([[0.1, np.nan, 0], [-0.0, 7.5, 7.25]], np.float32)),
    }
    doubles = [0.1, float("nan"), 3, 7.5, 0], np.array([[0.1, np.nan], [1, 0]], np.float64)
    for key, value in itertools.product(data, data):
        cases.add("LabelEncoder", f"{key}-{value}", [cases.input(f"x-{key}", data[key][2])], [data[value][0]],
                  **{f"keys_{key}": data[key][1], f"values_{value}": data[value][1]})
    cases.add("LabelEncoder", "defaults", ["x-strings"], [T.INT64], keys_strings=["a"], values_int64s=[3], default_int64=77)
    cases.add("LabelEncoder", "f64-f64", [cases.input("x-f64", doubles[1])], [T.DOUBLE], keys_tensor=tensor(T.DOUBLE, doubles[0]),
              values_tensor=tensor(T.DOUBLE, doubles[0]), default_tensor=tensor(T.DOUBLE, [4]))
    cases.add("LabelEncoder", "f64-strings", ["x-f64"], [T.STRING], keys_tensor=tensor(T.DOUBLE, doubles[0]),
              values_tensor=tensor(T.STRING, [b"p", b"q", b"r", b"s", b"t"]), default_tensor=tensor(T.STRING, [b"none"]))
    cases.add("LabelEncoder", "strings-f64", ["x-strings"], [T.DOUBLE], keys_tensor=tensor(T.STRING, [b"a", b"b"]),
              values_tensor=tensor(T.DOUBLE, [0.1, 0.2]), default_tensor=tensor(T.DOUBLE, [0.3]))
    many = rng.permutation(50000)
    cases.add("LabelEncoder", "many", [cases.input("x-many", many[:100] * 3 + rng.integers(0, 2, 100))], [T.INT64],
              keys_int64s=(many * 3).tolist(), values_int64s=many.tolist())
    cases.add("CategoryMapper", "to-ints", ["x-strings"], [T.INT64], cats_strings=["a", "b", "ä"], cats_int64s=[3, 9, -4],
              default_int64=12)
    cases.add("CategoryMapper", "to-strings", ["x-int64s"], [T.STRING], cats_strings=["a", "b", "ä"],
              cats_int64s=[5, 0, -1], default_string="?")
    cases.add("OneHotEncoder", "hot-strings", ["x-strings"], [T.FLOAT], cats_strings=["b", "a", "zz"])
    cases.add("OneHotEncoder", "hot-ints", ["x-int64s"], [T.FLOAT], cats_int64s=[4, -1, 2**40, 0])
    cases.add("OneHotEncoder", "hot-ints-all", ["x-int64s"], [T.FLOAT], cats_int64s=[4, 2**40, 1, 5, 0, -1], zeros=0)
    cases.add("OneHotEncoder", "hot-floats", [cases.input("whole", np.array([4, 1.5, 0, -1], np.float32))], [T.FLOAT],
              cats_int64s=[4, -1, 1])
    return cases


def old_labels():
    cases = Cases(version=1)
    cases.add("LabelEncoder", "places", [cases.input("s", np.array(["b", "x", "a"], object))], [T.INT64],
              classes_strings=["a", "b"], default_int64=-7)
    cases.add("LabelEncoder", "texts", [cases.input("i", np.array([1, 2, 0, -1], np.int64))], [T.STRING],
              classes_strings=["a", "b"], default_string="none")
    return cases


# -- linear models, support vectors ---------------------------------------------------------------------------------


def linear():
    cases = Cases()
    x = rng.standard_normal((5, 3)) * 0.3
    for name, kind in (("f", np.float32), ("d", np.float64), ("l", np.int64), ("i", np.int32)):
        cases.input(name, (x if name in "fd" else np.round(x * 9)).astype(kind))
    row, rows = [0.2, -0.1, 0.3], (rng.standard_normal((3, 3)) * 0.2).ravel().tolist()
    for transform in TRANSFORMS:
        cases.add("LinearRegressor", f"one-{transform}", ["f"], [T.FLOAT], coefficients=row, intercepts=[0.5],
                  post_transform=transform)
        cases.add("LinearRegressor", f"three-{transform}", ["f"], [T.FLOAT], coefficients=rows, targets=3,
                  intercepts=[0.5, 0.4, 0.45], post_transform=transform)
        for labels in ({"classlabels_ints": [7, -3, 5]}, {"classlabels_strings": ["x", "y", "z"]}):
            kind = T.STRING if "classlabels_strings" in labels else T.INT64
            cases.add("LinearClassifier", f"classes-{kind}-{transform}", ["f"], [kind, T.FLOAT], coefficients=rows,
                      intercepts=[0.5, 0.4, 0.45], post_transform=transform, **labels)
            two = {key: value[:2] for key, value in labels.items()}
            if transform != "PROBIT":  # of which ONNX Runtime takes one of the two
                cases.add("LinearClassifier", f"two-{kind}-{transform}", ["f"], [kind, T.FLOAT], coefficients=row,
                          intercepts=[0.01], post_transform=transform, **two)
    for name in "dli":
        cases.add("LinearClassifier", f"classes-{name}", [name], [T.INT64, T.FLOAT], coefficients=rows,
                  intercepts=[0.1, 0, 0], classlabels_ints=[0, 1, 2])
    cases.add("LinearRegressor", "bare", ["f"], [T.FLOAT], coefficients=row)
    return cases


def vectors():
    cases = Cases()
    cases.input("x", rng.standard_normal((6, 3)).astype(np.float32))
    support = (rng.standard_normal((7, 3))).ravel().tolist()
    params = {"kernel_params": [0.5, 0.25, 3.0]}
    coefficients = rng.standard_normal(14).tolist()
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
        shared = {"kernel_type": kernel, "support_vectors": support, **params}
        for one_class in (0, 1):
            cases.add("SVMRegressor", f"regress-{kernel}-{one_class}", ["x"], [T.FLOAT], coefficients=coefficients[:7], rho=[0.1],
                      n_supports=7, one_class=one_class, **shared)
        for transform in TRANSFORMS if kernel == "RBF" else TRANSFORMS[:1]:
            three = {"coefficients": coefficients, "vectors_per_class": [2, 1, 4], "rho": [0.1, -0.2, 0.3],
                     "post_transform": transform, **shared}
            two = {"coefficients": coefficients[:7], "vectors_per_class": [3, 4], "rho": [0.1], "post_transform": transform,
                   **shared}
            kind = T.STRING if kernel == "POLY" else T.INT64
            labels = {"classlabels_strings": ["x", "y", "z"]} if kernel == "POLY" else {"classlabels_ints": [4, 2, 9]}
            labels2 = {key: value[:2] for key, value in labels.items()}
            cases.add("SVMClassifier", f"three-{kernel}-{transform}", ["x"], [kind, T.FLOAT], **labels, **three)
            cases.add("SVMClassifier", f"platt3-{kernel}-{transform}", ["x"], [kind, T.FLOAT], prob_a=[-1.2, -0.8, -2],
                      prob_b=[0.3, 0.1, -0.2], **labels, **three)
            cases.add("SVMClassifier", f"platt2-{kernel}-{transform}", ["x"], [kind, T.FLOAT], prob_a=[-1.2], prob_b=[0.3],
                      **labels2, **two)
            if transform != "PROBIT":
                cases.add("SVMClassifier", f"two-{kernel}-{transform}", ["x"], [kind, T.FLOAT], **labels2, **two)
    cases.add("SVMRegressor", "regress-plain", ["x"], [T.FLOAT], coefficients=[0.5, -0.3, 0.2], rho=[0.1], kernel_type="LINEAR", **params)
    cases.add("SVMClassifier", "plain", ["x"], [T.INT64, T.FLOAT], coefficients=coefficients[:9], rho=[0.1], kernel_type="LINEAR",
              classlabels_ints=[4, 2, 9], **params)
    return cases


# -- trees ----------------------------------------------------------------------------------------------------------

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
X = np.round(rng.standard_normal((40, 4)), 1)
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


FAMILIES = [elements, categories, old_labels, linear, vectors, regressors, classifiers, ensembles]


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


WRONG = {
    "impute-kind": ("Imputer", {"imputed_value_int64s": [1]}, "expected the attribute 'imputed_value_floats'"),
    "impute-count": ("Imputer", {"imputed_value_floats": [1.0, 2.0]}, "2"),
    "norm": ("Normalizer", {"norm": "L7"}, "'norm' is 'L7'"),
    "dimensions": ("FeatureVectorizer", {"inputdimensions": [1, 2]}, "2 sizes of 1 inputs"),
    "keys": ("LabelEncoder", {"keys_floats": [1.0], "values_int64s": [1, 2]}, "1 keys and 2 values"),
    "keys-kind": ("LabelEncoder", {"keys_strings": ["a"], "values_int64s": [1]}, "different types"),
    "hot-both": ("OneHotEncoder", {"cats_int64s": [1], "cats_strings": ["a"]}, "expected one of the attributes"),
    "rows": ("LinearRegressor", {"coefficients": [1.0, 2, 3], "targets": 2}, "3 coefficients do not make 2 rows"),
    "columns": ("LinearRegressor", {"coefficients": [1.0, 2]}, "3 and 2 must be equal"),
    "labels": ("LinearClassifier", {"coefficients": [1.0], "intercepts": [0.0], "classlabels_ints": [1, 2, 3]}, "1 rows .* 3 labels"),
    "kernel": ("SVMRegressor", {"kernel_type": "CUBE", "coefficients": [1.0], "rho": [0.0]}, "'kernel_type' is 'CUBE'"),
    "params": ("SVMRegressor", {"kernel_params": [1.0], "coefficients": [1.0], "rho": [0.0]}, "expected gamma, coef0 and degree"),
    "supports": ("SVMRegressor", {"n_supports": 2, "support_vectors": [1.0], "coefficients": [1.0], "rho": [0.0]}, "do not make 2 rows"),
    "classes": ("SVMClassifier", {"vectors_per_class": [1], "classlabels_ints": [1, 2], "rho": [0.0]}, "2 labels and vectors of 1 classes"),
    "vectors": ("SVMClassifier", {"vectors_per_class": [2**40, 1], "classlabels_ints": [1, 2], "rho": [0.0]}, "counts 1099511627776"),
    "coefficients": ("SVMClassifier", {"vectors_per_class": [1, 1], "support_vectors": [1.0, 2.0], "coefficients": [1.0],
                                       "classlabels_ints": [1, 2], "rho": [0.0]}, "has 1 numbers, expected 2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_attributes_gone_wrong(tmp_path, case):
    op, attributes, message = WRONG[case]
    cases = Cases(version=4)
    columns = 3 if case in ("impute-count", "columns") else 1
    cases.add(op, "wrong", [cases.input("x", np.zeros((3, columns), np.float32))], [T.FLOAT], **attributes)
    refused(cases.model(), tmp_path, f"wrong.*{message}")


def test_members_that_are_missing(tmp_path):
    cases = Cases(version=5)
    cases.input("x", X.astype(np.float32))
    cases.add("TreeEnsemble", "trees", ["x"], [T.FLOAT], **ensemble(
        T.FLOAT, TWO_TREES, tree_roots=[0, 3], n_targets=2, membership_values=tensor(T.FLOAT, [1.0, 2.0])))
    refused(cases.model(), tmp_path, "trees.*'membership_values' has fewer sets")
    cases.nodes[0].attribute.remove(next(each for each in cases.nodes[0].attribute if each.name == "membership_values"))
    refused(cases.model(), tmp_path, "trees.*'membership_values' has fewer sets")


@pytest.mark.parametrize("device", DEVICES)
def test_a_category_that_is_absent(tmp_path, device):
    import hexin

    cases = Cases()
    cases.add("OneHotEncoder", "hot", [cases.input("x", np.array([1, 5], np.int64))], [T.FLOAT], cats_int64s=[1, 2], zeros=0)
    session = opened(cases.model(), tmp_path, device)
    with pytest.raises(hexin.Error, match="hot.*index"):
        session.run(cases.inputs)
    assert session.run({"x": np.array([2, 1], np.int64)})["hot.0"].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("device", DEVICES)
def test_a_pipeline(tmp_path, device):
    """What converters make of a pipeline: impute, scale, vectorise, a forest, its label, and probabilities as dicts."""
    trees = forest(31, 8, 4, 3, "class", "BRANCH_LEQ", votes="all", positive=True)

    def ml(op, inputs, outputs, **attributes):
        return helper.make_node(op, inputs, outputs, name=op, domain="ai.onnx.ml", **attributes)

    nodes = [
        ml("Imputer", ["numbers"], ["full"], replaced_value_float=float("nan"), imputed_value_floats=[0.1, 0.2, 0.3]),
        ml("Scaler", ["full"], ["scaled"], offset=[0.0, 0.5, -0.5], scale=[1.0, 2.0, 0.5]),
        ml("LabelEncoder", ["colour"], ["code"], keys_strings=["red", "green"], values_floats=[-1.0, 1.0], default_float=0.0),
        ml("FeatureVectorizer", ["scaled", "code"], ["features"], inputdimensions=[3, 1]),
        ml("TreeEnsembleClassifier", ["features"], ["label", "scores"], classlabels_strings=["a", "b", "c"], post_transform="SOFTMAX",
           **trees),
        ml("ZipMap", ["scores"], ["probabilities"], classlabels_strings=["a", "b", "c"]),
    ]
    maps = helper.make_sequence_type_proto(helper.make_map_type_proto(T.STRING, helper.make_tensor_type_proto(T.FLOAT, [])))
    graph = helper.make_graph(
        nodes, "pipeline", [helper.make_tensor_value_info("numbers", T.FLOAT, ["n", 3]), helper.make_tensor_value_info("colour", T.STRING, ["n", 1])],
        [helper.make_tensor_value_info("label", T.STRING, ["n"]), helper.make_value_info("probabilities", maps)])
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)])
    feeds = {"numbers": X[:6, :3].astype(np.float32), "colour": np.array([["red"], ["green"], ["blue"]] * 2, object)}
    engine = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    label, probabilities = engine.run(None, feeds)
    found = opened(model, tmp_path, device).run(feeds)
    assert found["label"].tolist() == label.tolist()
    same_dicts(found["probabilities"], probabilities)
    if device == "cpu":
        import hexin.onnx_backend

        results = hexin.onnx_backend.prepare(model).run([feeds["numbers"], feeds["colour"]])
        same_dicts(results[1], probabilities)


def same_dicts(found, expected):
    assert len(found) == len(expected)
    for row, wanted in zip(found, expected):
        assert isinstance(row, dict) and row.keys() == wanted.keys()
        np.testing.assert_allclose([float(row[key]) for key in wanted], list(wanted.values()), rtol=1e-5)
