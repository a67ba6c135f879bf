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

def HX_MatMulFewBitsOp : HX_PureOp<"matmul_few_bits"> {
  let summary = "product with weights of 2, 4 or 8 bits, scaled by blocks";
  let description = [{
    lhs [..., M, K] times the transpose of weights [N, K] that lie as unsigned numbers of
    `bits` bits, low bits of a byte first; each `block` numbers of a row, a power of two
    from 16 on that divides K, have a scale and a zero point:

      weight[n, k] = (number[n, k] - zeroPoint[n, k / block]) * scale[n, k / block]

      bytes ui8 [N, K * bits / 8]; with `depthFirst` [K * bits / 8, N]
            i8: signed numbers of 8 bits
      scales    [N, K / block], floats
      zeroPoint floats [N, K / block], or ui8
                [N, ceil(K / block * bits / 8)], packed as the numbers are, rows in whole
                bytes; absent means 2^(bits - 1), and 0 where numbers are signed

    Sums are kept in the type that the result's elements are computed in.

    ```mlir
    %0 = hx.matmul_few_bits %x, %w, %s {bits = 4 : i64, block = 32 : i64}
        : (tensor<?x64xf32>, tensor<8x32xui8>, tensor<8x2xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins HX_Tensor:$lhs, RankedTensorOf<[UI8, I8]>:$bytes, HX_Tensor:$scales,
                       Optional<HX_Tensor>:$zeroPoint, I64Attr:$bits, I64Attr:$block,
                       DefaultValuedAttr<BoolAttr, "false">:$depthFirst);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $bytes `,` $scales (`zero` $zeroPoint^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif
