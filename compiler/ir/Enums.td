//===- Enums.td - functions of the op families ------------------------------===//
//
// The keyword of an enum is also the string form that reference kernels and the
// artifact see (runtime/base/Attributes.h).
//
//===----------------------------------------------------------------------===//

#ifndef HEXIN_IR_ENUMS_TD
#define HEXIN_IR_ENUMS_TD

include "mlir/IR/EnumAttr.td"
include "compiler/ir/Dialect.td"

class HX_Enum<string name, string summary, list<string> keywords>
    : I32EnumAttr<name, summary,
        !foldl([]<I32EnumAttrCase>, keywords, acc, k,
               !listconcat(acc, [I32EnumAttrCase<k, !size(acc)>]))> {
  let cppNamespace = "::hexin::hx";
  let genSpecializedAttr = 0;
}
class HX_EnumAttr<EnumAttrInfo info, string mnemonic>
    : EnumAttr<HX_Dialect, info, mnemonic> {
  let assemblyFormat = "`<` $value `>`";
}

def HX_UnaryFn : HX_Enum<"UnaryFn", "function of one element", [
  "abs", "neg", "sign", "floor", "ceil", "trunc", "round_even", "sqrt", "rsqrt",
  "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan",
  "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "sigmoid",
  "logical_not", "bit_not", "is_nan", "is_inf", "is_pos_inf", "is_neg_inf"]>;
def HX_UnaryFnAttr : HX_EnumAttr<HX_UnaryFn, "unary_fn">;

def HX_BinaryFn : HX_Enum<"BinaryFn", "function of two elements", [
  "add", "sub", "mul", "div", "mod", "fmod", "pow", "min", "max",
  "bit_and", "bit_or", "bit_xor", "shl", "shr"]>;
def HX_BinaryFnAttr : HX_EnumAttr<HX_BinaryFn, "binary_fn">;

def HX_ComparePredicate : HX_Enum<"ComparePredicate", "ordered comparison", [
  "eq", "lt", "le"]>;
def HX_ComparePredicateAttr : HX_EnumAttr<HX_ComparePredicate, "predicate">;

def HX_ActivationKind : HX_Enum<"ActivationKind", "activation function", [
  "relu", "leaky_relu", "elu", "celu", "selu", "softplus", "softsign",
  "hard_sigmoid", "hard_swish", "swish", "mish", "gelu_erf", "gelu_tanh",
  "thresholded_relu", "shrink", "affine", "scaled_tanh"]>;
def HX_ActivationKindAttr : HX_EnumAttr<HX_ActivationKind, "activation_kind">;

def HX_ReduceFn : HX_Enum<"ReduceFn", "reduction", ["sum", "prod", "max", "min"]>;
def HX_ReduceFnAttr : HX_EnumAttr<HX_ReduceFn, "reduce_fn">;

def HX_PadMode : HX_Enum<"PadMode", "what stands outside", [
  "constant", "edge", "reflect", "wrap"]>;
def HX_PadModeAttr : HX_EnumAttr<HX_PadMode, "pad_mode">;

def HX_ScatterFn : HX_Enum<"ScatterFn", "how an update joins", [
  "set", "add", "mul", "max", "min"]>;
def HX_ScatterFnAttr : HX_EnumAttr<HX_ScatterFn, "scatter_fn">;

def HX_PoolFn : HX_Enum<"PoolFn", "pooling function", [
  "max", "sum", "avg", "avg_include_pad"]>;
def HX_PoolFnAttr : HX_EnumAttr<HX_PoolFn, "pool_fn">;

def HX_RoiPoolFn : HX_Enum<"RoiPoolFn", "pooling of a region of interest", [
  "align_avg", "align_max", "bin_max"]>;
def HX_RoiPoolFnAttr : HX_EnumAttr<HX_RoiPoolFn, "roi_pool_fn">;

// Where the channel axis stands: nchw = [N, C, spatial...], nhwc = [N, spatial..., C].
def HX_Layout : HX_Enum<"Layout", "order of the axes", ["nchw", "nhwc"]>;
def HX_LayoutAttr : HX_EnumAttr<HX_Layout, "layout">;

def HX_ResizeMode : HX_Enum<"ResizeMode", "interpolation", [
  "nearest", "linear", "cubic"]>;
def HX_ResizeModeAttr : HX_EnumAttr<HX_ResizeMode, "resize_mode">;

def HX_RecurrentDirection : HX_Enum<"RecurrentDirection", "time order", [
  "forward", "reverse", "bidirectional"]>;
def HX_RecurrentCell : HX_Enum<"RecurrentCell", "how a state follows from the one before", [
  "rnn", "gru"]>;
def HX_RecurrentCellAttr : HX_EnumAttr<HX_RecurrentCell, "cell">;
def HX_RecurrentDirectionAttr : HX_EnumAttr<HX_RecurrentDirection, "direction">;

#endif
