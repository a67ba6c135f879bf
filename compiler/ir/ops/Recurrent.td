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

def HX_RecurrenceOp : HX_PureOp<"recurrence", [AttrSizedOperandSegments]> {
  let summary = "RNN, and GRU that resets behind its product, of projected inputs";
  let description = [{
    G gates of H cells each, 1 of an rnn, and u r h of a gru. input [T, B, D * G * H] is
    the layer's input multiplied by its weights, with the biases that are just added;
    recurrence [D * G, H, H] a matrix for each gate; resetBias [D, H], of a gru, is added
    to the state's part of h before that is reset; lengths i32 [B]; initialH [D, B, H].

      rnn  h' = f(x + R h)
      gru  u = f(x_u + R_u h)    r = f(x_r + R_r h)
           h' = (1 - u) * g(x_h + r * (R_h h + resetBias)) + u * h

    Results: Y [T, D, B, H], lastH [D, B, H]. D is 2 when bidirectional. `activations` has
    1 name (f) or 2 (f g) per direction. `clip` 0 means none.
  }];
  let arguments = (ins HX_Tensor:$input, HX_Tensor:$recurrence, Optional<HX_Tensor>:$resetBias,
                       Optional<HX_Tensor>:$lengths, Optional<HX_Tensor>:$initialH,
                       HX_RecurrentCellAttr:$cell, I64Attr:$hiddenSize,
                       DefaultValuedAttr<HX_RecurrentDirectionAttr, "RecurrentDirection::forward">:$direction,
                       StrArrayAttr:$activations, DenseF64ArrayAttr:$activationAlpha,
                       DenseF64ArrayAttr:$activationBeta,
                       DefaultValuedAttr<F64Attr, "0.0">:$clip);
  let results = (outs HX_Tensor:$output, HX_Tensor:$lastH);
  let assemblyFormat = [{
    $cell $input `recurrence` $recurrence (`reset_bias` $resetBias^)? (`lengths` $lengths^)?
    (`initial_h` $initialH^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// G.
    int64_t numGates() { return getCell() == ::hexin::hx::RecurrentCell::gru ? 3 : 1; }
    /// D.
    int64_t numDirections() {
      return getDirection() == ::hexin::hx::RecurrentDirection::bidirectional ? 2 : 1;
    }
  }];
}

#endif
