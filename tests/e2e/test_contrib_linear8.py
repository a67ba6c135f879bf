"""com.microsoft on 8-bit integers, and its convolutions and pools, beside ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
import pytest
from contrib_cases import OPSETS, RUNS, Cases, Compiled, node_refusal, run_family
from onnx import helper

rng = np.random.default_rng(300)


def bytes_of(kind, *shape):
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max + 1, shape).astype(kind)


def quantised():
    """Scales that are powers of two: every tie is one in f32, and must be rounded as ONNX Runtime does."""
    cases = Cases()
    for exponent in range(-8, 3):
        cases.constant(f"2^{exponent}", np.float32(2.0**exponent))
    for name, value in (("s1", 0.0137), ("s2", 0.0219), ("s3", 0.051)):
        cases.constant(name, np.float32(value))
    for kind in ("uint8", "int8"):
        limits = np.iinfo(kind)
        a, b = cases.input(f"{kind}.a", bytes_of(kind, 3, 4, 6, 5)), cases.input(f"{kind}.b", bytes_of(kind, 4, 1, 5))
        thin = cases.input(f"{kind}.thin", bytes_of(kind, 3, 2, 6, 5))
        za, zb, zc = (cases.constant(f"{kind}.z{i}", np.array(value, kind)) for i, value in enumerate((3, 100, 17)))
        for op, scale in (("QLinearAdd", "2^-1"), ("QLinearMul", "2^-4")):
            cases.add(op, f"{op}-{kind}", [a, scale, za, b, "2^-2", zb, "2^-1", zc])
        cases.add("QLinearLeakyRelu", f"leaky-{kind}", [a, "2^-4", za, "2^-5", zc], alpha=0.3, steps=1)
        cases.add("QLinearSoftmax", f"softmax-{kind}", [a, "2^-5", za, "2^-8", zc], opset=13, axis=1, steps=1)
        cases.add("QLinearAveragePool", f"pool-{kind}", [a, "2^-1", za, "2^-1", zc], kernel_shape=[2, 2], strides=[2, 1])
        cases.add("QLinearConcat", f"concat-{kind}", ["2^-1", zc, a, "2^-2", za, thin, "2^-1", zb, a, "2^-1", zc], axis=1)
        gemm(cases, kind)
    # The rest of the options on one type: `a` and what follows are int8's.
    flags = cases.input("flags", rng.integers(0, 2, (6, 1)).astype(bool))
    cases.add("QLinearWhere", "where", [flags, a, "2^-2", za, b, "2^-3", zb, "2^-1", zc])
    cases.add("QLinearSigmoid", "sigmoid", [a, "2^-4", za, "2^-8", zc], steps=1)
    for op in ("QLinearAdd", "QLinearMul"):
        numbers = [cases.inputs[a].astype(np.float32) / 2, cases.inputs[b].astype(np.float32) / 4]
        exact = numbers[0] + numbers[1] if op == "QLinearAdd" else numbers[0] * numbers[1]
        # ONNX Runtime refuses the absent zero points that its schema allows; at LeakyRelu it aborts.
        cases.add(op, f"{op}-no-zeros", [a, "2^-1", "", b, "2^-2", "", "2^1"], [np.clip(np.rint(exact / 2), -128, 127).astype(kind)])
        cases.add(op, f"{op}-scales", [a, "s1", za, b, "s2", zb, "s3", zc], steps=1)
    half = np.rint(np.where(numbers[0] < 0, numbers[0] / 2, numbers[0])).astype(kind)
    cases.add("QLinearLeakyRelu", "leaky-no-zeros", [a, "2^-4", "", "2^-3"], [half], alpha=0.5)
    for axis in (1, 2):
        cases.add("QLinearSoftmax", f"softmax-12-{axis}", [a, "2^-5", za, "2^-8", zc], opset=12, axis=axis, steps=1)
    numbers = (cases.inputs[a].astype(np.float32) - 3) / 2
    for i, attributes in enumerate((dict(kernel_shape=[2, 4], pads=[1, 0, 1, 2], count_include_pad=1),
                                    dict(kernel_shape=[4, 4], pads=[1, 1, 1, 1], ceil_mode=1, strides=[3, 3], count_include_pad=1),
                                    dict(kernel_shape=[2, 2], auto_pad="SAME_UPPER", count_include_pad=1))):
        # ONNX Runtime's own counts the overhang of ceil_mode, which its AveragePool does not.
        mean = np.clip(np.rint(plain({"x": numbers}, "AveragePool", **attributes) * 2 + 17), limits.min, limits.max).astype(kind)
        cases.add("QLinearAveragePool", f"pool-{i}", [a, "2^-1", za, "2^-1", zc], [mean], **attributes)
    cases.add("QLinearAveragePool", "pool-last", [a, "2^-1", za, "2^-1", zc], kernel_shape=[2, 2], channels_last=1)
    even = cases.input("even", bytes_of(kind, 2, 3, 4, 4))
    for last in (0, 1):
        cases.add("QLinearGlobalAveragePool", f"global-{last}", [even, "2^-1", za, "2^-2", zc], channels_last=last, steps=last)
    for name, axes, keep in (("some", (1, 3), 1), ("all", (0, 1, 2, 3), 0)):
        mean = np.rint(numbers.mean(axes, keepdims=bool(keep)) * 2) + 17
        cases.add("QLinearReduceMean", f"mean-{name}", [a, "2^-1", za, "2^-1", zc], [np.clip(mean, limits.min, limits.max).astype(kind)],
                  axes=[axis - 4 for axis in axes], keepdims=keep, steps=1)
    return cases


def gemm(cases, kind):
    lhs = {0: cases.input(f"{kind}.lhs", bytes_of(kind, 5, 33)), 1: cases.input(f"{kind}.lhsT", bytes_of(kind, 33, 5))}
    za, zy = (cases.constant(f"{kind}.gemm.z{i}", np.array(value, kind)) for i, value in enumerate((7, 20)))
    for rhs_kind in ("uint8", "int8") if kind == "uint8" else ("int8",):
        name = f"{kind}-{rhs_kind}"
        rhs = {0: cases.constant(f"{name}.rhs", bytes_of(rhs_kind, 33, 12)),
               1: cases.constant(f"{name}.rhsT", bytes_of(rhs_kind, 12, 33))}
        zb = cases.constant(f"{name}.zb", np.array(5, rhs_kind))
        each = cases.constant(f"{name}.each", (2.0 ** rng.integers(-9, -5, 12)).astype(np.float32))
        zeros = cases.constant(f"{name}.zeros", np.zeros(12, rhs_kind))
        row = cases.constant(f"{name}.row", rng.integers(-9999, 9999, 12).astype(np.int32))
        for a in (0, 1):
            for b in (0, 1) if rhs_kind == kind else (a,):
                cases.add("QGemm", f"gemm-{name}-{a}{b}", [lhs[a], "2^-8", za, rhs[b], "2^-6", zb, row, "2^-3", zy], transA=a, transB=b)
        if kind == "uint8":
            continue
        full = cases.input(f"{name}.full", rng.integers(-9999, 9999, (5, 12)).astype(np.int32))
        cases.add("QGemm", f"gemm-{name}-floats", [lhs[0], "2^-8", za, rhs[0], "2^-6", zb, full], alpha=0.5)
        cases.add("QGemm", f"gemm-{name}-columns", [lhs[0], "2^-8", za, rhs[0], each, zeros, "", "2^-3", zy])
        cases.add("QGemm", f"gemm-{name}-column-floats", [lhs[0], "s1", za, rhs[0], each, zeros, row])


def plain(nodes_inputs, op, **attributes):
    """What ai.onnx's `op` gives."""
    names = list(nodes_inputs)
    graph = helper.make_graph(
        [helper.make_node(op, names, ["y"], **attributes)], "plain",
        [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape) for name, value in nodes_inputs.items()],
        [onnx.ValueInfoProto(name="y")])
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, nodes_inputs)[0]


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def convolutions():
    cases = Cases()
    x, w, bias = floats(2, 6, 9, 8), floats(4, 3, 3, 3) * 0.3, floats(4)
    names = [cases.input("x", x), cases.constant("w", w), cases.constant("bias", bias)]
    z = cases.input("z", floats(2, 4, 9, 8))
    window = dict(group=2, pads=[1, 1, 1, 1])
    for activation, parameters in (("Relu", []), ("Tanh", []), ("Sigmoid", []), ("LeakyRelu", [0.2]), ("Clip", [-0.3, 0.7]), ("HardSigmoid", [0.3, 0.4])):
        for sum_with in ([], [z]) if activation == "Relu" else ([z],):
            cases.add("FusedConv", f"fused-{activation}-{len(sum_with)}", names + sum_with, activation=activation,
                      **({"activation_params": parameters} if parameters else {}), **window)
    y = plain({"x": x, "w": w, "b": bias}, "Conv", **window).transpose(0, 2, 3, 1)
    last = cases.input("last", np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
    residue = cases.input("residue", floats(*y.shape))
    cases.add("NhwcConv", "nhwc", [last, "w", "bias"], [y], **window)
    cases.add("NhwcFusedConv", "nhwc-fused", [last, "w", "bias", residue], [np.maximum(y + cases.inputs["residue"], 0)], activation="Relu", **window)

    bytes_first, scales = bytes_of("uint8", 2, 6, 7, 8), [cases.constant(name, np.float32(value)) for name, value in (("sx", 2**-7), ("sw", 2**-5), ("sy", 2**-1))]
    zx, zw, zy = cases.constant("zx", np.uint8(128)), cases.constant("zw", np.int8(0)), cases.constant("zy", np.uint8(99))
    qw = cases.constant("qw", bytes_of("int8", 8, 3, 3, 2))
    each = cases.constant("each", (2.0 ** rng.integers(-7, -3, 8)).astype(np.float32))
    qbias = cases.constant("qbias", rng.integers(-999, 999, 8).astype(np.int32))
    for is_last in (0, 1):
        image = cases.input(f"q{is_last}", np.ascontiguousarray(bytes_first.transpose(0, 2, 3, 1)) if is_last else bytes_first)
        cases.add("QLinearConv", f"qconv-{is_last}", [image, scales[0], zx, qw, scales[1], zw, scales[2], zy, qbias], channels_last=is_last, group=2, strides=[2, 1], pads=[1, 0, 0, 1])
        cases.add("QLinearConv", f"qconv-columns-{is_last}", [image, scales[0], zx, qw, each, zw, scales[2], zy], channels_last=is_last, group=2)
    for kind in ("uint8", "int8"):
        image = cases.input(f"{kind}.image", bytes_of(kind, 2, 7, 9, 3))
        cases.add("NhwcMaxPool", f"max-{kind}", [image], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])
        cases.add("NhwcMaxPool", f"max-{kind}-same", [image], kernel_shape=[2, 2], auto_pad="SAME_UPPER", ceil_mode=1)

    mask = np.ones((2, 6, 9, 8), np.int32)
    mask[:, :, :, 5:] = 0
    cases.input("mask", mask)
    cases.add("MaxpoolWithMask", "masked", ["x", "mask"], kernel_shape=[3, 2], strides=[3, 2])
    cases.add("MaxpoolWithMask", "masked-padded", ["x", "mask"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])

    tw = cases.constant("tw", floats(6, 2, 4, 3) * 0.3)
    tbias = cases.constant("tbias", floats(4))
    for name, pads in (("none", [0, 0, 0, 0]), ("some", [1, 0, 2, 1])):
        constant, given = cases.constant(f"pads-{name}", np.array(pads, np.int64)), cases.input(f"given-{name}", np.array(pads, np.int64), fixed=True)
        for where in (constant, given):
            cases.add("ConvTransposeWithDynamicPads", f"transposed-{where}", ["x", tw, where, tbias], group=2, strides=[2, 2], output_padding=[1, 0])
    cases.add("ConvTransposeWithDynamicPads", "transposed-same", ["x", tw], [plain({"x": x, "w": cases.constants[tw]}, "ConvTranspose", group=2, strides=[2, 2], auto_pad="SAME_UPPER")], group=2, strides=[2, 2], auto_pad="SAME_UPPER")
    return cases


