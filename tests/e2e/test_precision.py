"""Products of bf16: of what was rounded as that says, within what sums of f32 may lose, on every instruction set."""

import subprocess

import hexin
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from test_integer_products import WINDOWS, windows_of
from test_integer_products import sessions as integer_sessions
from test_narrow_weights import times

ARCHS = ["x86-64-v4+avx512bf16+amx-bf16", "x86-64-v4+avx512bf16", "x86-64-v4", "x86-64-v3", "x86-64-v2"]


def sessions(path):
    """One for every arch that the machine runs."""
    [cpu] = [device for device in hexin.devices() if device.id == "cpu"]
    return {arch: hexin.Session(path, max_isa=arch) for arch in ARCHS if arch in cpu.image_archs}


def rounded(x):
    """To bf16, to nearest, ties to even; NaN stays."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    bits = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32)
    return np.where(np.isfinite(x), bits.view(np.float32), x)


def compiled(folder, node, x_shape, weights, **options):
    """A model of `node` over an input "x" and constants."""
    graph = helper.make_graph(
        [node], "product", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x_shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    path = str(folder / "a.hxm")
    hexin.compile(model, path, targets=["cpu"], precision="bf16", **options)
    return path


def check(found, x, w, product, depth, what):
    """What is exact of the rounded numbers, and `depth` roundings of f32; of which bf16's own are far above."""
    exact, size = product(rounded(x), rounded(w)), product(np.abs(rounded(x)), np.abs(rounded(w)))
    assert np.all(np.abs(found - exact) <= (depth + 1) * 2.0 ** -23 * size), what
    plain, size = product(x, w), product(np.abs(x), np.abs(w))
    assert np.all(np.abs(found - plain) <= (2.0 ** -8 + 2.0 ** -18 + (depth + 1) * 2.0 ** -23) * size), what


# Depths of whole tiles, whole words and neither; columns that end inside of vectors; less than a panel.
@pytest.mark.parametrize("depth,columns", [(64, 64), (258, 70), (65, 33), (17, 16), (512, 128), (96, 100)])
def test_matmul(tmp_path, depth, columns):
    random = np.random.default_rng(depth)
    w = random.standard_normal((depth, columns)).astype(np.float32)
    path = compiled(tmp_path, helper.make_node("MatMul", ["x", "w"], ["y"]), ["n", depth], {"w": w})

    def product(x, w):
        return x.astype(np.float64) @ w.astype(np.float64)

    for arch, session in sessions(path).items():
        for rows in (0, 1, 3, 8, 31, 32, 33, 97, 130):
            x = random.standard_normal((rows, depth)).astype(np.float32)
            check(session.run({"x": x})["y"], x, w, product, depth, (arch, rows))
        x[5, 7], x[90, 0] = np.nan, np.inf
        found = session.run({"x": x})["y"]
        assert np.isnan(found[5]).all(), arch
        assert (found[90] == np.where(rounded(w)[0] > 0, np.inf, -np.inf)).all(), arch
        assert np.isfinite(np.delete(found, [5, 90], 0)).all(), arch


@pytest.mark.parametrize("rows", [1, 3, 4, 40])
def test_rows_that_are_known(tmp_path, rows):
    random = np.random.default_rng(rows)
    w, x = (random.standard_normal(shape).astype(np.float32) for shape in ((80, 48), (rows, 80)))
    node = helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)
    path = compiled(tmp_path, node, [rows, 80], {"w": np.ascontiguousarray(w.T)})
    for arch, session in sessions(path).items():
        check(session.run({"x": x})["y"], x, w, lambda a, b: a.astype(np.float64) @ b.astype(np.float64), 80, arch)


