//===- Recurrences.h - what LSTM, GRU and RNN have in common -----------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_RECURRENCES_H
#define HEXIN_FRONTENDS_ONNX_OPS_RECURRENCES_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// Attribute `direction`; reports another word.
std::optional<hx::RecurrentDirection> readDirection(OpBinder &b);

/// Attribute `hidden_size`, or what the recurrent weights R [D, gates * H, H] say.
/// Reports when neither is there.
int64_t readHiddenSize(OpBinder &b, Value recurrence);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_RECURRENCES_H
