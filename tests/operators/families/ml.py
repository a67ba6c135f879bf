"""ai.onnx.ml, beside ONNX Runtime."""

import numpy as np
from onnx import TensorProto, TypeProto, helper

from operators import models
from operators.case import Bound, Case, is_float
from operators.families.elementwise import wide
from operators.registry import strategy

ML = "ai.onnx.ml"
FLOAT = np.dtype(np.float32)
POST = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"]


def rows(draw, kind=FLOAT, columns=None, **span):
    return draw.values((draw.dim(1, 5), columns or draw.dim(1, 5)), kind, **span)


@strategy("ArrayFeatureExtractor", domain=ML)
def array_feature_extractor(draw):
    x = rows(draw, draw.dtype())
    i = draw.indices((1, draw.dim(1, 4)), x.shape[1], negative=False)
    return Case(draw.op, [x, i], constants=draw.constants(1), reference=lambda x, i: x[:, i.ravel()])


@strategy("Binarizer", domain=ML)
def binarizer(draw):
    attributes, x = {}, rows(draw, draw.dtype())
    t = draw.maybe(attributes, "threshold", 1.0) or 0.0
    return Case(draw.op, [x], attributes, reference=lambda x: (wide(x) > t).astype(x.dtype))


@strategy("Imputer", domain=ML)
def imputer(draw):
    x = rows(draw, draw.pick([FLOAT, np.dtype(np.int64)]), low=-2, high=2)
    each = draw.flag()
    if is_float(x.dtype):
        x = np.rint(x)
        nan = draw.flag()
        x = np.where(x == 1, np.nan, x).astype(np.float32) if nan else x
        fill = [float(i + 5) for i in range(x.shape[1])] if each else [9.0]
        attributes = {"imputed_value_floats": fill, "replaced_value_float": float("nan") if nan else 1.0}
        hit = np.isnan(x) if nan else x == 1
    else:
        fill = [i + 5 for i in range(x.shape[1])] if each else [9]
        attributes, hit = {"imputed_value_int64s": fill, "replaced_value_int64": 1}, x == 1
    return Case(draw.op, [x], attributes, reference=lambda x: np.where(hit, np.array(fill, x.dtype), x))


@strategy("Scaler", domain=ML)
def scaler(draw):
    x = rows(draw, draw.dtype())
    n = x.shape[1] if draw.flag() else 1
    offset, scale = (np.float32(draw.rng().uniform(0.5, 2, n)) for _ in range(2))
    return Case(draw.op, [x], {"offset": offset.tolist(), "scale": scale.tolist()}, bound=Bound(2, 1, 8.0),
                reference=lambda x: (x.astype(np.float64) - offset) * scale)


@strategy("Normalizer", domain=ML)
def normalizer(draw):
    x, attributes = rows(draw, draw.dtype()), {}
    if draw.flag(4):
        x = np.zeros_like(x)
    norm = draw.maybe(attributes, "norm", draw.pick(["MAX", "L1", "L2"])) or "MAX"

    def reference(x):
        y = x.astype(np.float64)
        d = {"MAX": y.max(1, keepdims=True), "L1": np.abs(y).sum(1, keepdims=True), "L2": np.sqrt((y * y).sum(1, keepdims=True))}[norm]
        return np.where(d == 0, y, y / np.where(d == 0, 1, d))

    return Case(draw.op, [x], attributes, bound=Bound(x.shape[1] + 5), reference=reference)


@strategy("FeatureVectorizer", domain=ML)
def feature_vectorizer(draw):
    kind, n = draw.dtype("T1"), draw.dim(1, 4)
    x = [draw.values((n, draw.dim(1, 4)), kind) for _ in range(draw.int(1, 3))]
    return Case(draw.op, x, {"inputdimensions": [v.shape[1] for v in x]}, bound=Bound(1),
                reference=lambda *x: np.concatenate([v.astype(np.float64) for v in x], 1))


