#include "compiler/artifact/ProgramBuilder.h"

#include "compiler/artifact/ProgramEmitter.h"
#include "compiler/target/Partition.h"
#include "compiler/target/ReadBack.h"
#include "runtime/device/KernelAbi.h"

#include "mlir/IR/Location.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace hexin {

std::string nodeNames(Location loc) {
  llvm::SetVector<StringRef> names;
  loc->walk([&](Location inner) {
    if (auto name = dyn_cast<NameLoc>(inner))
      names.insert(name.getName().getValue());
    return WalkResult::advance();
  });
  return llvm::join(names, "+");
}

Result<BuiltProgram> ProgramEmitter::run() {
  if (failed(shapes.run(func)))
    return internalError("the partitioned program has contradictory sizes");
  program->target = target.name().str();
  program->kernel_abi = kernelAbiVersion;
  for (const CodegenTraits &traits : target.variants()) {
    (void)traits;
    kernels.push_back(ModuleOp::create(UnknownLoc::get(func.getContext())));
  }
  HEXIN_RETURN_IF_ERROR(addInterface());
  hostOnly = hostOnlyOps(func, shapes);
  readBack = readBackValues(func, shapes);
  for (Operation &op : func.getBody().front().without_terminator())
    HEXIN_RETURN_IF_ERROR(addOp(&op));
  Operation *terminator = func.getBody().front().getTerminator();
  for (auto [value, id] : llvm::zip(terminator->getOperands(), program->outputs))
    HEXIN_RETURN_IF_ERROR(addSizes(value, *program->values[id]));
  for (const hx::SymbolConstraint &constraint : shapes.symbols().constraints())
    addConstraint(constraint);
  if (faultsId)
    program->values[*faultsId]->dims = {exprs.constant(program->faults.size()),
                                        exprs.constant(2)};
  program->exprs = exprs.take();
  return BuiltProgram{std::move(program), std::move(kernels)};
}

Status ProgramEmitter::addOp(Operation *op) {
  if (auto group = dyn_cast<hx::GroupOp>(op))
    return addGroup(group);
  if (auto ifOp = dyn_cast<hx::IfOp>(op))
    return addIf(ifOp);
  if (auto loop = dyn_cast<hx::LoopOp>(op))
    return addLoop(loop);
  if (auto check = dyn_cast<hx::CheckOp>(op))
    return addCheck(check);
  if (hostOnly.contains(op))
    return Status::success();
  Place place = placeOf(op, shapes);
  if (place == Place::view)
    return addView(op);
  if (place == Place::host)
    for (Value result : op->getResults())
      if (idOf(result) >= 0) // a result of the program
        HEXIN_RETURN_IF_ERROR(writeContents(result));
  if (place == Place::fallback)
    return addFallback(op);
  if (place == Place::byNature)
    return addHostOp(op);
  if (place == Place::constant || place == Place::host)
    return Status::success(); // made when somebody reads it
  return unsupported("'" + nodeNames(op->getLoc()) + "' (" +
                     op->getName().getStringRef().str() + ") was not placed");
}

Result<BuiltProgram> buildProgram(func::FuncOp func, Target &target,
                                  WeightSection &weights) {
  weights.beginProgram();
  return ProgramEmitter(func, target, weights).run();
}

} // namespace hexin
