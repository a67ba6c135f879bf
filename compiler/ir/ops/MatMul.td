//===- MatMul.td - batched matrix products ------------------------------------===//

#ifndef HEXIN_IR_OPS_MATMUL_TD
#define HEXIN_IR_OPS_MATMUL_TD

include "compiler/ir/OpBase.td"

def HX_MatMulOp : HX_PureOp<"matmul"> {
  let summary = "batched matrix product";
  let description = [{
    lhs [batch..., M, K] (transposed: [batch..., K, M]), rhs [batch..., K, N]
    (transposed: [batch..., N, K]), both of rank >= 2; batch axes broadcast.
    K = 0 gives zeros. `accumulate` is the type sums are kept in.

    ```mlir
    %0 = hx.matmul %a, %b : (tensor<?x8x64xf32>, tensor<64x32xf32>) -> tensor<?x8x32xf32>
    ```
  }];
  let arguments = (ins HX_Tensor:$lhs, HX_Tensor:$rhs,
                       DefaultValuedAttr<BoolAttr, "false">:$transposeLhs,
                       DefaultValuedAttr<BoolAttr, "false">:$transposeRhs,
                       OptionalAttr<TypeAttr>:$accumulate);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_MatMulIntegerOp : HX_PureOp<"matmul_integer", [AttrSizedOperandSegments]> {
  let summary = "(lhs - lhsZero) x (rhs - rhsZero) in i32, wrapping";
  let description = [{
    8-bit operands. Zero points are scalars, or lhs one per row, rhs one per
    column; absent means 0.
  }];
  let arguments = (ins HX_Tensor:$lhs, HX_Tensor:$rhs, Optional<HX_Tensor>:$lhsZeroPoint,
                       Optional<HX_Tensor>:$rhsZeroPoint);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`lhs_zero` $lhsZeroPoint^)? (`rhs_zero` $rhsZeroPoint^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif
