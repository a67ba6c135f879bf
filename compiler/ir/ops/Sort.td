//===- Sort.td - ordering and compaction ---------------------------------------===//

#ifndef HEXIN_IR_OPS_SORT_TD
#define HEXIN_IR_OPS_SORT_TD

include "compiler/ir/OpBase.td"

def HX_SortOp : HX_PureOp<"sort"> {
  let summary = "stable sort along an axis: values and their positions";
  let description = [{NaN is the greatest value and equal to itself.}];
  let arguments = (ins HX_Tensor:$input, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$descending);
  let results = (outs HX_Tensor:$values, RankedTensorOf<[I64]>:$positions);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_TopKOp : HX_PureOp<"top_k", [HX_HostReads]> {
  let summary = "the first `k` of hx.sort along an axis";
  let description = [{`k` is at most the size of the axis.}];
  let arguments = (ins HX_Tensor:$input, HX_ShapeTensor:$k, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$descending);
  let results = (outs HX_Tensor:$values, RankedTensorOf<[I64]>:$positions);
  let assemblyFormat = "$input `,` $k attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_CompactOp : HX_PureOp<"compact"> {
  let summary = "positions of true in a 1-D mask, ascending";
  let description = [{The result's size is known only after running.}];
  let arguments = (ins 1DTensorOf<[I1]>:$mask);
  let results = (outs 1DTensorOf<[I64]>:$result);
  let assemblyFormat = "$mask attr-dict `:` functional-type(operands, results)";
}

def HX_CompactFillOp : HX_PureOp<"compact_fill", [HX_HostReads]> {
  let summary = "hx.compact after the host has read how many there are";
  let description = [{
    Made by `hx-expand-compact`. The mask is seen in blocks of `block` elements (the
    last may be shorter); starts[i] is the number of true in the blocks before block
    i. `count`, read on the host, is the number of true in all.
  }];
  let arguments = (ins 1DTensorOf<[I1]>:$mask, 1DTensorOf<[I64]>:$starts,
                       HX_ShapeTensor:$count, I64Attr:$block);
  let results = (outs 1DTensorOf<[I64]>:$result);
  let assemblyFormat = "$mask `,` $starts `,` $count attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
