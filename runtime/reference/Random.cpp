// random_bits: a word of a Philox block per element.

#include "runtime/reference/Kernel.h"
#include "runtime/reference/Philox.h"

namespace hexin::reference {
Results runRandomBits(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(Dims stream, readIntegers(call.operand(0), "stream"));
  HEXIN_ASSIGN_OR_RETURN(Dims sizes, readIntegers(call.operand(1), "sizes"));
  if (stream.size() != 2)
    return invalidArgument("stream must be [key, count], got " +
                           std::to_string(stream.size()) + " numbers");
  uint64_t key = call.attributes.getInt("seed", stream[0]);
  uint32_t count = uint32_t(stream[1]), node = uint32_t(call.attributes.getInt("node"));
  int64_t word = call.attributes.getInt("word");
  if (word < 0 || word > 3)
    return invalidArgument("word=" + std::to_string(word) + " must be 0 to 3");
  if (call.resultTypes[0] != DType::u32)
    return unsupported("random bits of type " +
                       std::string(toString(call.resultTypes[0])) + "; they are u32");
  HEXIN_ASSIGN_OR_RETURN(Tensor bits, call.allocate(0, sizes));
  auto *dst = static_cast<uint32_t *>(bits.data());
  for (uint64_t i = 0, n = bits.numElements(); i < n; ++i)
    dst[i] = philox4x32({uint32_t(i), uint32_t(i >> 32), count, node},
                        {uint32_t(key), uint32_t(key >> 32)})[word];
  return single(std::move(bits));
}

} // namespace hexin::reference
