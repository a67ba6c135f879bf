//===- Passes.td - the shared passes over hx --------------------------------------===//
//
// Every pass says what holds before and after. Its flag is `hx-foo-bar`, its file
// FooBar.cpp, its test tests/compiler/transforms/foo-bar.mlir.
//
//===----------------------------------------------------------------------===//

#ifndef HEXIN_TRANSFORMS_PASSES_TD
#define HEXIN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def InferShapesPass : Pass<"hx-infer-shapes", "::mlir::ModuleOp"> {
  let summary = "gives every tensor the sizes that follow from the arguments'";
  let description = [{
    Before: functions of one block of valid hx ops.
    After: a result's size is static where the shape functions give a constant and
    `?` elsewhere; functions return what their terminators hold. Fails where
    sizes contradict each other, at the op.

    `annotate` writes down what the types cannot say, for people and tests:
    `hx.sizes` (per result) and `hx.contents` on ops, `hx.constraints` on
    functions.
  }];
  let options = [
    Option<"annotate", "annotate", "bool", "false", "write symbolic sizes as attributes">
  ];
}

def FoldConstantsPass : Pass<"hx-fold-constants", "::mlir::ModuleOp"> {
  let summary = "evaluates what depends on constants and weights only";
  let description = [{
    Runs the reference kernels. After: an op whose operands are all constants has
    become a constant or a weight, but where that would make large data larger (a
    narrow weight stays narrow), or where the reference kernel reports an error
    (the run will, at the node), or where all folding together would add more than
    64 MiB and more than the bytes the model came with (`hx.fold_budget` on the module
    keeps count between runs). Weights need a WeightStore.
  }];
  let options = [Option<"keepNarrow", "keep-narrow", "bool", "false",
                        "Leave 8-bit weights that are dequantised to hx-integer-products">];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def FoldIfPass : Pass<"hx-fold-if", "::mlir::func::FuncOp"> {
  let summary = "the taken branch in the place of an hx.if whose condition is known";
  let description = [{
    After: no condition of an hx.if is a constant, or the condition of an hx.if
    around it. Sizes are inferred anew.
  }];
}

def FoldBatchNormPass : Pass<"hx-fold-batch-norm", "::mlir::func::FuncOp"> {
  let summary = "batch normalisation as scale and shift, or into the convolution before it";
  let description = [{After: no nchw hx.batch_norm with static parameters is left.}];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def DropTinyWeightsPass : Pass<"hx-drop-tiny-weights", "::mlir::func::FuncOp"> {
  let summary = "zeros for constant weights that are next to zero";
  let description = [{
    After: constant f32 operands of products, convolutions and recurrences that have
    larger numbers have none whose products with usual ones are subnormal.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def ExpandCompactPass : Pass<"hx-expand-compact", "::mlir::func::FuncOp"> {
  let summary = "hx.compact as counting, a host read, and filling";
  let description = [{
    After: no hx.compact is left; hx.compact_fill has a size that the host reads
    while the program runs.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def ExpandResizePass : Pass<"hx-expand-resize", "::mlir::func::FuncOp"> {
  let summary = "resizing with antialias as products with constant matrices";
  let description = [{
    After: no linear or cubic hx.resize with antialias, static sizes and constant
    scales is left.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def FlattenDepthPass : Pass<"hx-flatten-depth", "::mlir::func::FuncOp"> {
  let summary = "convolutions over three axes as ones over two";
  let description = [{
    After: no float hx.conv without groups is left over three axes with explicit pads
    and a known depth.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def RowsLastPass : Pass<"hx-rows-last", "::mlir::func::FuncOp"> {
  let summary = "softmax and normalisation over the last axis";
  let description = [{
    After: softmax and log_softmax work on the last axis; so does layer_norm where
    its axes are static.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def ChannelsLastPass : Pass<"hx-channels-last", "::mlir::func::FuncOp"> {
  let summary = "nhwc for ops that have a layout, transposes sunk and cancelled";
  let description = [{
    After: conv, conv_transpose and pool on 4-D tensors are nhwc, those on 3-D
    tensors have become 4-D; transposes stand only where layouts really differ.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def IntegerProductsPass : Pass<"hx-integer-products", "::mlir::func::FuncOp"> {
  let summary = "products of dequantised 8-bit numbers as products of integers";
  let description = [{
    After: no hx.matmul and no nchw hx.conv of whole words of channels has two operands
    that are 8-bit numbers dequantised by finite constant scales, the left by one, the
    right by one or one per output channel, with zero points of one element or 0, where
    sums fit into 31 bits.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def BfloatProductsPass : Pass<"hx-bfloat-products", "::mlir::func::FuncOp"> {
  let summary = "products with large constants as products of bf16, summed in f32";
  let description = [{
    After: no hx.matmul of f32, and no hx.conv but a depthwise one, whose right-hand side
    is a constant is left, but where a sum has few products, for fallbacks and inside of
    attention: its operands are rounded to bf16, once each, and the result stays f32.
  }];
  let options = [Option<"withSignals", "with-signals", "bool", "true",
                        "convolutions of one channel as well">];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def NarrowWeightsPass : Pass<"hx-narrow-weights", "::mlir::func::FuncOp"> {
  let summary = "products with scaled 8-bit weights read the bytes";
  let description = [{
    After: no hx.matmul of f32 reads a constant i8 matrix times constant
    scales, one or one per column, whose depth is a multiple of 16; with
    `quantise-inputs` none of up to 32768. Weights need a WeightStore.
  }];
  let options = [Option<"quantiseInputs", "quantise-inputs", "bool", "false",
                        "Round the left side to 8 bits, by a scale per row">];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def ConvTransposeToMatMulPass : Pass<"hx-conv-transpose-to-matmul", "::mlir::func::FuncOp"> {
  let summary = "transposed convolutions without overlap as a matrix product";
  let description = [{
    After: no nhwc conv_transpose with constant weights, stride = taps and no
    padding is left.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def ConvTransposeToConvPass : Pass<"hx-conv-transpose-to-conv", "::mlir::func::FuncOp"> {
  let summary = "other transposed convolutions as one convolution for all phases";
  let description = [{
    After: no nhwc conv_transpose with constant weights and one group is left, but for
    dilated ones and those whose stride leaves most taps of a phase empty.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def SplitComplexPass : Pass<"hx-split-complex", "::mlir::func::FuncOp"> {
  let summary = "moves of complex numbers of f64 as moves of their parts";
  let description = [{
    After: only views, constants, control flow and host ops give complex<f64>.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def PackOperandsPass : Pass<"hx-pack-operands", "::mlir::func::FuncOp"> {
  let summary = "right-hand sides of conv and matmul in panels";
  let description = [{
    After: float matmuls and nhwc convs read their right-hand side through
    hx.pack, and no matmul has a transposed left-hand side. So do those of 8-bit
    integers whose zero points are one number each, but for depthwise ones; and so does
    an LSTM of projected inputs its recurrence.
  }];
  let options = [Option<"pairBfloats", "pair-bfloats", "bool", "false",
                        "constants that bf16 is multiplied by in panels of pairs">];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def ProjectRecurrentPass : Pass<"hx-project-recurrent", "::mlir::func::FuncOp"> {
  let summary = "the input's part of an LSTM as one product over all steps";
  let description = [{
    After: an hx.lstm of f32 or f64 with constant recurrence has no weights: its input is
    their product with what it was, and its recurrence a matrix for each gate, which
    hx-pack-operands packs.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def ResolveShapesPass : Pass<"hx-resolve-shapes", "::mlir::func::FuncOp"> {
  let summary = "host-read operands as arithmetic on what they hang on";
  let description = [{
    After: a shape operand whose contents are known as expressions is written in
    terms of hx.shape_of of function arguments and of elements of values that only
    the run makes; what computed it before is gone unless something else reads it.
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def MaterializeResultsPass : Pass<"hx-materialize-results", "::mlir::func::FuncOp"> {
  let summary = "every result in memory of its own";
  let description = [{
    After: each returned tensor is computed by an op on the device, or is a view of
    such a result that no other returned tensor shares; so is what a loop carries and
    stacks. (The copies are hx.cast to
    the same type, which hx-canonicalisation would remove: runs after it.)
  }];
  let dependentDialects = ["::hexin::hx::HXDialect"];
}

def VerifyTargetContractPass : Pass<"hx-verify-target-contract", "::mlir::func::FuncOp"> {
  let summary = "checks what placement and code generation take for granted";
  let description = [{
    Changes nothing. Fails at the first op of a function that does not meet the target
    contract, and says which op of which node, and what to do:
    - every op is in the closed core set or taken whole by codegen
      (compiler/ir/DeviceOps.h), a view, a constant, arithmetic that the host follows,
      control flow, or marked for the host by the caller's leave;
    - tensors of kernels have element types that kernels compute with, all others types
      that an artifact can hold; weights are static and stand in the weight table;
    - operands read on the host are known as expressions over sizes, constants and
      elements of values that the run makes;
    - rows are last: softmax, log_softmax and layer_norm over one axis end at the last;
    - windows over one or two axes are nhwc where their op has such a form;
    - only hx.pack makes panels, and only convolutions and products read them;
    - results, and what loops hand on, have memory of their own;
    - every op but constants leads back to a node of the model.
  }];
}

#endif
