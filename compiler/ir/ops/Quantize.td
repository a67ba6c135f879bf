//===- Quantize.td - to and from integer scales ---------------------------------===//

#ifndef HEXIN_IR_OPS_QUANTIZE_TD
#define HEXIN_IR_OPS_QUANTIZE_TD

include "compiler/ir/OpBase.td"

def HX_QuantizeOp : HX_PureOp<"quantize"> {
  let summary = "saturate(round_even(x / scale) + zeroPoint)";
  let description = [{
    `scale` (and `zeroPoint`) are scalars (rank 0), or 1-D along `axis`, or, with
    `block` > 0, of the input's rank with the axis divided by the block size.
  }];
  let arguments = (ins HX_Tensor:$input, HX_Tensor:$scale, Optional<HX_Tensor>:$zeroPoint,
                       DefaultValuedAttr<I64Attr, "1">:$axis,
                       DefaultValuedAttr<I64Attr, "0">:$block,
                       DefaultValuedAttr<BoolAttr, "true">:$saturate);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $scale (`,` $zeroPoint^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_DequantizeOp : HX_PureOp<"dequantize"> {
  let summary = "(i32 x - zeroPoint) * scale";
  let arguments = (ins HX_Tensor:$input, HX_Tensor:$scale, Optional<HX_Tensor>:$zeroPoint,
                       DefaultValuedAttr<I64Attr, "1">:$axis,
                       DefaultValuedAttr<I64Attr, "0">:$block);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $scale (`,` $zeroPoint^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_DynamicQuantizeOp : HX_PureOp<"dynamic_quantize"> {
  let summary = "ui8 with scale and zero point from the tensor's range";
  let description = [{The range includes 0; a constant 0 input has scale 1.}];
  let arguments = (ins HX_Tensor:$input);
  let results = (outs RankedTensorOf<[UI8]>:$result, 0DTensorOf<[F32]>:$scale,
                      0DTensorOf<[UI8]>:$zeroPoint);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
