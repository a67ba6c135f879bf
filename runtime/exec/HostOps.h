//===- HostOps.h - instructions that run on the host ------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_HOSTOPS_H
#define HEXIN_RUNTIME_EXEC_HOSTOPS_H

#include "runtime/base/Attributes.h"

#include "hexin/value.h"

#include <span>
#include <string>
#include <vector>

namespace hexin {

/// Whether `op` is one of values that live on the host, whatever its operands are.
bool isHostOp(const std::string &op);

struct HostResultType {
  ValueKind kind = ValueKind::tensor;
  DType dtype = DType::f32;
};

/// Runs `op` on values of any kind, with the kernels of runtime/host; `spent` as of
/// host::run. unavailable in a
/// build without the reference kernels.
Result<std::vector<Value>> runHostOp(const std::string &op, const Attributes &attributes,
                                     std::span<const Value *const> operands,
                                     std::span<const HostResultType> results,
                                     std::span<Value *const> spent = {});

/// Runs `op` with the reference kernels; nullptr operands are absent. unavailable
/// in a build without them.
Result<std::vector<Tensor>> runHostOp(const std::string &op, const Attributes &attributes,
                                      std::span<const Tensor *const> operands,
                                      std::span<const DType> resultTypes);

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_HOSTOPS_H
