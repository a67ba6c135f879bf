//===- Elementwise.td - one result element from one element of each operand --===//
//
// Binary, compare and select broadcast as numpy does, right-aligned. A `?`
// against a `?` not known to be equal may turn out to be 1 at run time.
//
//===----------------------------------------------------------------------===//

#ifndef HEXIN_IR_OPS_ELEMENTWISE_TD
#define HEXIN_IR_OPS_ELEMENTWISE_TD

include "compiler/ir/OpBase.td"

/// Marks the ops an element emitter computes lane by lane.
def HX_Elementwise : NativeOpTrait<"HxElementwise"> {
  let cppNamespace = "::hexin::hx";
}

class HX_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : HX_PureOp<mnemonic, !listconcat([HX_Elementwise], traits)>;

def HX_UnaryOp : HX_ElementwiseOp<"unary"> {
  let summary = "a function of each element";
  let description = [{
    ```mlir
    %0 = hx.unary #hx.unary_fn<exp> %x : (tensor<4xf32>) -> tensor<4xf32>
    ```
    `is_*` give i1; the others the operand's type. Integer abs and neg wrap.
  }];
  let arguments = (ins HX_UnaryFnAttr:$fn, HX_Tensor:$input);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$fn $input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def HX_BinaryOp : HX_ElementwiseOp<"binary"> {
  let summary = "a function of two elements";
  let description = [{
    Both operands have the result's element type (pow: the exponent may differ).
    Integers wrap; x/0 and x mod 0 give 0, smallest/-1 the smallest. `mod` takes
    the divisor's sign, `fmod` the dividend's; integer `div` truncates. `bit_*`
    on i1 are the logical functions. Shift amounts outside the width give 0, or
    -1 for a right shift of a negative number.
  }];
  let arguments = (ins HX_BinaryFnAttr:$fn, HX_Tensor:$lhs, HX_Tensor:$rhs);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$fn $lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def HX_CompareOp : HX_ElementwiseOp<"compare"> {
  let summary = "eq, lt or le of two elements; false with NaN";
  let arguments = (ins HX_ComparePredicateAttr:$predicate, HX_Tensor:$lhs, HX_Tensor:$rhs);
  let results = (outs HX_BoolTensor:$result);
  let assemblyFormat = "$predicate $lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_SelectOp : HX_ElementwiseOp<"select"> {
  let summary = "condition ? onTrue : onFalse";
  let arguments = (ins HX_BoolTensor:$condition, HX_Tensor:$onTrue, HX_Tensor:$onFalse);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$condition `,` $onTrue `,` $onFalse attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_CastOp : HX_ElementwiseOp<"cast"> {
  let summary = "the value in another element type";
  let description = [{
    Float to integer truncates; to 32/64 bits saturates (NaN gives 0), narrower
    takes the low bits of the i32. Integer to integer takes the low bits. To i1:
    x != 0. `saturate` and `round` ("nearest", "up", "down") concern fp8 and e8m0.
  }];
  let arguments = (ins HX_Tensor:$input, DefaultValuedAttr<BoolAttr, "true">:$saturate,
                       DefaultValuedStrAttr<StrAttr, "nearest">:$round);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def HX_ActivationOp : HX_ElementwiseOp<"activation"> {
  let summary = "an activation function with up to two parameters";
  let description = [{
    Above the core: kept for epilogues and libraries, decomposed into core ops
    by `hx-decompose` where a target does not take it.

    relu max(x,0) (NaN stays); leaky_relu x<0 ? alpha*x : x; elu x<0 ?
    alpha*expm1(x) : x; celu max(0,x)+min(0,alpha*expm1(x/alpha)); selu
    beta*(x>0 ? x : alpha*expm1(x)); softplus; softsign x/(1+|x|); hard_sigmoid
    clamp(alpha*x+beta, 0, 1); hard_swish x*clamp(x/6+1/2, 0, 1); swish
    x*sigmoid(alpha*x); mish x*tanh(softplus(x)); gelu_erf; gelu_tanh;
    thresholded_relu x>alpha ? x : 0; shrink (alpha = lambd, beta = bias);
    affine alpha*x+beta; scaled_tanh alpha*tanh(beta*x).
  }];
  let arguments = (ins HX_ActivationKindAttr:$kind, HX_Tensor:$input,
                       DefaultValuedAttr<F64Attr, "0.0">:$alpha,
                       DefaultValuedAttr<F64Attr, "0.0">:$beta);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$kind $input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
