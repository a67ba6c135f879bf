"""How nodes of ONNX's own tests become one call of a reference kernel.

`RULES[op_type](node)` returns a list of results, or None where that node needs
more than one hx op (other tests see to those).
"""

import numpy as np
import onnx

from hexin_reference import run

I64 = np.int64


class Node:
    """A node with its inputs as arrays and its results' types."""

    def __init__(self, proto, opset, inputs, types):
        self.op, self.opset, self.inputs, self.types = proto.op_type, opset, inputs, types
        self.attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}

    def get(self, name, default=None):
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def input(self, i):
        return self.inputs[i] if i < len(self.inputs) else None

    def run(self, op, operands=None, types=None, **attributes):
        results = run(op, self.inputs if operands is None else operands,
                      list(self.types if types is None else types), **attributes)
        return results


RULES = {}


def rule(*names):
    def add(function):
        RULES.update({name: function for name in names})
        return function
    return add


def i64(values):
    return np.array(values, I64).reshape(-1)


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


UNARY = {name: snake(name) for name in (
    "Abs Neg Sign Floor Ceil Sqrt Exp Log Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh "
    "Acosh Atanh Erf Sigmoid").split()}
UNARY |= {"Round": "round_even", "Not": "logical_not", "BitwiseNot": "bit_not",
          "IsNaN": "is_nan"}
BINARY = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow",
          "And": "bit_and", "Or": "bit_or", "Xor": "bit_xor", "BitwiseAnd": "bit_and",
          "BitwiseOr": "bit_or", "BitwiseXor": "bit_xor"}
ACTIVATIONS = {  # kind, default alpha, default beta
    "Relu": ("relu", 0, 0), "LeakyRelu": ("leaky_relu", 0.01, 0), "Elu": ("elu", 1, 0),
    "Celu": ("celu", 1, 0), "Softplus": ("softplus", 0, 0), "Softsign": ("softsign", 0, 0),
    "HardSigmoid": ("hard_sigmoid", 0.2, 0.5), "HardSwish": ("hard_swish", 0, 0),
    "Swish": ("swish", 1, 0), "Mish": ("mish", 0, 0),
    "ThresholdedRelu": ("thresholded_relu", 1, 0)}


@rule(*UNARY)
def unary(n):
    return n.run("unary", fn=UNARY[n.op])


@rule("IsInf")
def is_inf(n):
    signs = (n.get("detect_negative", 1), n.get("detect_positive", 1))
    fn = {(1, 1): "is_inf", (0, 1): "is_pos_inf", (1, 0): "is_neg_inf"}.get(signs)
    return n.run("unary", fn=fn) if fn else None


@rule(*BINARY)
def binary(n):
    return n.run("binary", fn=BINARY[n.op])


@rule("Mod")
def mod(n):
    return n.run("binary", fn="fmod" if n.get("fmod", 0) else "mod")


@rule("BitShift")
def bit_shift(n):
    return n.run("binary", fn="shl" if n.get("direction") == "LEFT" else "shr")


@rule("Max", "Min")
def max_min(n):
    return n.run("binary", fn=n.op.lower()) if len(n.inputs) == 2 else None


@rule("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")
def compare(n):
    a, b = n.inputs if not n.op.startswith("Greater") else n.inputs[::-1]
    predicate = {"Equal": "eq", "Less": "lt", "LessOrEqual": "le",
                 "Greater": "lt", "GreaterOrEqual": "le"}[n.op]
    return n.run("compare", [a, b], predicate=predicate)


@rule("Where")
def where(n):
    return n.run("select")


@rule(*ACTIVATIONS)
def activation(n):
    kind, alpha, beta = ACTIVATIONS[n.op]
    return n.run("activation", kind=kind, alpha=float(n.get("alpha", alpha)),
                 beta=float(n.get("beta", beta)))


@rule("Selu")
def selu(n):
    return n.run("activation", kind="selu", alpha=float(n.get("alpha", 1.67326319217681884765625)),
                 beta=float(n.get("gamma", 1.05070102214813232421875)))


@rule("Gelu")
def gelu(n):
    return n.run("activation", kind="gelu_" + {"none": "erf"}.get(
        n.get("approximate", "none"), "tanh"))


@rule("Shrink")
def shrink(n):
    return n.run("activation", kind="shrink", alpha=float(n.get("lambd", 0.5)),
                 beta=float(n.get("bias", 0.0)))


@rule("Cast")
def cast(n):
    return n.run("cast", saturate=n.get("saturate", 1), round=n.get("round_mode", "up"))


@rule("CastLike")
def cast_like(n):
    return n.run("cast", n.inputs[:1], saturate=n.get("saturate", 1),
                 round=n.get("round_mode", "up"))


@rule("BitCast")
def bitcast(n):
    return n.run("bitcast")


