#include "compiler/api/OptionNames.h"

#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/ir/Errors.h"
#include "compiler/target/Partition.h"

using namespace mlir;

namespace hexin::compiler {

void collectNodeNames(ModuleOp module, llvm::StringSet<> &nodes) {
  module.walk([&](Operation *op) {
    std::string names = hx::nodeNames(op->getLoc());
    if (!names.empty())
      nodes.insert(names);
  });
}

Status checkOptionNames(const CompileOptions &options, MLIRContext &context,
                        const llvm::StringSet<> &nodes,
                        const std::vector<std::unique_ptr<Target>> &targets) {
  auto isOpOrNode = [&](llvm::StringRef entry) {
    return nodes.contains(entry) ||
           llvm::any_of(context.getRegisteredOperationsByDialect("hx"),
                        [&](RegisteredOperationName op) {
                          return namesOp(entry, op.getStringRef());
                        });
  };
  for (const std::string &entry : options.allowFallback)
    if (!isOpOrNode(entry))
      return invalidArgument("allow-fallback: '" + entry +
                             "' is no op and no node of the model");
  for (const std::string &entry : options.disable) {
    auto isNamed = [&](const codegen::Schedule &schedule) {
      return schedule.name == entry;
    };
    bool isSchedule = llvm::any_of(codegen::schedules(), isNamed) ||
                      llvm::any_of(codegen::teamSchedules(), isNamed) ||
                      llvm::any_of(codegen::guardedSchedules(),
                                   [&](const codegen::GuardedSchedule &guarded) {
                                     return isNamed(guarded.schedule);
                                   });
    bool isLibrary = llvm::any_of(targets, [&](const std::unique_ptr<Target> &target) {
      return llvm::is_contained(target->libraries(), llvm::StringRef(entry));
    });
    if (!isSchedule && !isLibrary && entry != bfloatSignals && !isOpOrNode(entry))
      return invalidArgument("disable: '" + entry +
                             "' is no op, no node of the model, no schedule, and no "
                             "library of the targets");
  }
  return Status::success();
}

} // namespace hexin::compiler
