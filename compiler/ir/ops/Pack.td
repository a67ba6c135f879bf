//===- Pack.td - matrices in panels, for packed kernels ------------------------===//

#ifndef HEXIN_IR_OPS_PACK_TD
#define HEXIN_IR_OPS_PACK_TD

include "compiler/ir/OpBase.td"

def HX_PanelsAttr : AttrDef<HX_Dialect, "Panels"> {
  let mnemonic = "panels";
  let summary = "tensor encoding: columns stored in zero-padded panels";
  let description = [{
    The encoding of a tensor type whose sizes stay the logical ones. A matrix
    [batch..., K, N] (`transposed`: [batch..., N, K]) is stored as
    [batch..., ceil(N/width), K, width]. Convolution weights [M, C/g, taps...]
    are, per group, a matrix with K = taps x C/g (taps outermost) and N = M/g.
    Of a constant, `steps` of a column may stand side by side
    (runtime/base/Packing.h).
    Documented for readers of artifacts at `Encoding` in
    runtime/artifact/hexin.fbs.
  }];
  let parameters = (ins "int64_t":$width, "int64_t":$groups, "bool":$transposed, "bool":$conv,
                        DefaultValuedParameter<"int64_t", "1">:$steps);
  let assemblyFormat = "`<` struct(params) `>`";
}

def HX_PackOp : HX_PureOp<"pack"> {
  let summary = "the same tensor, stored in panels";
  let description = [{
    ```mlir
    %p = hx.pack %w : (tensor<64x3x7x7xf32>)
        -> tensor<64x3x7x7xf32, #hx.panels<width = 32, groups = 1, transposed = false, conv = true>>
    ```
  }];
  let arguments = (ins HX_Tensor:$input, HX_PanelsAttr:$panels);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$panels $input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
