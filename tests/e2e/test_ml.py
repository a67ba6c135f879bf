"""Operators of ai.onnx.ml with every option and type, on every device, beside ONNX Runtime; test_ml_trees.py has the
trees."""

import itertools

import numpy as np
import onnxruntime
import pytest
from devices import DEVICES
from ml_cases import TRANSFORMS, Cases, opened, refused, same, tensor
from onnx import TensorProto as T
from onnx import helper
from tree_cases import X, forest

rng = np.random.default_rng(300)


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


FAMILIES = [elements, categories, old_labels, linear, vectors]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_beside_onnxruntime(tmp_path, family, device):
    family().check(tmp_path, device)


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
