//===- CublasLtCall.h - groups that cuBLASLt takes -------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_COMPILER_CUBLASLTCALL_H
#define HEXIN_BACKENDS_CUDA_COMPILER_CUBLASLTCALL_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/target/LibraryCall.h"

#include <optional>
#include <string>

namespace hexin::cuda {

/// A group with a product of f32, f16 or bf16 whose epilogue is a bias, a relu or both.
/// Nullopt, and why in `reason`, for other groups with a product; other groups leave
/// `reason` empty.
std::optional<LibraryCall> cublasLtCall(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                        std::string &reason);

/// The group's product, or null.
hx::MatMulOp productOf(hx::GroupOp group);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_COMPILER_CUBLASLTCALL_H
