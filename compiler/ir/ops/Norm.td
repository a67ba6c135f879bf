//===- Norm.td - softmax and normalisations ------------------------------------===//

#ifndef HEXIN_IR_OPS_NORM_TD
#define HEXIN_IR_OPS_NORM_TD

include "compiler/ir/OpBase.td"

def HX_SoftmaxOp : HX_PureOp<"softmax"> {
  let summary = "exp(x - max) / sum exp(x - max) along an axis";
  let arguments = (ins HX_Tensor:$input, I64Attr:$axis);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_LogSoftmaxOp : HX_PureOp<"log_softmax"> {
  let summary = "x - max - log sum exp(x - max) along an axis";
  let arguments = (ins HX_Tensor:$input, I64Attr:$axis);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_BatchNormOp : HX_PureOp<"batch_norm"> {
  let summary = "(x - mean) / sqrt(variance + epsilon) * scale + bias per channel";
  let arguments = (ins HX_Tensor:$input, HX_Tensor:$scale, HX_Tensor:$bias, HX_Tensor:$mean,
                       HX_Tensor:$variance, F64Attr:$epsilon,
                       DefaultValuedAttr<HX_LayoutAttr, "Layout::nchw">:$layout);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $scale `,` $bias `,` $mean `,` $variance attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def HX_LayerNormOp : HX_PureOp<"layer_norm"> {
  let summary = "normalises over the axes from `axis` on";
  let description = [{
    (x - mean) * rsqrt(variance + epsilon) * scale + bias; scale and bias
    broadcast to the normalised axes. f32 inside. Not `centred`, it is
    x * rsqrt(mean of squares + epsilon) * scale + bias.
  }];
  let arguments = (ins HX_Tensor:$input, HX_Tensor:$scale, Optional<HX_Tensor>:$bias,
                       I64Attr:$axis, F64Attr:$epsilon,
                       DefaultValuedAttr<BoolAttr, "true">:$centred);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $scale (`,` $bias^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
