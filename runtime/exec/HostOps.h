//===- HostOps.h - instructions that run on the host ------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_HOSTOPS_H
#define HEXIN_RUNTIME_EXEC_HOSTOPS_H

#include "runtime/base/Attributes.h"

#include "hexin/value.h"

#include <span>
#include <string>
#include <vector>

namespace hexin {

/// Runs `op` with the reference kernels; nullptr operands are absent. unavailable
/// in a build without them.
Result<std::vector<Tensor>> runHostOp(const std::string &op, const Attributes &attributes,
                                      std::span<const Tensor *const> operands,
                                      std::span<const DType> resultTypes);

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_HOSTOPS_H
