//===- Constant.td - literals, weights, state, sizes -------------------------===//

#ifndef HEXIN_IR_OPS_CONSTANT_TD
#define HEXIN_IR_OPS_CONSTANT_TD

include "compiler/ir/OpBase.td"

def HX_ConstantOp : HX_PureOp<"constant", [ConstantLike, AllTypesMatch<["value", "result"]>]> {
  let summary = "a literal of at most 64 KiB, or a splat";
  let description = [{
    ```mlir
    %0 = hx.constant dense<[1, -1]> : tensor<2xi64>
    ```
    Larger data is an `hx.weight`.
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "attr-dict $value";
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value)>];
  let hasFolder = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Sizes above this many bytes belong into the weight table.
    static constexpr int64_t maxBytes = 64 * 1024;
  }];
}

def HX_WeightOp : HX_PureOp<"weight"> {
  let summary = "an entry of the weight table";
  let description = [{
    Names an entry of the module's `WeightStore`; its bytes never become an
    attribute. Static sizes.

    ```mlir
    %w = hx.weight "conv1.weight" : tensor<64x3x7x7xf32>
    ```
  }];
  let arguments = (ins StrAttr:$entry);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$entry attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def HX_StateReadOp : HX_Op<"state_read", [MemoryEffects<[MemRead]>]> {
  let summary = "the session's state at the start of the run";
  let arguments = (ins StrAttr:$state);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$state attr-dict `:` type($result)";
}

def HX_StateWriteOp : HX_Op<"state_write", [MemoryEffects<[MemWrite]>]> {
  let summary = "the session's state after the run";
  let arguments = (ins HX_Tensor:$value, StrAttr:$state);
  let assemblyFormat = "$value `to` $state attr-dict `:` type($value)";
}

def HX_ShapeOfOp : HX_PureOp<"shape_of"> {
  let summary = "the sizes of a tensor, on the host";
  let description = [{
    ```mlir
    %s = hx.shape_of %x : (tensor<?x3xf32>) -> tensor<2xi64>
    ```
  }];
  let arguments = (ins HX_Tensor:$input);
  let results = (outs HX_ShapeTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def HX_IotaOp : HX_PureOp<"iota", [HX_HostReads]> {
  let summary = "result[i...] = i along one axis";
  let description = [{
    `sizes` gives every size of the result; `axis` the one that counts.
  }];
  let arguments = (ins HX_ShapeTensor:$sizes, I64Attr:$axis);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$sizes attr-dict `:` functional-type(operands, results)";
}

#endif
