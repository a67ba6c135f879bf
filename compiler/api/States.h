//===- States.h - the states that a compile declares --------------------------===//
#ifndef HEXIN_COMPILER_API_STATES_H
#define HEXIN_COMPILER_API_STATES_H

#include "compiler/ir/SymbolicShapes.h"
#include "runtime/artifact/hexin_generated.h"

#include "hexin/status.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <map>
#include <string>

namespace hexin::compiler {

/// Writes header.states for `states` (input name -> output name) of `func`, whose
/// sizes `shapes` has inferred and whose ports `header` has.
///
/// A state begins with zeros. Of a size that is unknown, the first one is
///  - that of an input, where the two share a name or the model needs them equal
///    (both get one name then);
///  - 0 where a run makes it larger (a cache that grows along this axis);
///  - else 1 (a batch).
/// A state that the frontend made (an argument with "hx.random_state", and the result of
/// its name) is added.
Status addStates(mlir::func::FuncOp func, hx::SymbolicShapes &shapes,
                 const std::map<std::string, std::string> &states, fmt::HeaderT &header);

} // namespace hexin::compiler

#endif // HEXIN_COMPILER_API_STATES_H
