//===- Reduce.td - reductions and scans ---------------------------------------===//

#ifndef HEXIN_IR_OPS_REDUCE_TD
#define HEXIN_IR_OPS_REDUCE_TD

include "compiler/ir/OpBase.td"

def HX_ReduceOp : HX_PureOp<"reduce"> {
  let summary = "sum, prod, max or min over axes, in a fixed order";
  let description = [{
    `axes` ascending, non-negative. Reducing nothing gives the identity. max and
    min propagate NaN; f16/bf16 accumulate in f32. max/min on i1 are or/and.
  }];
  let arguments = (ins HX_ReduceFnAttr:$fn, HX_Tensor:$input, DenseI64ArrayAttr:$axes,
                       DefaultValuedAttr<BoolAttr, "true">:$keepDims);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$fn $input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_ArgReduceOp : HX_PureOp<"arg_reduce"> {
  let summary = "position of the max or min along an axis";
  let description = [{NaN is the greatest; for min too the first NaN wins. `last`: the last of equals.}];
  let arguments = (ins HX_ReduceFnAttr:$fn, HX_Tensor:$input, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "true">:$keepDims,
                       DefaultValuedAttr<BoolAttr, "false">:$last);
  let results = (outs RankedTensorOf<[I64]>:$result);
  let assemblyFormat = "$fn $input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_CumulativeOp : HX_PureOp<"cumulative"> {
  let summary = "running sum or product along an axis";
  let arguments = (ins HX_ReduceFnAttr:$fn, HX_Tensor:$input, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$exclusive,
                       DefaultValuedAttr<BoolAttr, "false">:$reverse);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$fn $input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
