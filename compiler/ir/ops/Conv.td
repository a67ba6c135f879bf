//===- Conv.td - convolutions of any spatial rank -----------------------------===//
//
// Sizes: x is [N, C, spatial...] or, with layout nhwc, [N, spatial..., C];
// weights stay [M, C/groups, taps...] (transposed: [C, M/groups, taps...]);
// bias is [M]. `pads` is [begin of each spatial axis..., end of each...].
//
//===----------------------------------------------------------------------===//

#ifndef HEXIN_IR_OPS_CONV_TD
#define HEXIN_IR_OPS_CONV_TD

include "compiler/ir/OpBase.td"

/// auto_pad SAME_UPPER/SAME_LOWER depend on run-time sizes: "same_upper" and
/// "same_lower" make the shape function compute the pads; "explicit" uses `pads`.
def HX_PadPolicy : HX_Enum<"PadPolicy", "where pads come from", [
  "explicit_pads", "same_upper", "same_lower"]>;
def HX_PadPolicyAttr : HX_EnumAttr<HX_PadPolicy, "pad_policy">;

defvar HX_WindowArgs = (ins DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
                            DenseI64ArrayAttr:$dilations,
                            DefaultValuedAttr<HX_PadPolicyAttr, "PadPolicy::explicit_pads">:$padPolicy,
                            DefaultValuedAttr<HX_LayoutAttr, "Layout::nchw">:$layout);

def HX_ConvOp : HX_PureOp<"conv"> {
  let summary = "cross-correlation with optional bias";
  let description = [{
    out = floor((in + pads - (dilation*(taps-1)+1)) / stride) + 1. Of bf16 the result and
    the bias may be f32, in which products are summed.
  }];
  let arguments = !con((ins HX_Tensor:$input, HX_Tensor:$weights, Optional<HX_Tensor>:$bias,
                            DefaultValuedAttr<I64Attr, "1">:$groups), HX_WindowArgs);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $weights (`,` $bias^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_ConvTransposeOp : HX_PureOp<"conv_transpose", [AttrSizedOperandSegments, HX_HostReads]> {
  let summary = "the adjoint of conv, with optional bias";
  let description = [{
    out = stride*(in-1) + outputPadding + dilation*(taps-1)+1 - pads, or, when
    `outputSize` (host, one per spatial axis) is given, those sizes: the pads
    follow from them (the larger half first unless padPolicy is same_upper).
  }];
  let arguments = !con((ins HX_Tensor:$input, HX_Tensor:$weights, Optional<HX_Tensor>:$bias,
                            Optional<HX_ShapeTensor>:$outputSize,
                            DefaultValuedAttr<I64Attr, "1">:$groups,
                            DenseI64ArrayAttr:$outputPadding), HX_WindowArgs);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $weights (`bias` $bias^)? (`size` $outputSize^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def HX_ConvIntegerOp : HX_PureOp<"conv_integer", [AttrSizedOperandSegments]> {
  let summary = "conv of (input - inputZero) and (weights - weightsZero) in i32";
  let description = [{8-bit operands; pads hold inputZero. weightsZero may be one per output channel.}];
  let arguments = !con((ins HX_Tensor:$input, HX_Tensor:$weights,
                            Optional<HX_Tensor>:$inputZeroPoint,
                            Optional<HX_Tensor>:$weightsZeroPoint,
                            DefaultValuedAttr<I64Attr, "1">:$groups), HX_WindowArgs);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $weights (`input_zero` $inputZeroPoint^)? (`weights_zero` $weightsZeroPoint^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif
