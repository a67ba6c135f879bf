"""Operators of ai.onnx.ml that make, take and look up maps, on every device."""

import hexin
import numpy as np
import onnx
import pytest
from devices import DEVICES, TARGETS
from value_cases import array, assert_same, text

T = onnx.TensorProto


def ml_model(node, inputs, outputs):
    graph = onnx.helper.make_graph([node], "maps", inputs, outputs)
    imports = [onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("ai.onnx.ml", 2)]
    made = onnx.helper.make_model(graph, opset_imports=imports)
    made.ir_version = 8
    return made


def map_type(key, value):
    tensor = onnx.helper.make_tensor_type_proto(value, [])
    return onnx.helper.make_map_type_proto(key, tensor)


def run_everywhere(tmp_path, made, **inputs):
    artifact = str(tmp_path / "model.hxm")
    hexin.compile(made, artifact, targets=TARGETS)
    found = {device.id for device in hexin.devices() if device.available}
    return [hexin.Session(artifact, device=device).run(inputs) for device in DEVICES if device in found]


@pytest.mark.parametrize("labels", [{"classlabels_strings": ["cat", "dog", "eel"]}, {"classlabels_int64s": [7, -1, 3]}])
def test_zip_map(tmp_path, labels):
    key = T.STRING if "classlabels_strings" in labels else T.INT64
    node = onnx.helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", **labels)
    y = onnx.helper.make_value_info("y", onnx.helper.make_sequence_type_proto(map_type(key, T.FLOAT)))
    made = ml_model(node, [onnx.helper.make_tensor_value_info("x", T.FLOAT, ["n", 3])], [y])
    x = array(2, 3)
    names = next(iter(labels.values()))
    for outputs in run_everywhere(tmp_path, made, x=x):
        assert [{k: float(v) for k, v in sorted(row.items())} for row in outputs["y"]] == [
            dict(sorted(zip(names, map(float, row)))) for row in x]


def test_dict_vectorizer(tmp_path):
    node = onnx.helper.make_node("DictVectorizer", ["m"], ["y"], domain="ai.onnx.ml", string_vocabulary=["a", "b", "c"])
    made = ml_model(node, [onnx.helper.make_value_info("m", map_type(T.STRING, T.FLOAT))],
                    [onnx.helper.make_tensor_value_info("y", T.FLOAT, [1, 3])])
    for outputs in run_everywhere(tmp_path, made, m={"c": 3.5, "a": np.float32(1), "z": 9}):
        assert_same(outputs["y"], np.array([[1, 0, 3.5]], np.float32), "y")


@pytest.mark.parametrize("form", ["DENSE", "SPARSE"])
@pytest.mark.parametrize("cast", ["TO_FLOAT", "TO_INT64", "TO_STRING"])
def test_cast_map(tmp_path, form, cast):
    node = onnx.helper.make_node("CastMap", ["m"], ["y"], domain="ai.onnx.ml", cast_to=cast, map_form=form, max_map=4)
    kind = {"TO_FLOAT": T.FLOAT, "TO_INT64": T.INT64, "TO_STRING": T.STRING}[cast]
    made = ml_model(node, [onnx.helper.make_value_info("m", map_type(T.INT64, T.FLOAT))],
                    [onnx.helper.make_tensor_value_info("y", kind, [1, "n"])])
    dense = [2.0, 5.0] if form == "DENSE" else [0.0, 2.0, 0.0, 5.0]
    for outputs in run_everywhere(tmp_path, made, m={1: 2.0, 3: 5.0}):
        if cast == "TO_STRING":
            assert list(outputs["y"][0]) == [str(x) if x else "" for x in dense]
        else:
            assert_same(outputs["y"], np.array([dense], np.float32 if cast == "TO_FLOAT" else np.int64), "y")


@pytest.mark.parametrize("keys, values, x", [
    ({"keys_strings": ["a", "b", "a"]}, {"values_int64s": [1, 2, 3]}, text("b", "a", "?")),
    ({"keys_int64s": [5, 7]}, {"values_strings": ["five", "seven"]}, np.array([7, 6, 5])),
    ({"keys_floats": [0.5, float("nan")]}, {"values_floats": [1.0, 2.0]}, np.array([np.nan, 0.5, 1], np.float32)),
    ({"keys_strings": ["a"]}, {"values_strings": ["z"]}, text("a", "b")),
])
def test_label_encoder(tmp_path, keys, values, x):
    kinds = {"O": T.STRING, "i": T.INT64, "f": T.FLOAT}
    out = {"values_int64s": T.INT64, "values_strings": T.STRING, "values_floats": T.FLOAT}[next(iter(values))]
    node = onnx.helper.make_node("LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml", **keys, **values)
    made = ml_model(node, [onnx.helper.make_tensor_value_info("x", kinds[x.dtype.kind], ["n"])],
                    [onnx.helper.make_tensor_value_info("y", out, ["n"])])
    names, mapped = next(iter(keys.values())), next(iter(values.values()))
    fallback = {T.INT64: -1, T.STRING: "_Unused", T.FLOAT: -0.0}[out]

    def encoded(value):
        found = [m for k, m in zip(names, mapped) if k == value or (k != k and value != value)]
        return found[-1] if found else fallback

    for outputs in run_everywhere(tmp_path, made, x=x):
        assert [v for v in outputs["y"]] == [encoded(v) for v in x]