@strategy("OneHotEncoder", domain=ML)
def one_hot_encoder(draw):
    attributes = {}
    text = draw.flag()
    x = draw.values(draw.shape(1, 2, least=1), np.object_) if text else draw.values(draw.shape(1, 2, least=1), draw.pick([FLOAT, np.dtype(np.int64)]), 0, 4)
    x = np.rint(x) if x.dtype == FLOAT else x
    keys = ["a", "b", "ab", "Wort", "", "合芯", "x y", "A"] if text else [0, 1, 2, 3, 4]
    attributes["cats_strings" if text else "cats_int64s"] = keys
    draw.maybe(attributes, "zeros", 1)
    return Case(draw.op, [x], attributes, reference=lambda x: np.array([[float(k == v) for k in keys] for v in x.ravel()],
                np.float32).reshape(*x.shape, len(keys)))


@strategy("CategoryMapper", domain=ML)
def category_mapper(draw):
    words, numbers = ["a", "b", "ab"], [3, 5, 2]
    attributes = {"cats_strings": words, "cats_int64s": numbers}
    to_text = draw.flag()
    default = draw.maybe(attributes, "default_string" if to_text else "default_int64", "none" if to_text else -7)
    default = ("_Unused" if to_text else -1) if default is None else default
    if to_text:
        table = dict(zip(numbers, words))
        return Case(draw.op, [draw.values(draw.shape(1, 2), np.int64, 0, 6)], attributes,
                    reference=lambda x: np.array([table.get(v, default) for v in x.ravel().tolist()], object).reshape(x.shape))
    table = dict(zip(words, numbers))
    return Case(draw.op, [draw.values(draw.shape(1, 2), np.object_)], attributes,
                reference=lambda x: np.array([table.get(v, default) for v in x.ravel()], np.int64).reshape(x.shape))


@strategy("LabelEncoder", domain=ML)
def label_encoder(draw):
    shape = draw.shape(1, 2)
    if draw.since == 1:
        words, attributes = ["a", "b", "ab"], {}
        attributes["classes_strings"] = words
        default = -1 if draw.maybe(attributes, "default_int64", -7) is None else -7
        return Case(draw.op, [draw.values(shape, np.object_)], attributes,
                    reference=lambda x: np.array([words.index(v) if v in words else default for v in x.ravel()], np.int64).reshape(x.shape))
    key, value = draw.pick([("strings", "int64s"), ("int64s", "strings"), ("int64s", "floats"), ("floats", "int64s"), ("floats", "floats"),
                            ("strings", "strings"), ("int64s", "int64s")])
    keys = {"strings": ["a", "b", "ab"], "int64s": [1, 2, 4], "floats": [1.0, 2.0, -3.0]}[key]
    values = {"strings": ["x", "y", "合"], "int64s": [7, -8, 9], "floats": [0.5, -1.5, 2.5]}[value]
    kinds = {"strings": np.dtype(object), "int64s": np.dtype(np.int64), "floats": FLOAT}
    attributes = {f"keys_{key}": keys, f"values_{value}": values}
    default = {"strings": "_Unused", "int64s": -1, "floats": -0.0}[value]
    given = draw.maybe(attributes, f"default_{value[:-1]}", {"strings": "none", "int64s": -70, "floats": 7.5}[value])
    default = default if given is None else given
    x = draw.values(shape, kinds[key], -3, 4)
    x = np.rint(x) if key == "floats" else x
    table = dict(zip(keys, values))
    return Case(draw.op, [x], attributes,
                reference=lambda x: np.array([table.get(v, default) for v in x.ravel().tolist()], kinds[value]).reshape(x.shape))


@strategy("ZipMap", domain=ML)
def zip_map(draw):
    x = rows(draw, columns=3)
    text = draw.flag()
    keys = ["a", "b", "c"] if text else [7, 3, 5]
    return Case(draw.op, [x], {"classlabels_strings" if text else "classlabels_int64s": keys},
                reference=lambda x: [[dict(zip(keys, map(float, row))) for row in x]])


def map_type(key: int, value: int):
    result = TypeProto()
    result.map_type.key_type = key
    result.map_type.value_type.CopyFrom(helper.make_tensor_type_proto(value, []))
    return result


