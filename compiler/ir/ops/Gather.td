//===- Gather.td - reads and writes at computed positions --------------------===//
//
// Indices are i32 or i64; those below 0 count from the end. One outside of [-d, d) is
// an error of the run (kernels: clamped access, and a Fault of hexin.fbs).
//
//===----------------------------------------------------------------------===//

#ifndef HEXIN_IR_OPS_GATHER_TD
#define HEXIN_IR_OPS_GATHER_TD

include "compiler/ir/OpBase.td"

def HX_GatherOp : HX_PureOp<"gather"> {
  let summary = "indices, of any rank, replace one axis";
  let description = [{
    result[b..., before..., i..., after...] = input[b..., before..., indices[b..., i...], after...]
    with `batchDims` leading axes shared.
  }];
  let arguments = (ins HX_Tensor:$input, HX_IndexTensor:$indices, I64Attr:$axis,
                       DefaultValuedAttr<I64Attr, "0">:$batchDims);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $indices attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_GatherElementsOp : HX_PureOp<"gather_elements"> {
  let summary = "result[..., i, ...] = input[..., indices[..., i, ...], ...]";
  let arguments = (ins HX_Tensor:$input, HX_IndexTensor:$indices, I64Attr:$axis);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $indices attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_GatherNdOp : HX_PureOp<"gather_nd"> {
  let summary = "the last axis of the indices holds coordinates";
  let arguments = (ins HX_Tensor:$input, HX_IndexTensor:$indices,
                       DefaultValuedAttr<I64Attr, "0">:$batchDims);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $indices attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_GatherSumOp : HX_PureOp<"gather_sum"> {
  let summary = "weighted sums of rows at computed positions";
  let description = [{
    result[b, q, c] = sum over t of input[b, positions[t, b, q], c] * weights[t, b, q],
    in the order of t. A position of -1 adds nothing, whatever its weight; others are
    0 .. rows-1. Sampling between elements is this, with a tap per neighbour.
  }];
  let arguments = (ins HX_Tensor:$input, HX_IndexTensor:$positions, HX_Tensor:$weights);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $positions `,` $weights attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_ScatterElementsOp : HX_PureOp<"scatter_elements"> {
  let summary = "input with updates joined at indices along an axis, in index order";
  let arguments = (ins HX_ScatterFnAttr:$fn, HX_Tensor:$input, HX_IndexTensor:$indices,
                       HX_Tensor:$updates, I64Attr:$axis);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$fn $input `,` $indices `,` $updates attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_ScatterNdOp : HX_PureOp<"scatter_nd"> {
  let summary = "input with update slices joined at coordinates, in order";
  let arguments = (ins HX_ScatterFnAttr:$fn, HX_Tensor:$input, HX_IndexTensor:$indices,
                       HX_Tensor:$updates);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$fn $input `,` $indices `,` $updates attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