@rule("Shape")
def shape_of(n):
    return None if n.attributes else n.run("shape_of")


@rule("Transpose")
def transpose(n):
    return n.run("transpose", perm=n.get("perm", range(n.inputs[0].ndim)[::-1]))


@rule("Reshape")
def reshape(n):
    x, shape = n.inputs
    if not n.get("allowzero", 0):
        shape = [x.shape[i] if d == 0 else d for i, d in enumerate(shape)]
    return n.run("reshape", [x, i64(shape)])


@rule("Expand")
def expand(n):
    shape = np.broadcast_shapes(n.inputs[0].shape, tuple(n.inputs[1]))
    return n.run("broadcast_to", [n.inputs[0], i64(shape)])


@rule("Concat")
def concat(n):
    return n.run("concat", axis=n.get("axis"))


@rule("Slice")
def slice_(n):
    x = n.inputs[0]
    if len(n.inputs) < 3:
        return None
    starts, ends = (list(map(int, v)) for v in n.inputs[1:3])
    axes = range(len(starts)) if n.input(3) is None else map(int, n.input(3))
    steps = [1] * len(starts) if n.input(4) is None else list(map(int, n.input(4)))
    first, sizes, step = [0] * x.ndim, list(x.shape), [1] * x.ndim
    for axis, start, end, by in zip(axes, starts, ends, steps):
        picks = range(x.shape[axis])[slice(start, end, by)]
        first[axis], sizes[axis], step[axis] = picks.start, len(picks), by
    return n.run("slice", [x, i64(first), i64(sizes)], steps=step)


