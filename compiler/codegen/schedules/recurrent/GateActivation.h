//===- GateActivation.h - the functions of a recurrent layer's gates -------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_RECURRENT_GATEACTIVATION_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_RECURRENT_GATEACTIVATION_H

#include "compiler/codegen/KernelBuilder.h"
#include "compiler/ir/Ops.h"

namespace hexin::codegen::recurrent {

/// An activation by its ONNX name with the parameters meant for it.
struct GateActivation {
  enum class Form { sigmoid, tanh, other } form;
  hx::ActivationKind kind;
  double alpha, beta;

  bool operator==(const GateActivation &other) const = default;

  mlir::Value emit(KernelBuilder &k, mlir::Value x, mlir::Type type) const;
};

/// By ONNX's names. Parameters are consumed in order by the functions that take them.
/// Diagnoses another name at `op`.
mlir::FailureOr<llvm::SmallVector<GateActivation>>
readActivations(mlir::Operation *op, mlir::ArrayAttr names, llvm::ArrayRef<double> alphas,
                llvm::ArrayRef<double> betas);

} // namespace hexin::codegen::recurrent

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_RECURRENT_GATEACTIVATION_H
