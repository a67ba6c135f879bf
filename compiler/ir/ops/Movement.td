//===- Movement.td - ops that only move elements -----------------------------===//
//
// Shape operands (sizes, starts, pads) are host-read i64 tensors of full rank
// and canonical form: no negative axis, no clamping left to do.
//
//===----------------------------------------------------------------------===//

#ifndef HEXIN_IR_OPS_MOVEMENT_TD
#define HEXIN_IR_OPS_MOVEMENT_TD

include "compiler/ir/OpBase.td"

def HX_BitcastOp : HX_PureOp<"bitcast"> {
  let summary = "the same bits as another type of equal width";
  let arguments = (ins HX_Tensor:$input);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_ReshapeOp : HX_PureOp<"reshape", [HX_HostReads]> {
  let summary = "the same elements in row-major order, other sizes";
  let description = [{
    `shape` has one entry per result axis; at most one is -1 and is what the
    others leave. A 0 is a size of 0 (ONNX's "copy" is resolved at import).

    ```mlir
    %0 = hx.reshape %x, %shape : (tensor<?x6xf32>, tensor<1xi64>) -> tensor<?xf32>
    ```
  }];
  let arguments = (ins HX_Tensor:$input, HX_ShapeTensor:$shape);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $shape attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def HX_TransposeOp : HX_PureOp<"transpose"> {
  let summary = "result axis i is operand axis perm[i]";
  let arguments = (ins HX_Tensor:$input, DenseI64ArrayAttr:$perm);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def HX_BroadcastToOp : HX_PureOp<"broadcast_to", [HX_HostReads]> {
  let summary = "repeats size-1 axes, right-aligned, to the given sizes";
  let description = [{ONNX Expand is two-way; import resolves it, so `shape` is the result's.}];
  let arguments = (ins HX_Tensor:$input, HX_ShapeTensor:$shape);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $shape attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def HX_SliceOp : HX_PureOp<"slice", [HX_HostReads]> {
  let summary = "element i of an axis is start + i*step, for size elements";
  let description = [{
    Full rank: one start, size and step per axis, already clamped; steps may be
    negative, not 0.
  }];
  let arguments = (ins HX_Tensor:$input, HX_ShapeTensor:$starts, HX_ShapeTensor:$sizes,
                       DenseI64ArrayAttr:$steps);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input `,` $starts `,` $sizes attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def HX_ConcatOp : HX_PureOp<"concat"> {
  let summary = "operands one after the other along an axis";
  let arguments = (ins Variadic<HX_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$inputs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def HX_PadOp : HX_PureOp<"pad", [HX_HostReads]> {
  let summary = "elements put before (low) and after (high) each axis";
  let description = [{
    low, high >= 0, full rank. `value` is a scalar tensor, used by mode constant.
    reflect excludes the edge and may repeat; wrap too.
  }];
  let arguments = (ins HX_Tensor:$input, HX_ShapeTensor:$low, HX_ShapeTensor:$high,
                       HX_Tensor:$value, HX_PadModeAttr:$mode);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$mode $input `,` $low `,` $high `,` $value attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