@strategy("CastMap", domain=ML)
def cast_map(draw):
    x = {2: 1.5, 5: -2.0, 0: 3.0}
    attributes = {"cast_to": "TO_FLOAT"}
    dense = draw.maybe(attributes, "map_form", draw.pick(["DENSE", "SPARSE"])) != "SPARSE"
    if not dense:
        attributes["max_map"] = 8
    result = np.zeros((1, 8 if not dense else 3), np.float32)
    result[0] = [x.get(i, 0) for i in range(8)] if not dense else [3, 1.5, -2]
    return Case(draw.op, [x], attributes, types={0: map_type(TensorProto.INT64, TensorProto.FLOAT)}, reference=lambda _: result)


@strategy("DictVectorizer", domain=ML)
def dict_vectorizer(draw):
    words = ["a", "c", "b", "z"]
    x = {"a": 4.0, "b": 2.0, "unknown": 9.0}
    return Case(draw.op, [x], {"string_vocabulary": words}, types={0: map_type(TensorProto.STRING, TensorProto.FLOAT)},
                reference=lambda x: np.array([[x.get(w, 0) for w in words]], np.float32))


def post(draw, attributes, binary=False):
    return draw.maybe(attributes, "post_transform", draw.pick(POST[:2] if binary else POST))


@strategy("LinearRegressor", domain=ML)
def linear_regressor(draw):
    x, targets, attributes = rows(draw), draw.int(1, 3), {}
    attributes.update(targets=targets, coefficients=draw.values((targets * x.shape[1],)).tolist())
    draw.maybe(attributes, "intercepts", draw.values((targets,)).tolist())
    return Case(draw.op, [x], attributes, bound=Bound(2, x.shape[1] + 2, 80.0))


def labels(draw, attributes, classes, key="classlabels_ints"):
    if draw.flag():
        attributes["classlabels_strings"] = [f"c{i}" for i in range(classes)]
    else:
        attributes[key] = [i * 3 - 1 for i in range(classes)]


@strategy("LinearClassifier", domain=ML)
def linear_classifier(draw):
    x, classes, attributes = rows(draw), draw.int(2, 4), {}
    attributes.update(coefficients=draw.values((classes * x.shape[1],)).tolist(), intercepts=draw.values((classes,)).tolist(), multi_class=1)
    labels(draw, attributes, classes)
    post(draw, attributes)
    return Case(draw.op, [x], attributes, 2, bound=Bound(40 + x.shape[1], x.shape[1] + 40, 80.0))


@strategy("SVMRegressor", domain=ML)
def svm_regressor(draw):
    features, vectors = draw.dim(1, 4), draw.dim(1, 4)
    kernel = draw.pick(["LINEAR", "POLY", "RBF", "SIGMOID"])
    attributes = {"kernel_type": kernel, "kernel_params": [0.5, 0.25, 2.0], "n_supports": vectors, "rho": [0.5],
                  "support_vectors": draw.values((vectors * features,), low=-1, high=1).tolist(), "coefficients": draw.values((vectors,)).tolist()}
    x = rows(draw, columns=features, low=-1, high=1)
    return Case(draw.op, [x], attributes, bound=Bound(4, 20 * features * vectors + 20, 64.0))


@strategy("SVMClassifier", domain=ML)
def svm_classifier(draw):
    features, classes = draw.dim(1, 4), draw.int(2, 3)
    per_class = [draw.int(1, 2) for _ in range(classes)]
    vectors, pairs = sum(per_class), classes * (classes - 1) // 2
    attributes = {"kernel_type": draw.pick(["LINEAR", "POLY", "RBF", "SIGMOID"]), "kernel_params": [0.5, 0.25, 2.0],
                  "vectors_per_class": per_class, "support_vectors": draw.values((vectors * features,), low=-1, high=1).tolist(),
                  "coefficients": draw.values((vectors * (classes - 1),)).tolist(), "rho": draw.values((pairs,), low=-1, high=1).tolist()}
    if draw.flag():
        attributes.update(prob_a=[-1.0] * pairs, prob_b=[0.25] * pairs)
    labels(draw, attributes, classes)
    x = rows(draw, columns=features, low=-1, high=1)
    return Case(draw.op, [x], attributes, 2, bound=Bound(64, 40 * features * vectors + 40, 64.0))


