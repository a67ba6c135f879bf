//===- Coupling.td - probabilities out of contests of two ------------------------===//

#ifndef HEXIN_IR_OPS_COUPLING_TD
#define HEXIN_IR_OPS_COUPLING_TD

include "compiler/ir/OpBase.td"

def HX_CouplePairsOp : HX_PureOp<"couple_pairs"> {
  let summary = "probabilities of classes that explain those of all pairs best";
  let description = [{
    input [N, C, C], f32: input[n, i, j] is the probability of class i against j, the
    diagonal is not read. The result [N, C] minimises, under sum p = 1,
      sum over i, j of (input[j, i] p[i] - input[i, j] p[j])^2
    by rounds over the classes, each solved for alone, from p = 1 / C until all conditions
    hold within 0.005 / C or `maxRounds` have been. What is not within the bound then
    stays as it is, as in the libraries that support vector machines come from.
  }];
  let arguments = (ins HX_Tensor:$input, DefaultValuedAttr<I64Attr, "100">:$maxRounds);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
