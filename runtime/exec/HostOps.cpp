#include "runtime/exec/HostOps.h"

#if HEXIN_WITH_REFERENCE
#include "runtime/reference/Reference.h"
#endif

namespace hexin {

Result<std::vector<Tensor>> runHostOp(const std::string &op, const Attributes &attributes,
                                      std::span<const Tensor *const> operands,
                                      std::span<const DType> resultTypes) {
#if HEXIN_WITH_REFERENCE
  return reference::run(op, attributes, operands, resultTypes);
#else
  return unavailable("'" + op +
                     "' runs on the host, and this libhexin was built without "
                     "the reference kernels");
#endif
}

} // namespace hexin