def forest(draw, features):
    """Two trees of one or three nodes inside. Thresholds are drawn from a grid that inputs hit."""
    nodes = {key: [] for key in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids",
                                 "missing_value_tracks_true")}
    leaves = []
    modes = draw.pick([["BRANCH_LEQ"], ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE", "BRANCH_EQ", "BRANCH_NEQ"]])

    def add(tree, node, mode, true=0, false=0):
        for key, value in (("treeids", tree), ("nodeids", node), ("featureids", draw.int(0, features - 1) if mode != "LEAF" else 0),
                           ("values", float(draw.int(-2, 2)) if mode != "LEAF" else 0.0), ("modes", mode), ("truenodeids", true),
                           ("falsenodeids", false), ("missing_value_tracks_true", 0)):
            nodes[key].append(value)
        if mode == "LEAF":
            leaves.append((tree, node))

    for tree in range(draw.int(1, 2)):
        if draw.flag():
            add(tree, 0, draw.pick(modes), 1, 2)
            add(tree, 1, draw.pick(modes), 3, 4)
            for leaf in (2, 3, 4):
                add(tree, leaf, "LEAF")
        else:
            add(tree, 0, draw.pick(modes), 1, 2)
            add(tree, 1, "LEAF")
            add(tree, 2, "LEAF")
    return {f"nodes_{key}": value for key, value in nodes.items()}, leaves


def _double(attributes, names):
    for name in names:
        if name in attributes:
            attributes[name + "_as_tensor"] = models.tensor(np.array(attributes.pop(name), np.float64), name)


@strategy("TreeEnsembleRegressor", domain=ML)
def tree_regressor(draw):
    features, targets = draw.dim(1, 4), draw.int(1, 2)
    attributes, leaves = forest(draw, features)
    attributes.update(n_targets=targets, target_treeids=[t for t, _ in leaves], target_nodeids=[n for _, n in leaves],
                      target_ids=[i % targets for i in range(len(leaves))], target_weights=draw.values((len(leaves),)).tolist())
    draw.maybe(attributes, "aggregate_function", draw.pick(["SUM", "AVERAGE", "MIN", "MAX"]))
    draw.maybe(attributes, "base_values", [0.5] * targets)
    x = np.rint(rows(draw, columns=features, low=-3, high=3))
    if draw.since >= 3 and draw.flag(3):
        x = x.astype(np.float64)
        _double(attributes, ["nodes_values", "target_weights", "base_values"])
    return Case(draw.op, [x], attributes, bound=Bound(2, 6, 8.0))


@strategy("TreeEnsembleClassifier", domain=ML)
def tree_classifier(draw):
    features, classes = draw.dim(1, 4), draw.int(2, 3)
    attributes, leaves = forest(draw, features)
    attributes.update(class_treeids=[t for t, _ in leaves], class_nodeids=[n for _, n in leaves],
                      class_ids=[i % classes for i in range(len(leaves))], class_weights=draw.values((len(leaves),)).tolist())
    labels(draw, attributes, classes, "classlabels_int64s")
    post(draw, attributes)
    x = np.rint(rows(draw, columns=features, low=-3, high=3))
    return Case(draw.op, [x], attributes, 2, bound=Bound(40, 40, 8.0))


@strategy("TreeEnsemble", domain=ML)
def tree_ensemble(draw):
    """One tree: feature 0 against a threshold, two leaves; or a leaf under each of two more nodes."""
    kind, features, mode = FLOAT, draw.dim(1, 3), draw.int(0, 5)
    modes = np.array([mode], np.uint8)
    attributes = {"n_targets": 1, "tree_roots": [0], "nodes_modes": models.tensor(modes, "m"), "nodes_featureids": [draw.int(0, features - 1)],
                  "nodes_splits": models.tensor(np.array([draw.int(-1, 1)], kind), "s"), "nodes_truenodeids": [0], "nodes_trueleafs": [1],
                  "nodes_falsenodeids": [1], "nodes_falseleafs": [1], "leaf_targetids": [0, 0],
                  "leaf_weights": models.tensor(draw.values((2,), kind), "w")}
    x = np.rint(rows(draw, kind, columns=features, low=-2, high=2))
    return Case(draw.op, [x], attributes, bound=Bound(1))

