//===- Pool.td - windows over the spatial axes --------------------------------===//

#ifndef HEXIN_IR_OPS_POOL_TD
#define HEXIN_IR_OPS_POOL_TD

include "compiler/ir/ops/Conv.td"

def HX_PoolOp : HX_PureOp<"pool"> {
  let summary = "max, sum or average over windows";
  let description = [{
    `window` has one size per spatial axis. With `ceilMode` the last, overhanging
    window counts unless it starts in the end padding. avg divides by the
    elements inside the input, avg_include_pad by those inside input + pads. The
    optional second result of max holds flat indices into the whole N x C x ...
    tensor in nchw order (column-major within the plane with `storageOrder` 1).
  }];
  let arguments = !con((ins HX_PoolFnAttr:$fn, HX_Tensor:$input, DenseI64ArrayAttr:$window,
                            DefaultValuedAttr<BoolAttr, "false">:$ceilMode,
                            DefaultValuedAttr<I64Attr, "0">:$storageOrder), HX_WindowArgs);
  let results = (outs HX_Tensor:$result, Optional<HX_Tensor>:$indices);
  let assemblyFormat = "$fn $input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
