//===- Recurrent.td - LSTM and its kin ------------------------------------------===//

#ifndef HEXIN_IR_OPS_RECURRENT_TD
#define HEXIN_IR_OPS_RECURRENT_TD

include "compiler/ir/OpBase.td"

def HX_LstmOp : HX_PureOp<"lstm", [AttrSizedOperandSegments]> {
  let summary = "long short-term memory, gates i o f c as in ONNX";
  let description = [{
    input [T, B, I]; weights [D, 4H, I]; recurrence [D, 4H, H]; bias [D, 8H] =
    [Wb, Rb]; lengths i32 [B]; initialH, initialC [D, B, H]; peepholes [D, 3H].
    Results: Y [T, D, B, H], lastH, lastC [D, B, H]. D is 2 when bidirectional.
    `activations` has 3 names per direction. `clip` 0 means none.

    Without weights the input is *projected*, multiplied by them already: [T, B, D * 4H];
    and the recurrence has a matrix for each gate, [D * 4, H, H] (hx-project-recurrent).
  }];
  let arguments = (ins HX_Tensor:$input, Optional<HX_Tensor>:$weights, HX_Tensor:$recurrence,
                       Optional<HX_Tensor>:$bias, Optional<HX_Tensor>:$lengths,
                       Optional<HX_Tensor>:$initialH, Optional<HX_Tensor>:$initialC,
                       Optional<HX_Tensor>:$peepholes, I64Attr:$hiddenSize,
                       DefaultValuedAttr<HX_RecurrentDirectionAttr, "RecurrentDirection::forward">:$direction,
                       StrArrayAttr:$activations, DenseF64ArrayAttr:$activationAlpha,
                       DenseF64ArrayAttr:$activationBeta,
                       DefaultValuedAttr<F64Attr, "0.0">:$clip,
                       DefaultValuedAttr<BoolAttr, "false">:$inputForget);
  let results = (outs HX_Tensor:$output, HX_Tensor:$lastH, HX_Tensor:$lastC);
  let assemblyFormat = [{
    $input (`weights` $weights^)? `recurrence` $recurrence (`bias` $bias^)? (`lengths` $lengths^)?
    (`initial_h` $initialH^)? (`initial_c` $initialC^)? (`peepholes` $peepholes^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif
