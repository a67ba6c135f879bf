//===- OneDnnCall.h - groups that oneDNN takes ----------------------------------===//
//
// The one place that knows what oneDNN is asked for: a group with a conv,
// conv_transpose, matmul or pool in f32 whose epilogue is post-ops. What the shim
// then refuses on the machine at hand runs on our kernel.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_ONEDNNCALL_H
#define HEXIN_BACKENDS_CPU_COMPILER_ONEDNNCALL_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/target/LibraryCall.h"

#include <optional>
#include <string>

namespace hexin::cpu {

enum class LibraryUse {
  whereFaster,   ///< as OneDnnCost.h says, and only what keeps NaN and infinities
  wherePossible, ///< also steps that do not
  never
};

/// The call for `group`; nullopt, and why in `reason`, when there is none. Groups
/// that have none of those ops leave `reason` empty.
std::optional<LibraryCall> oneDnnCall(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                      LibraryUse use, std::string &reason);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_ONEDNNCALL_H
