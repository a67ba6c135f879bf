// check_lengths: lengths that must lie between 0 and a limit.

#include "runtime/base/DType.h"
#include "runtime/reference/Gather.h"

#include <cstring>

namespace hexin::reference {

Results runCheckLengths(const Call &call) {
  HEXIN_RETURN_IF_ERROR(checkMovedType(call));
  const Tensor &lengths = call.operand(0);
  HEXIN_ASSIGN_OR_RETURN(Dims values, readIndices(lengths));
  HEXIN_ASSIGN_OR_RETURN(Dims limit, readIntegers(call.operand(1), "limit"));
  if (limit.size() != 1)
    return invalidArgument("limit must be one number, got " +
                           std::to_string(limit.size()));
  for (int64_t value : values)
    if (value < 0 || value > limit[0])
      return outOfRange("length " + std::to_string(value) +
                        " is outside of its axis: expected one from 0 to " +
                        std::to_string(limit[0]));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, lengths.dims()));
  if (lengths.byteLength() > 0) // no elements may have no address
    std::memcpy(result.data(), lengths.data(), lengths.byteLength());
  return single(std::move(result));
}

} // namespace hexin::reference
