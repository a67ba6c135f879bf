//===- Tree.td - decision trees --------------------------------------------------===//

#ifndef HEXIN_IR_OPS_TREE_TD
#define HEXIN_IR_OPS_TREE_TD

include "compiler/ir/OpBase.td"

def HX_TreeEnsembleOp : HX_PureOp<"tree_ensemble"> {
  let summary = "what the leaves that each row reaches in many trees add up to";
  let description = [{
    input [N, F] of f32 or f64, result [N, T] of the same type. The trees:

      nodes i32 [M, 4]    {test, onTrue, onFalse, weight}: test = 8 * feature + flags, with
                          flags = comparison (0: x <= v, 1: x < v, 2: x = v) + 4 if NaN
                          is true. A leaf has onTrue = 0; its `weight` is where its
                          numbers start. Children stand behind all of their parents
                          (which may be several): a walk ends.
      thresholds [M]      v, of the input's type
      entries i32 [E, 2]  {root, offset}: a tree that has numbers for a target; they
                          stand `offset` behind where a leaf's start
      starts i32 [T + 1]  the entries of target t are [starts[t], starts[t + 1])
      weights [W]         the numbers, of the input's type

    `fn` is sum, min or max, in the order of the entries; to min and max NaN is no
    number, and none at all gives 0. Numbers outside of their range are clamped: no
    contents make a kernel read elsewhere or walk forever.

    One tree, feature 1 <= 0.5 ? 10 : 20, one target:
      nodes = [[8, 1, 2, 0], [0, 0, 0, 0], [0, 0, 0, 1]], thresholds = [0.5, 0, 0],
      entries = [[0, 0]], starts = [0, 1], weights = [10, 20]
  }];
  let arguments = (ins HX_ReduceFnAttr:$fn, HX_Tensor:$input, RankedTensorOf<[I32]>:$nodes,
                       HX_Tensor:$thresholds, RankedTensorOf<[I32]>:$entries,
                       1DTensorOf<[I32]>:$starts, HX_Tensor:$weights);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = [{
    $fn $input `,` $nodes `,` $thresholds `,` $entries `,` $starts `,` $weights attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif
