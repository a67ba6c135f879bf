#include "runtime/exec/HostOps.h"

#if HEXIN_WITH_REFERENCE
#include "runtime/host/HostKernels.h"
#include "runtime/reference/Reference.h"
#endif

namespace hexin {
namespace {

[[maybe_unused]] Status notBuilt(const std::string &op) {
  return unavailable("'" + op +
                     "' runs on the host, and this libhexin was built without "
                     "the reference kernels");
}

} // namespace

bool isHostOp(const std::string &op) {
#if HEXIN_WITH_REFERENCE
  return host::isHostOp(op);
#else
  return false;
#endif
}

Result<std::vector<Value>> runHostOp(const std::string &op, const Attributes &attributes,
                                     std::span<const Value *const> operands,
                                     std::span<const HostResultType> results) {
#if HEXIN_WITH_REFERENCE
  std::vector<host::ResultType> types;
  for (const HostResultType &result : results)
    types.push_back({result.kind, result.dtype});
  return host::run(op, attributes, operands, types);
#else
  return notBuilt(op);
#endif
}

Result<std::vector<Tensor>> runHostOp(const std::string &op, const Attributes &attributes,
                                      std::span<const Tensor *const> operands,
                                      std::span<const DType> resultTypes) {
#if HEXIN_WITH_REFERENCE
  return reference::run(op, attributes, operands, resultTypes);
#else
  return notBuilt(op);
#endif
}

} // namespace hexin
