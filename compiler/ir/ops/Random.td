//===- Random.td - random bits, counted --------------------------------------===//

#ifndef HEXIN_IR_OPS_RANDOM_TD
#define HEXIN_IR_OPS_RANDOM_TD

include "compiler/ir/OpBase.td"

def HX_RandomBitsOp : HX_PureOp<"random_bits", [HX_HostReads]> {
  let summary = "32 random bits per element, a function of stream, node and position";
  let description = [{
    `stream` is [key, count]. Element i (row-major) is word `word` (0 to 3) of the
    Philox4x32-10 block (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
    2011) with that key, or `seed` in its place, and the counter, low word first, [i as
    two words, the low word of count, `node`]. Nothing is kept between runs: who wants
    other numbers counts. `sizes` (host) are the result's.

    ```mlir
    %bits = hx.random_bits %stream, %sizes {node = 1 : i64, word = 0 : i64} : (tensor<2xi64>, tensor<2xi64>) -> tensor<2x3xui32>
    ```
  }];
  let arguments = (ins StaticShapeTensorOf<[I64]>:$stream, HX_ShapeTensor:$sizes,
                       DefaultValuedAttr<I64Attr, "0">:$node,
                       DefaultValuedAttr<I64Attr, "0">:$word, OptionalAttr<I64Attr>:$seed);
  let results = (outs RankedTensorOf<[UI32]>:$result);
  let assemblyFormat = "$stream `,` $sizes attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
