//===- OptionNames.h - do the names in options mean anything ------------------===//
#ifndef HEXIN_COMPILER_API_OPTIONNAMES_H
#define HEXIN_COMPILER_API_OPTIONNAMES_H

#include "compiler/target/Target.h"

#include "hexin/compile.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringSet.h"

#include <memory>
#include <vector>

namespace hexin::compiler {

/// The names of the nodes that `module` comes from are added to `nodes`.
void collectNodeNames(mlir::ModuleOp module, llvm::StringSet<> &nodes);

/// invalidArgument at the first entry of `disable` that is no op, node, schedule or
/// library of a target, and at the first of `allowFallback` that is no op or node.
Status checkOptionNames(const CompileOptions &options, mlir::MLIRContext &context,
                        const llvm::StringSet<> &nodes,
                        const std::vector<std::unique_ptr<Target>> &targets);

} // namespace hexin::compiler

#endif // HEXIN_COMPILER_API_OPTIONNAMES_H