FAMILIES = {"quantised": quantised, "convolutions": convolutions}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return Compiled(FAMILIES, tmp_path_factory.mktemp("linear8"))


@pytest.mark.parametrize(("device", "mode"), RUNS)
@pytest.mark.parametrize("name", FAMILIES)
def test_family_agrees(compiled, name, device, mode):
    run_family(compiled, name, device, mode)


def test_wrong_nodes_are_refused():
    x, w = floats(1, 2, 5, 5), floats(3, 2, 3, 3)
    a, one, zero = bytes_of("uint8", 2, 3), np.float32(1), np.uint8(0)

    assert "activation 'Gelu'" in node_refusal("FusedConv", {"x": x, "w": w}, activation="Gelu")
    assert "activation_params has 1 entries, Clip takes 2" in node_refusal("FusedConv", {"x": x, "w": w}, activation="Clip", activation_params=[1.0])
    assert "storage_order" in node_refusal("MaxpoolWithMask", {"x": x, "m": np.ones(x.shape, np.int32)}, kernel_shape=[2, 2], storage_order=1)
    assert "there are 2 pads, expected 4" in node_refusal("ConvTransposeWithDynamicPads", {"x": x, "w": floats(2, 3, 3, 3)}, {"p": np.zeros(2, np.int64)})
    assert "input #6 is missing" in node_refusal("QLinearAdd", {"a": a}, {"s": one, "z": zero, "b": a, "t": one, "u": zero})
    assert "come together" in node_refusal("QGemm", {"a": a}, {"s": one, "z": zero, "b": bytes_of("uint8", 3, 2), "t": one, "u": zero, "c": np.zeros(2, np.int32), "y": one})
    assert "then three inputs" in node_refusal("QLinearConcat", {"s": one, "z": zero, "a": a, "t": one}, axis=0)
    assert "attribute 'axis' is missing" in node_refusal("QLinearConcat", {"s": one, "z": zero, "a": a, "t": one, "u": zero})
    assert "attribute 'opset'" in node_refusal("QLinearSoftmax", {"a": a}, {"s": one, "z": zero, "t": one, "u": zero})
