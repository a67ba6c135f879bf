#include "runtime/tools/RandomTensor.h"

#include "runtime/tools/Scalars.h"

namespace hexin::cli {
namespace {

/// SplitMix64's finaliser: a bijection that spreads every input bit.
uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

uint64_t hashName(std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325u; // FNV-1a
  for (unsigned char c : name)
    hash = (hash ^ c) * 0x100000001B3u;
  return hash;
}

bool isFraction(DType dtype) {
  return dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f32 ||
         dtype == DType::f64;
}

} // namespace

Result<Tensor> randomTensor(DType dtype, std::span<const int64_t> dims,
                            std::string_view name, uint64_t seed) {
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(dtype, dims));
  uint64_t stream = mix(seed ^ mix(hashName(name)));
  for (int64_t i = 0; i < tensor.numElements(); ++i) {
    uint64_t bits = mix(stream + static_cast<uint64_t>(i));
    // Eight bits for the 16-bit floats, so that rounding cannot reach 1.
    bool isHalf = dtype == DType::f16 || dtype == DType::bf16;
    double value = isHalf              ? static_cast<double>(bits >> 56) / 256
                   : isFraction(dtype) ? static_cast<double>(bits >> 40) / (1 << 24)
                                       : static_cast<double>(bits >> 63);
    if (!storeElement(tensor, i, value))
      return unsupported("there are no random values of type " +
                         std::string(toString(dtype)) + " for input '" +
                         std::string(name) + "'; pass a file with --input");
  }
  return tensor;
}

} // namespace hexin::cli
