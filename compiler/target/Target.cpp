#include "compiler/target/Target.h"

#include "compiler/ir/Ops.h"

namespace hexin {

std::optional<LibraryCall> Target::libraryCall(hx::GroupOp, hx::SymbolicShapes &,
                                               std::string &) {
  return std::nullopt;
}

} // namespace hexin
