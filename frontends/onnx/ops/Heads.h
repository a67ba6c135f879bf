//===- Heads.h - heads of attention, for several families -------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_HEADS_H
#define HEXIN_FRONTENDS_ONNX_OPS_HEADS_H

#include "frontends/onnx/OpBinder.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace hexin::onnx {

/// Whether [B, S, N * H] can be split into `numHeads` heads, as an error.
bool checkHeads(OpBinder &b, Value x, int64_t numHeads, llvm::StringRef what);

/// [B, S, N * H] as [B, N, S, H].
Value splitHeads(OpBinder &b, Value x, int64_t numHeads);

/// [B, N, S, H] as [B, S, N * H].
Value mergeHeads(OpBinder &b, Value x);

/// product(rows, perHead) of [B, Hq, S, x] and [B, Hkv, ...], where Hq / Hkv query
/// heads in a row share a head; nothing is repeated for them.
Value withGroupedRows(OpBinder &b, Value rows, Value perHead,
                      llvm::function_ref<Value(Value, Value)> product);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_HEADS_H