@rule("Pad")
def pad(n):
    x, pads = n.inputs[0], n.input(1)
    if pads is None or min(pads) < 0:
        return None
    axes = range(x.ndim) if n.input(3) is None else [int(a) % x.ndim for a in n.input(3)]
    low, high = np.zeros(x.ndim, I64), np.zeros(x.ndim, I64)
    for i, axis in enumerate(axes):
        low[axis], high[axis] = pads[i], pads[i + len(pads) // 2]
    value = np.zeros((), x.dtype) if n.input(2) is None else n.input(2)
    return n.run("pad", [x, low, high, value], mode=n.get("mode", "constant"))


@rule("Gather", "GatherElements")
def gather(n):
    return n.run(snake(n.op), axis=n.get("axis", 0))


@rule("GatherND")
def gather_nd(n):
    return n.run("gather_nd", batchDims=n.get("batch_dims", 0))


@rule("ScatterElements")
def scatter_elements(n):
    return n.run("scatter_elements", axis=n.get("axis", 0),
                 fn={"none": "set"}.get(n.get("reduction", "none"), n.get("reduction")))


@rule("ScatterND")
def scatter_nd(n):
    return n.run("scatter_nd",
                 fn={"none": "set"}.get(n.get("reduction", "none"), n.get("reduction")))


@rule("MatMul")
def matmul(n):
    return n.run("matmul") if min(x.ndim for x in n.inputs) >= 2 else None


@rule("MatMulInteger")
def matmul_integer(n):
    return n.run("matmul_integer")


def window(n, rank):
    policy = {"SAME_UPPER": "same_upper", "SAME_LOWER": "same_lower"}
    return dict(strides=n.get("strides", [1] * rank), pads=n.get("pads", [0] * 2 * rank),
                dilations=n.get("dilations", [1] * rank),
                padPolicy=policy.get(n.get("auto_pad"), "explicit_pads"))


@rule("Conv", "ConvInteger")
def conv(n):
    return n.run(snake(n.op), groups=n.get("group", 1),
                 **window(n, n.inputs[0].ndim - 2))


@rule("ConvTranspose")
def conv_transpose(n):
    x, w, rank = n.inputs[0], n.inputs[1], n.inputs[0].ndim - 2
    size = n.get("output_shape")
    return n.run("conv_transpose", [x, w, n.input(2), None if size is None else i64(size)],
                 groups=n.get("group", 1), outputPadding=n.get("output_padding", [0] * rank),
                 **window(n, rank))


@rule("MaxPool", "AveragePool")
def pool(n):
    fn = ("max" if n.op == "MaxPool" else
          "avg_include_pad" if n.get("count_include_pad", 0) else "avg")
    return n.run("pool", fn=fn, window=n.get("kernel_shape"), ceilMode=n.get("ceil_mode", 0),
                 storageOrder=n.get("storage_order", 0), **window(n, n.inputs[0].ndim - 2))


@rule("ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin")
def reduce(n):
    x, axes = n.inputs[0], n.get("axes", n.input(1))
    if axes is None or len(axes) == 0:
        if n.get("noop_with_empty_axes", 0):
            return None
        axes = range(x.ndim)
    return n.run("reduce", [x], fn=n.op[len("Reduce"):].lower(),
                 axes=sorted(int(a) % x.ndim for a in axes), keepDims=n.get("keepdims", 1))


@rule("ArgMax", "ArgMin")
def arg_reduce(n):
    return n.run("arg_reduce", fn=n.op[3:].lower(), axis=n.get("axis", 0),
                 keepDims=n.get("keepdims", 1), last=n.get("select_last_index", 0))


@rule("CumSum", "CumProd")
def cumulative(n):
    return n.run("cumulative", n.inputs[:1], fn=n.op[3:].lower(), axis=int(np.ravel(n.inputs[1])[0]),
                 exclusive=n.get("exclusive", 0), reverse=n.get("reverse", 0))


@rule("TopK")
def top_k(n):
    if n.opset < 11:
        return None
    axis, k = n.get("axis", -1), int(np.ravel(n.inputs[1])[0])
    return n.run("top_k", [n.inputs[0], np.array([k])], axis=axis, descending=n.get("largest", 1))


@rule("Softmax", "LogSoftmax")
def softmax(n):
    return n.run(snake(n.op), axis=n.get("axis", -1)) if n.opset >= 13 else None


@rule("BatchNormalization")
def batch_norm(n):
    return None if n.get("training_mode", 0) else n.run(
        "batch_norm", epsilon=float(n.get("epsilon", 1e-5)))


@rule("LayerNormalization")
def layer_norm(n):
    return n.run("layer_norm", types=n.types[:1], axis=n.get("axis", -1),
                 epsilon=float(n.get("epsilon", 1e-5)))


@rule("QuantizeLinear", "DequantizeLinear")
def quantize(n):
    op = "quantize" if n.op == "QuantizeLinear" else "dequantize"
    if n.get("precision"):
        return None
    return n.run(op, axis=n.get("axis", 1), block=n.get("block_size", 0),
                 **({"saturate": n.get("saturate", 1)} if op == "quantize" else {}))


@rule("DynamicQuantizeLinear")
def dynamic_quantize(n):
    return n.run("dynamic_quantize")


@rule("LSTM")
def lstm(n):
    x, *rest = n.inputs
    if n.get("layout", 0):
        x = np.swapaxes(x, 0, 1)
        rest = [np.swapaxes(r, 0, 1) if i in (4, 5) and r is not None else r
                for i, r in enumerate(rest)]
    names = [a.decode() for a in n.get("activations", [])]
    y, h, c = n.run("lstm", [x, *rest], [x.dtype] * 3, hiddenSize=n.get("hidden_size"),
                    direction=n.get("direction", "forward"), activations=names,
                    activationAlpha=n.get("activation_alpha", []),
                    activationBeta=n.get("activation_beta", []),
                    clip=float(n.get("clip", 0.0)), inputForget=n.get("input_forget", 0))
    if n.get("layout", 0):
        y, h, c = np.transpose(y, (2, 0, 1, 3)), np.swapaxes(h, 0, 1), np.swapaxes(c, 0, 1)
    return [y, h, c]


@rule("Resize")
def resize(n):
    x, roi, scales, sizes = (n.input(i) for i in range(4))
    if n.opset < 11:
        return None
    axes = [a % x.ndim for a in n.get("axes", range(x.ndim))]
    full = [1.0] * x.ndim
    out = list(x.shape)
    if scales is not None and len(scales):
        for axis, scale in zip(axes, scales):
            full[axis] = float(scale)
            out[axis] = int(np.floor(x.shape[axis] * float(scale)))
    else:
        ratios = [int(s) / x.shape[a] for a, s in zip(axes, sizes)]
        policy = n.get("keep_aspect_ratio_policy", "stretch")
        shared = {"not_larger": min, "not_smaller": max}.get(policy)
        for axis, size, ratio in zip(axes, sizes, ratios):
            ratio = shared(ratios) if shared else ratio
            full[axis] = ratio
            out[axis] = int(np.floor(x.shape[axis] * ratio + 0.5)) if shared else int(size)
    box = np.array([0.0] * x.ndim + [1.0] * x.ndim)
    if roi is not None and len(roi):
        for i, axis in enumerate(axes):
            box[axis], box[axis + x.ndim] = roi[i], roi[i + len(axes)]
    return n.run("resize", [x, i64(out), np.array(full), box], mode=n.get("mode", "nearest"),
                 coordinates=n.get("coordinate_transformation_mode", "half_pixel"),
                 nearest=n.get("nearest_mode", "round_prefer_floor"),
                 cubicCoefficient=float(n.get("cubic_coeff_a", -0.75)),
                 excludeOutside=n.get("exclude_outside", 0), antialias=n.get("antialias", 0),
                 extrapolationValue=float(n.get("extrapolation_value", 0.0)))
