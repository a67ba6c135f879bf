//===- Sequences.h - what families share about sequences and optionals ----------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_SEQUENCES_H
#define HEXIN_FRONTENDS_ONNX_OPS_SEQUENCES_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// The type of a value as far as it is known: an empty sequence is one of `none`.
mlir::Type knownType(Value value);

/// What the model declares of output `index`; null when it says nothing.
mlir::Type declaredOutput(OpBinder &b, unsigned index);

/// The element at `position`; itself when the sequence is made of known parts. The rank
/// of `declared` (may be null) counts where that of the elements is not known; reports
/// when neither is.
Value elementAt(OpBinder &b, Value sequence, Value position, mlir::Type declared);

/// `sequence` with `value` before `position`, or at its end when that is null.
Value inserted(OpBinder &b, Value sequence, Value value, Value position);

/// What an optional holds; `declared` as above.
Value heldBy(OpBinder &b, Value optional, mlir::Type declared);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_SEQUENCES_H
