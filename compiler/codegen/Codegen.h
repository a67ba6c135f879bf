//===- Codegen.h - from a placed group to a kernel --------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_CODEGEN_H
#define HEXIN_COMPILER_CODEGEN_CODEGEN_H

#include "compiler/codegen/KernelBuilder.h"
#include "compiler/ir/Ops.h"

#include <string>

namespace hexin::codegen {

/// Which schedule takes the group, and why the better ones did not.
/// The op of the group's body that decides the schedule, or null.
mlir::Operation *heavyOp(hx::GroupOp group);

/// Whether the group's kernel for an arch that extends another differs from that one's.
bool differs(hx::GroupOp group, const CodegenTraits &traits);

struct ScheduleChoice {
  llvm::StringRef name;
  std::string reason; ///< "packed: weights are not packed; ..." or ""
};
ScheduleChoice chooseSchedule(hx::GroupOp group, hx::SymbolicShapes &shapes,
                              llvm::ArrayRef<std::string> disabled = {});

/// The schedule of the kernel that teams run instead, on devices that can; or "".
llvm::StringRef chooseTeamSchedule(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                   llvm::ArrayRef<std::string> disabled = {});

/// Writes the group's kernel, by the schedule its attribute names, for one arch
/// into `kernels`. `name`: that of the
/// kernel for another arch of the same target, or "". Diagnoses at the group.
mlir::FailureOr<KernelUse> emitKernel(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                      mlir::ModuleOp kernels, const CodegenTraits &traits,
                                      llvm::StringRef name);
/// The same for the schedule that its attribute `team_schedule` names.
mlir::FailureOr<KernelUse> emitTeamKernel(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                          mlir::ModuleOp kernels,
                                          const CodegenTraits &traits,
                                          llvm::StringRef name);

/// An hx.pack of 3x3 convolution weights that has this attribute (the tile's size, i64)
/// stands for them in Winograd form (runtime/artifact/WinogradWeights.h): constants only,
/// and read by that schedule only.
inline constexpr llvm::StringLiteral winogradTileAttr = "hx.winograd_tile";

/// A schedule that is faster where its guard holds, and why none is ("" for ops that no
/// such schedule is for).
ScheduleChoice chooseGuardedSchedule(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                     llvm::ArrayRef<std::string> disabled = {});
/// Notes the choice at the group and gives it what the schedule reads besides, as more
/// inputs.
void setGuardedSchedule(hx::GroupOp group, llvm::StringRef name,
                        hx::SymbolicShapes &shapes);
/// What was noted, or "".
llvm::StringRef guardedScheduleOf(hx::GroupOp group);
/// The kernel of that schedule, and where (not 0) it is taken; null: everywhere.
mlir::FailureOr<KernelUse>
emitGuardedKernel(hx::GroupOp group, hx::SymbolicShapes &shapes, mlir::ModuleOp kernels,
                  const CodegenTraits &traits, llvm::StringRef name);
hx::Dim guardOf(hx::GroupOp group, hx::SymbolicShapes &shapes);

/// Inside of a kernel's single item: writes `contents` to the integer tensor
/// `value`, one param per element.
void emitContents(KernelBuilder &kernel, mlir::Value value,
                  llvm::ArrayRef<hx::Dim> contents);

/// A kernel's body that copies all of `source` to the beginning of `target`, which may be
/// bound at any offset.
void emitCopy(KernelBuilder &kernel, mlir::Value source, mlir::Value target);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_CODEGEN_H
