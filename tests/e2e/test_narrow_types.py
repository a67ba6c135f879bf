"""Types below a byte, 8-bit floats and complex numbers on every device: all codes, ties, what does not fit, moves."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from devices import DEVICES
from onnx import TensorProto, helper

FLOATS = {
    "FLOAT8E4M3FN": ml_dtypes.float8_e4m3fn, "FLOAT8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "FLOAT8E5M2": ml_dtypes.float8_e5m2, "FLOAT8E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
}
MOVED = {"FLOAT8E4M3FN": ml_dtypes.float8_e4m3fn, "FLOAT4E2M1": ml_dtypes.float4_e2m1fn, "INT4": ml_dtypes.int4,
         "UINT2": ml_dtypes.uint2, "COMPLEX64": np.complex64, "COMPLEX128": np.complex128}


def run(nodes, inputs, outputs, folder, device):
    import hexin

    kinds = {name: getattr(TensorProto, kind) for name, (kind, _) in inputs.items()}
    graph = helper.make_graph(
        nodes, "narrow", [helper.make_tensor_value_info(name, kinds[name], value.shape) for name, (_, value) in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs])
    model = onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)], ir_version=11))
    hexin.compile(model, str(folder / "narrow.hxm"), targets=[device.partition(":")[0]])
    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    session = hexin.Session(str(folder / "narrow.hxm"), device=device)
    return session.run({name: value for name, (_, value) in inputs.items()})


def interesting(dtype):
    """Every value, the midpoints between neighbours, and what stands just beside them."""
    codes = np.arange(256, dtype=np.uint8).view(dtype).astype(np.float64)
    values = np.unique(codes[np.isfinite(codes)])
    middles = (values[:-1] + values[1:]) / 2
    largest = values[-1]
    edges = np.array([largest * 1.01, largest * 1.07, largest * 2, 1e30, np.inf, np.nan, values[values > 0][0] / 2, 1e-30])
    near = np.concatenate([values, middles, edges, -edges])
    return np.concatenate([near, np.nextafter(near, np.inf), np.nextafter(near, -np.inf)])


def encoded(values, dtype, saturates):
    if saturates:
        largest = float(ml_dtypes.finfo(dtype).max)
        values = np.where(np.isnan(values), values, np.clip(values, -largest, largest))
    return values.astype(dtype)


def same(found, expected):
    # NaN has many codes.
    return np.array_equal(np.isnan(found.astype(np.float32)), np.isnan(expected.astype(np.float32))) and np.array_equal(
        found.view(np.uint8)[~np.isnan(found.astype(np.float32))], expected.view(np.uint8)[~np.isnan(expected.astype(np.float32))])


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("device", DEVICES)
def test_casts_of_eight_bit_floats(tmp_path, device):
    nodes, inputs, outputs = [], {}, []
    for name, dtype in FLOATS.items():
        inputs[f"codes-{name}"] = (name, np.arange(256, dtype=np.uint8).view(dtype))
        nodes.append(helper.make_node("Cast", [f"codes-{name}"], [f"decoded-{name}"], to=TensorProto.FLOAT))
        wide = interesting(dtype)
        inputs[f"double-{name}"] = ("DOUBLE", wide)
        inputs[f"float-{name}"] = ("FLOAT", wide.astype(np.float32))
        for source in ("double", "float"):
            for saturate in (0, 1):
                nodes.append(helper.make_node("Cast", [f"{source}-{name}"], [f"{source}{saturate}-{name}"],
                                              to=getattr(TensorProto, name), saturate=saturate))
    outputs = [node.output[0] for node in nodes]
    found = run(nodes, inputs, outputs, tmp_path, device)
    for name, dtype in FLOATS.items():
        np.testing.assert_array_equal(found[f"decoded-{name}"], inputs[f"codes-{name}"][1].astype(np.float32), err_msg=name)
        for saturate in (0, 1):
            # ml_dtypes rounds f64 twice; f32 holds what decides, but for the neighbours of a tie.
            narrow = inputs[f"float-{name}"][1]
            assert same(found[f"float{saturate}-{name}"], encoded(narrow, dtype, saturate)), (name, saturate)
            wide = inputs[f"double-{name}"][1]
            exact = np.where(wide.astype(np.float32) == wide, wide, np.nextafter(
                wide.astype(np.float32), np.where(wide > wide.astype(np.float32), np.inf, -np.inf).astype(np.float32)))
            assert same(found[f"double{saturate}-{name}"], encoded(exact.astype(np.float32), dtype, saturate)), (name, saturate)


@pytest.mark.parametrize("device", DEVICES)
def test_moves_keep_every_bit(tmp_path, device):
    nodes, inputs, expected = [], {}, {}
    index = np.array([2, 0, -1], np.int64)
    inputs["index"] = ("INT64", index)
    inputs["condition"] = ("BOOL", np.arange(24).reshape(4, 6) % 3 == 0)
    for kind, dtype in MOVED.items():
        value = (np.arange(24) % (4 if kind == "UINT2" else 7)).astype(np.float32).reshape(4, 6).astype(dtype)
        if kind.startswith("COMPLEX"):
            value *= dtype(1 - 2j)
        inputs[kind] = (kind, value)
        for name, made, result in (
                ("transpose", helper.make_node("Transpose", [kind], [""]), value.T),
                ("concat", helper.make_node("Concat", [kind, kind], [""], axis=1), np.concatenate([value, value], 1)),
                ("gather", helper.make_node("Gather", [kind, "index"], [""], axis=1), value[:, index]),
                ("where", helper.make_node("Where", ["condition", kind, kind], [""]), value),
                ("copy", helper.make_node("Identity", [kind], [""]), value)):
            if (name in ("concat", "gather", "where") and not kind.startswith("COMPLEX")):
                continue  # ONNX allows these for complex numbers alone
            made.output[0] = f"{name}-{kind}"
            nodes.append(made)
            expected[made.output[0]] = result
    found = run(nodes, inputs, list(expected), tmp_path, device)
    for name, result in expected.items():
        assert found[name].dtype == result.dtype and found[name].shape == result.shape, name
        assert found[name].astype(np.complex128).tobytes() == np.ascontiguousarray(result).astype(np.complex128).tobytes(), name
