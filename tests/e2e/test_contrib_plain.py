"""com.microsoft's norms, moves, spectra and crops, beside ONNX Runtime or numpy."""

import math

import numpy as np
import pytest
from contrib_cases import RUNS, Cases, Compiled, compile_cases, node_refusal, open_session, run_family
from devices import DEVICES

rng = np.random.default_rng(310)


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normalised(x, gamma, beta, groups, channels_last, activation, epsilon=1e-5):
    wide = x.astype(np.float64)
    wide = wide if channels_last else np.moveaxis(wide, 1, -1)
    grouped = wide.reshape(wide.shape[0], -1, groups, wide.shape[-1] // groups)
    grouped = (grouped - grouped.mean((1, 3), keepdims=True)) / np.sqrt(grouped.var((1, 3), keepdims=True) + epsilon)
    y = grouped.reshape(wide.shape) * gamma + beta
    y = y * sigmoid(y) if activation else y
    return (y if channels_last else np.moveaxis(y, -1, 1)).astype(x.dtype)


def norms():
    cases = Cases()
    for kind in ("float32", "float16"):
        gamma, beta, bias = (cases.constant(f"{kind}.{name}", floats(12)) for name in ("gamma", "beta", "bias"))
        numbers = [cases.constants[name] for name in (gamma, beta)]
        bias = cases.constant(f"{kind}.bias", cases.constants[bias].astype(kind))
        for last, shape in ((1, (2, 5, 3, 12)), (0, (2, 12, 5, 3))):
            name = f"{kind}-{last}"
            x = cases.input(f"{name}.x", floats(*shape).astype(kind))
            for activation in (0, 1):
                attributes = dict(groups=4, activation=activation, epsilon=1e-3, **({} if last else {"channels_last": 0}))
                cases.add("GroupNorm", f"group-{name}-{activation}", [x, gamma, beta],
                          [normalised(cases.inputs[x], *numbers, 4, last, activation, 1e-3)], **attributes)
                if kind == "float16":  # the sum is rounded first: by then a number of the test's is another
                    continue
                thin = (shape[0], 1, 1, 12) if last else (shape[0], 12, 1, 1)
                for which, skip in (("whole", shape), ("thin", thin), ("flat", (shape[0], 12))):
                    added = cases.input(f"{name}.{which}.{activation}", floats(*skip))
                    sum_ = cases.inputs[x] + cases.inputs[added].reshape(skip if which != "flat" else thin)
                    sum_ = sum_ + cases.constants[bias].reshape(-1, *([] if last else [1, 1]))
                    cases.add("SkipGroupNorm", f"skip-{name}-{activation}-{which}", [x, gamma, beta, added, bias],
                              [normalised(sum_, *numbers, 4, last, activation, 1e-3), sum_], **attributes)
        x, skip = cases.input(f"{kind}.x", floats(2, 7, 12).astype(kind)), cases.input(f"{kind}.skip", floats(2, 7, 12).astype(kind))
        gate = cases.input(f"{kind}.gate", floats(2, 7, 1).astype(kind))
        cases.add("BiasAdd", f"bias-add-{kind}", [x, bias, skip], [cases.inputs[x] + cases.constants[bias] + cases.inputs[skip]])
        cases.add("GatedAdd", f"gated-{kind}", [x, skip, gate])
        cases.add("ScaledSiLU", f"silu-{kind}-alpha", [x], alpha=1.7)
        cases.add("ScaledSiLU", f"silu-{kind}-scale", [x, cases.constant(f"{kind}.scale", np.array(0.3, kind))], alpha=9.0)
    sum_ = cases.inputs["float32.x"] + cases.constants["float32.bias"]
    left, right = sum_[..., :6], sum_[..., 6:].astype(np.float64)
    gelu = right * 0.5 * (1 + np.vectorize(math.erf)(right / math.sqrt(2)))
    cases.add("BiasSplitGelu", "split", ["float32.x", "float32.bias"], [(left * gelu).astype(np.float32)])
    return cases


def complex_parts(x, kind=np.float32):
    return np.stack([x.real, x.imag], -1).astype(kind)


def spectra():
    cases = Cases()
    for kind in (np.float32, np.float64):
        name = np.dtype(kind).name
        x = cases.input(f"{name}.x", rng.standard_normal((2, 3, 6, 10)).astype(kind))
        for count in (1, 2, 3):
            axes = tuple(range(-count, 0))
            spectrum = complex_parts(np.fft.rfftn(cases.inputs[x].astype(np.float64), axes=axes), kind)
            cases.add("Rfft", f"rfft-{name}-{count}", [x], [spectrum], signal_ndim=count)
            cases.add("Irfft", f"irfft-{name}-{count}", [cases.input(f"{name}.s{count}", spectrum)], [cases.inputs[x]], signal_ndim=count)
        a, b = rng.standard_normal((2, 2, 4, 1, 5)), rng.standard_normal((2, 3, 5))
        a, b = a[0] + 1j * a[1], b[0] + 1j * b[1]
        names = [cases.input(f"{name}.{which}", complex_parts(value, kind)) for which, value in (("a", a), ("b", b))]
        cases.add("ComplexMul", f"product-{name}", names, [complex_parts(a * b, kind)])
        cases.add("ComplexMulConj", f"conjugate-{name}", names, [complex_parts(a * b.conj(), kind)])
        rows, columns = rng.standard_normal((5, 33)).astype(kind), rng.standard_normal((7, 33)).astype(kind)
        names = [cases.input(f"{name}.rows", rows), cases.input(f"{name}.columns", columns)]
        cases.add("CDist", f"distance-{name}", names, metric="euclidean")
        cases.add("CDist", f"square-{name}", names)
    return cases


def plain():
    cases = Cases()
    x = cases.input("x", floats(3, 4, 5))
    values = cases.inputs[x]
    for axis in (0, 2, 3, -1, -4):
        name = cases.constant(f"axis{axis}", np.array(axis, np.int32))
        cases.add("ExpandDims", f"expand-{axis}", [x, name])
    given = cases.input("axis", np.array([-2], np.int32), fixed=True)
    cases.add("ExpandDims", "expand-given", [x, given], [np.expand_dims(values, -2)])
    indices = cases.input("indices", rng.integers(0, 6, (2, 3)).astype(np.int64))
    table = cases.constant("table", floats(6, 5))
    padding, frequency = cases.constant("padding", np.int64(2)), cases.constant("frequency", np.bool_(True))
    found = cases.constants[table][cases.inputs[indices]]
    cases.add("TorchEmbedding", "embedding", [table, indices], [found])
    cases.add("TorchEmbedding", "embedding-training", [table, indices, padding, frequency], [found])
    for dim, size, step in ((-1, 3, 1), (-1, 2, 3), (0, 2, 1), (1, 4, 2), (1, 2, 2)):
        cases.add("UnfoldTensor", f"unfold-{dim}-{size}-{step}", [x], dim=dim, size=size, step=step)
    wild = {name: cases.input(name, np.array([[1, value, -2]], np.float32)) for name, value in (("nan", np.nan), ("inf", -np.inf), ("tame", 3))}
    empty = cases.input("empty", np.zeros((0, 4), np.float32))
    for inputs, either, nan, inf in ((["tame", empty], True, True, True), (["tame", "nan"], False, False, True), (["inf", x], False, True, False)):
        for name, attributes, expected in (("", {}, either), ("nan", {"isnan_only": 1}, nan), ("inf", {"isinf_only": 1}, inf)):
            cases.add("IsAllFinite", f"finite-{inputs[0]}-{inputs[1]}-{name}", inputs, [np.array(expected)], **attributes)
    cases.add("SampleOp", "sample", [x])

    pads = [1, 0, 2, 0, 3, 1]
    for mode in ("constant", "edge", "reflect"):
        cases.add("Pad", f"pad-{mode}", [x, cases.constant("pads", np.array(pads, np.int64))], mode=mode)
    cases.add("Pad", "pad-value", [x, cases.input("given-pads", np.array(pads, np.int64), fixed=True), cases.constant("seven", np.float32([7]))])
    cases.add("Pad", "pad-cut", [x, cases.constant("cut", np.array([[-1, 0, 2, 0, -1, 1]], np.int64))])
    for kind in (np.float32, np.int32, np.int64):
        names = [cases.constant(f"{np.dtype(kind).name}.{i}", np.array(value, kind)) for i, value in enumerate((2, 11, 3))]
        cases.add("Range", f"range-{np.dtype(kind).name}", names)
        cases.add("Range", f"range-{np.dtype(kind).name}-ones", names[:2])
    cases.add("Range", "range-given", [cases.input("start", np.array([-3], np.int64), fixed=True), cases.input("limit", np.array([4], np.int64), fixed=True)])
    for kind in ("int32", "int64"):
        indices = cases.constant("nd-" + kind, np.array([[[0, 3], [2, -1]], [[1, 1], [-3, 0]]], kind))
        cases.add("GatherND", "gather-" + kind, [x, indices])
    for upper in (0, 1):
        cases.add("Trilu", f"trilu-{upper}", [x], upper=upper)
        cases.add("Trilu", f"trilu-{upper}-k", [x, cases.constant("k", np.int64(-1))], upper=upper)
    cases.add("Unique", "unique", [cases.input("many", np.float32([2, 1, 1, 3, 4, 3, -1]))], outputs=3)

    image = cases.input("image", floats(2, 3, 6, 7))
    grid = cases.constant("grid", rng.uniform(-1.3, 1.3, (2, 4, 5, 2)).astype(np.float32))
    for mode in ("bilinear", "nearest", "bicubic"):
        for align in (0, 1):
            cases.add("GridSample", f"grid-{mode}-{align}", [image, grid], mode=mode, align_corners=align, padding_mode="border" if align and mode != "bicubic" else "zeros")
    rois = cases.input("rois", np.float32([[0, 0, 1, 1], [0.1, 0.2, 0.9, 0.7], [0.8, 0.9, 0.1, 0.2], [-0.2, 0.1, 0.6, 1.3]]))
    which = cases.input("which", np.array([1, 0, 1, 0], np.int32))
    for size in ((3, 4), (1, 5), (7, 1)):
        name = cases.constant(f"size{size}", np.array(size, np.int32))
        for mode in ("bilinear", "nearest"):
            cases.add("CropAndResize", f"crop-{size}-{mode}", [image, rois, which, name], mode=mode, extrapolation_value=-5.0)
    cases.add("CropAndResize", "crop-given", [image, rois, which, cases.input("size", np.array([2, 3], np.int32), fixed=True)])
    return cases


FAMILIES = {"norms": norms, "spectra": spectra, "plain": plain}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return Compiled(FAMILIES, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(("device", "mode"), RUNS)
@pytest.mark.parametrize("name", FAMILIES)
def test_family_agrees(compiled, name, device, mode):
    run_family(compiled, name, device, mode)


def test_wrong_nodes_are_refused():
    x, c = floats(2, 3, 4, 6), floats(6)

    assert "activation=2" in node_refusal("GroupNorm", {"x": x}, {"g": c, "b": c}, groups=2, activation=2)
    assert "groups=0" in node_refusal("GroupNorm", {"x": x}, {"g": c, "b": c}, groups=0, activation=0)
    node_refusal("GroupNorm", {"x": x}, {"g": c, "b": c}, groups=4, activation=0)
    assert "the last axis is 5, but twice its half is 4" in node_refusal("BiasSplitGelu", {"x": floats(1, 2, 5), "b": floats(5)})
    assert "onesided=0" in node_refusal("Rfft", {"x": x}, onesided=0)
    assert "normalized=1" in node_refusal("Irfft", {"x": floats(5, 2)}, normalized=1, signal_ndim=1)
    assert "signal_ndim=5" in node_refusal("Rfft", {"x": x}, signal_ndim=5)
    assert "the parts of a number, is 3, expected 2" in node_refusal("Irfft", {"x": floats(5, 3)}, signal_ndim=1)
    assert "the parts of a number, is 3, expected 2" in node_refusal("ComplexMul", {"x": floats(5, 2), "y": floats(5, 3)})
    assert "metric 'cosine'" in node_refusal("CDist", {"x": floats(2, 3), "y": floats(4, 3)}, metric="cosine")
    assert "axis 7" in node_refusal("ExpandDims", {"x": x}, {"a": np.int32(7)})
    assert "size=9 is more than the 6 elements" in node_refusal("UnfoldTensor", {"x": x}, size=9)
    assert "size=0" in node_refusal("UnfoldTensor", {"x": x}, size=0)
    assert "exclude each other" in node_refusal("IsAllFinite", {"x": x}, isnan_only=1, isinf_only=1)
    assert "mode 'cubic'" in node_refusal("CropAndResize", {"x": x, "r": floats(1, 4), "i": np.zeros(1, np.int32)}, {"s": np.array([2, 2], np.int32)}, mode="cubic")
    assert "crop_size has 3" in node_refusal("CropAndResize", {"x": x, "r": floats(1, 4), "i": np.zeros(1, np.int32)}, {"s": np.array([2, 2, 2], np.int32)})
    assert "mode 'wrap'" in node_refusal("Pad", {"x": x}, {"p": np.zeros(8, np.int64)}, mode="wrap")


@pytest.mark.parametrize("device", DEVICES)
def test_wrong_sizes_of_a_run_are_errors(tmp_path, device):
    import hexin

    cases = Cases()
    cases.input("x", floats(5))
    cases.add("UnfoldTensor", "unfold", ["x"], [np.zeros(0)], size=3)
    session = open_session(compile_cases(cases, device, tmp_path / "unfold.hxm", "dynamic"), device)
    assert session.run(cases.inputs)["unfold.0"].shape == (3, 3)
    with pytest.raises(hexin.Error, match="'unfold'"):
        session.run({"x": floats(2)})