MORE = {"wide": (32, 48, (14, 13), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
        "1x1 of whole tiles": (64, 40, (9, 9), (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
        "1x1 and stride": (64, 40, (9, 9), (1, 1), (2, 2), (0, 0, 0, 0), (1, 1), 1),
        "two of a group": (32, 32, (7, 7), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 2),
        "a picture": (3, 64, (19, 18), (7, 7), (2, 2), (3, 3, 3, 3), (1, 1), 1),
        "an odd row of odd taps": (5, 64, (9, 40), (2, 7), (1, 3), (0, 0, 0, 0), (1, 1), 1),
        "a signal": (1, 40, (1, 300), (1, 50), (1, 20), (0, 0, 0, 0), (1, 1), 1),
        "a signal in blocks": (1, 36, (1, 331), (1, 64), (1, 32), (0, 0, 0, 0), (1, 1), 1),
        "a signal of odd taps": (1, 20, (1, 300), (1, 45), (1, 7), (0, 0, 0, 0), (1, 1), 1),
        "eight outputs": (8, 8, (6, 30), (3, 13), (1, 1), (1, 6, 1, 6), (1, 1), 1),
        "one output": (8, 1, (11, 12), (5, 5), (1, 1), (2, 2, 2, 2), (1, 1), 1),
        "pads beyond the image": (16, 16, (3, 4), (1, 11), (1, 1), (2, 7, 2, 7), (1, 1), 1),
        "pads and dilations": (4, 16, (9, 10), (3, 3), (1, 2), (2, 2, 2, 2), (2, 2), 1)}


def check_convolution(folder, case, images, x_shape):
    random = np.random.default_rng(1)
    channels, outputs, image, taps, strides, pads, dilations, groups = case
    x = random.standard_normal((images, channels, *image)).astype(np.float32)
    w = random.standard_normal((outputs, channels // groups, *taps)).astype(np.float32)
    bias = random.standard_normal(outputs).astype(np.float32)
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], kernel_shape=taps, strides=strides, pads=pads,
                            dilations=dilations, group=groups)
    path = compiled(folder, node, x_shape, {"w": w, "b": bias})

    def product(x, w):
        columns = windows_of(x.astype(np.float64), taps, strides, pads, dilations, 0)
        columns = columns.reshape(images, groups, channels // groups, *columns.shape[2:])
        w = w.astype(np.float64).reshape(groups, outputs // groups, channels // groups, -1)
        return np.einsum("ngcthw,gmct->ngmhw", columns, w).reshape(images, outputs, *columns.shape[-2:])

    depth = channels // groups * taps[0] * taps[1]
    size = product(np.abs(x), np.abs(w)) + np.abs(bias)[:, None, None]
    exact = product(x, w) + bias[:, None, None]
    for arch, session in sessions(path).items():
        found = session.run({"x": x})["y"]
        assert np.all(np.abs(found - exact) <= (2.0 ** -8 + 2.0 ** -18 + (depth + 2) * 2.0 ** -23) * size), arch
    # What is no number is so where windows have it.
    x[-1, 0, image[0] // 2, image[1] // 2] = np.nan
    has_nan = product(np.where(np.isnan(x), 1, 0), np.ones_like(w)) > 0
    for arch, session in sessions(path).items():
        assert (np.isnan(session.run({"x": x})["y"]) == has_nan).all(), arch


@pytest.mark.parametrize("name", [*WINDOWS, *MORE])
def test_convolution(tmp_path, name):
    case = (WINDOWS | MORE)[name]
    check_convolution(tmp_path, case, 2, ["n", case[0], *case[2]])


# Of one image, rows of taps are shared by the windows that have them; blocks of 64 pixels, of up to 768, and more.
ONE_IMAGE = {"3x3": (32, 48, (30, 31), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
             "a small image": (32, 33, (7, 7), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
             "a few pixels": (64, 16, (3, 4), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
             "no pads": (16, 40, (29, 50), (5, 2), (1, 1), (0, 0, 0, 0), (1, 1), 1),
             "a column": (32, 20, (60, 9), (7, 1), (1, 1), (2, 0, 4, 0), (1, 1), 1),
             "strides across": (32, 24, (20, 41), (3, 3), (1, 2), (1, 0, 1, 2), (1, 1), 1),
             "strides down": (32, 24, (41, 20), (3, 3), (2, 1), (1, 1, 1, 1), (1, 1), 1),
             "dilations": (32, 24, (25, 26), (3, 3), (1, 1), (3, 2, 3, 2), (3, 2), 1),
             "dilations across": (64, 16, (25, 26), (3, 2), (1, 1), (1, 1, 1, 2), (1, 3), 1),
             "groups": (64, 64, (14, 13), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 2),
             "wide taps": (8, 8, (12, 70), (3, 36), (1, 1), (1, 17, 1, 18), (1, 1), 1),
             "pads beyond": (32, 16, (2, 5), (5, 3), (1, 1), (6, 4, 4, 3), (1, 1), 1),
             "a wide image": (32, 16, (3, 200), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
             "far taps": (32, 16, (40, 41), (3, 3), (1, 1), (12, 2, 12, 2), (12, 2), 1),
             "a large image": (32, 16, (61, 67), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1)}


@pytest.mark.parametrize("name", ONE_IMAGE)
@pytest.mark.parametrize("sizes", ["known", "unknown"])
def test_one_image(tmp_path, name, sizes):
    case = ONE_IMAGE[name]
    check_convolution(tmp_path, case, 1, [1, case[0], *(case[2] if sizes == "known" else ("h", "w"))])


def test_what_is_rounded_and_what_is_not(tmp_path):
    """Weights of bf16 in the image for cpu, by instructions for them; OpenCL stays in f32, and so do products of two
    inputs."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("MatMul", ["y", "v"], ["z"])]
    graph = helper.make_graph(
        nodes, "two", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64]),
                       helper.make_tensor_value_info("v", TensorProto.FLOAT, [32, 32])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones((64, 32), np.float32), "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    text = hexin.compile(model, targets=["cpu"], emit="placed", precision="bf16").text
    text = text.split("// for targets")[1]
    products = [line for line in text.splitlines() if "hx.matmul" in line]
    assert ["bf16" in line for line in products] == [True, False]
    assert "bf16" not in hexin.compile(model, targets=["opencl"], emit="placed", precision="bf16").text
    assert "bf16" not in hexin.compile(model, targets=["cpu"], emit="placed").text
    text = hexin.compile(model, targets=["cpu"], emit="kernels", precision="bf16").text
    kernels = dict(part.split("\n", 1) for part in text.split("// cpu, ")[1:])
    assert "tdpbf16ps" in kernels[ARCHS[0]] and "dpbf16ps.512" in kernels[ARCHS[1]]
    assert all("llvm.call_intrinsic" not in kernels[arch] for arch in ARCHS[2:])


@pytest.mark.parametrize("form", ["scaled", "transposed", "dequantized"])
@pytest.mark.parametrize("depth", [512, 699])
def test_inputs_of_8_bits(form, depth, tmp_path):
    """Every row by its own scale: off by half a step of it for each weight."""
    random = np.random.default_rng(0)
    weights = random.integers(-128, 128, (depth, 100)).astype(np.int8)
    scales = random.uniform(1e-3, 1e-2, 100).astype(np.float32)
    nodes, constants = times(form, weights, scales)
    graph = helper.make_graph(
        nodes, "scaled", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", depth])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 100])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    path = str(tmp_path / "a.hxm")
    assert "hx.matmul_integer" in hexin.compile(model, targets=["cpu"], emit="placed", precision="int8-dynamic").text
    hexin.compile(model, path, targets=["cpu"], precision="int8-dynamic")
    exact = weights.astype(np.float64) * scales
    for arch, session in integer_sessions(path).items():
        for rows in (0, 1, 7, 33, 100):
            x = random.standard_normal((rows, depth)).astype(np.float32) * np.logspace(-6, 6, rows, dtype=np.float32)[:, None]
            x[rows // 2:rows // 2 + 1] = 0
            found = session.run({"x": x})["y"]
            step = np.abs(x).max(axis=1, initial=0, keepdims=True) / 127
            # Half a step, and roundings of f32: of x over the step, of the factors.
            bound = (0.5 + 2.0 ** -15) * step * np.abs(exact).sum(axis=0) + 4 * 2.0 ** -24 * (np.abs(x) @ np.abs(exact))
            assert np.all(np.abs(found - x @ exact) <= bound), (arch, rows)
        x[3, 5], x[4, 6] = np.nan, np.inf
        found = session.run({"x": x})["y"]
        assert np.isnan(found[3]).all() and not np.isfinite(found[4]).any(), arch
        assert np.isfinite(np.delete(found, [3, 4], 0)).all(), arch


def test_names_that_are_none(tmp_path):
    with pytest.raises(hexin.InvalidArgumentError, match="precision 'f16': expected f32, bf16 or int8-dynamic"):
        hexin.compile(onnx.ModelProto(), str(tmp_path / "a.hxm"), precision="f16")


def difference(second):
    """x w - x v, where v is `second` times w: what is left may be next to nothing."""
    w = np.random.default_rng(3).standard_normal((64, 32)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("MatMul", ["x", "v"], ["b"]),
             helper.make_node("Sub", ["a", "b"], ["y"])]
    graph = helper.make_graph(
        nodes, "difference", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in (("w", w), ("v", w * np.float32(second)))])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_a_model_that_breaks_the_bound_is_refused_by_name(tmp_path, hexin_tool):
    model, out = tmp_path / "difference.onnx", tmp_path / "a.hxm"
    onnx.save(difference(1.001), model)
    out.write_bytes(b"old")
    said = r"in bf16 the model '.*difference\.onnx' is off by \d[.\d]* of the largest value of output 'y', more than 0\.0625"
    with pytest.raises(hexin.FailedPreconditionError, match=said):
        hexin.compile(model, out, precision="bf16")
    assert out.read_bytes() == b"old" and sorted(path.name for path in tmp_path.iterdir()) == ["a.hxm", "difference.onnx"]
    assert hexin.compile(model, out, precision="bf16", max_error=np.inf).error == 0
    assert hexin.compile(model, out, precision="bf16", max_error=100.0).error > 0.0625
    assert hexin.Model(out).metadata["hexin.precision"] == "bf16, within 100 of f32"
    assert "hexin.precision" not in hexin.Model(compiled_plain(model, tmp_path)).metadata
    told = subprocess.run([hexin_tool, "compile", model, "-o", out, "--precision=bf16", "--max-error=0.5"],
                          capture_output=True, text=True)
    assert told.returncode != 0 and "difference.onnx" in told.stderr and "more than 0.5" in told.stderr


def compiled_plain(model, folder):
    hexin.compile(model, folder / "plain.hxm", precision="f32")
    return folder / "plain.hxm"


def test_the_error_is_measured_and_said(tmp_path):
    report = hexin.compile(difference(-1), tmp_path / "a.hxm", precision="bf16")
    assert 0 < report.error < 2.0 ** -6
    assert hexin.compile(difference(-1), tmp_path / "b.hxm").error == 0
    moved = hexin.retarget(tmp_path / "b.hxm", tmp_path / "c.hxm", targets=["cpu"], precision="bf16")
    assert moved.error == report.error
    with pytest.raises(hexin.InvalidArgumentError, match="max_error is a number from 0 on, got -1"):
        hexin.compile(difference(-1), tmp_path / "a.hxm", precision="bf16", max_error=-1)


def test_a_model_that_nothing_made_runs_through(tmp_path):
    """No size fits a window of 4096: the refusal says what helps, and that does."""
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])], "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 1, "n"])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones((1, 1, 4096), np.float32), "w")])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    with pytest.raises(hexin.FailedPreconditionError, match="no run on made inputs .* of infinity, which measures nothing"):
        hexin.compile(model, tmp_path / "a.hxm", targets=["cpu"], precision="bf16")
    hexin.compile(model, tmp_path / "a.hxm", targets=["cpu"], precision="bf16", max_error=np.inf)
    x = np.ones((1, 1, 4096), np.float32)
    assert hexin.Session(tmp_path / "a.hxm", device="cpu").run({"x": x})["y"] == 4096
