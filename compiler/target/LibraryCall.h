//===- LibraryCall.h - a group as one call of a target's library ---------------===//
//
// A target answers a group with what its library would be asked: a library variant
// of the artifact (runtime/artifact/hexin.fbs). Our own kernel is written too and
// stands behind it, for sizes that the guard leaves and for devices without the
// library.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_TARGET_LIBRARYCALL_H
#define HEXIN_COMPILER_TARGET_LIBRARYCALL_H

#include "compiler/ir/Symbols.h"
#include "runtime/base/Attributes.h"

#include "llvm/ADT/SmallVector.h"

#include <string>

namespace hexin {

struct LibraryCall {
  std::string name; ///< "onednn.conv"
  Attributes attributes;
  /// Operands and results of the group, operands first.
  llvm::SmallVector<mlir::Value> bindings;
  hx::Dim guard; ///< taken where it is not 0; null: everywhere
  /// The library's sums, in units of our running bound (Kernel.error_constant).
  float errorConstant = 1;
};

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_LIBRARYCALL_H
