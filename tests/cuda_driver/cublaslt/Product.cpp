#include "tests/cuda_driver/cublaslt/Product.h"
#include "tests/cuda_driver/Standin.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace standin::cublaslt {

static size_t width(int type) { return type == CUDA_R_32F ? 4 : 2; }

static float readAs(int type, const std::byte *at) {
  if (type == CUDA_R_16F) {
    _Float16 half;
    std::memcpy(&half, at, sizeof half);
    return float(half);
  }
  uint32_t bits = 0;
  if (type == CUDA_R_16BF)
    std::memcpy(reinterpret_cast<std::byte *>(&bits) + 2, at, 2);
  else
    std::memcpy(&bits, at, 4);
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

static void writeAs(int type, std::byte *at, float value) {
  if (type == CUDA_R_16F) {
    auto half = static_cast<_Float16>(value);
    std::memcpy(at, &half, sizeof half);
    return;
  }
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (type == CUDA_R_16BF) {
    if (value == value)
      bits += 0x7FFF + (bits >> 16 & 1); // to nearest, ties to even
    std::memcpy(at, reinterpret_cast<std::byte *>(&bits) + 2, 2);
  } else {
    std::memcpy(at, &bits, 4);
  }
}

bool Operand::resolve(int32_t batch) {
  uint64_t elements =
      uint64_t(stride) * uint64_t(batch - 1) + uint64_t(pitch) * (columns - 1) + rows;
  host = static_cast<std::byte *>(standinHostAddress(address, elements * width(type)));
  return host != nullptr;
}

std::byte *Operand::at(int32_t batch, uint64_t row, uint64_t column) const {
  return host + (uint64_t(batch) * uint64_t(stride) + column * uint64_t(pitch) + row) *
                    width(type);
}

float Operand::get(int32_t batch, uint64_t row, uint64_t column) const {
  return readAs(type, at(batch, row, column));
}

void Product::run() {
  auto *biasHost = static_cast<std::byte *>(
      bias ? standinHostAddress(bias, d.rows * width(d.type)) : nullptr);
  void *scratch =
      workspaceBytes ? standinHostAddress(workspace, workspaceBytes) : nullptr;
  if (!a.resolve(batch) || !b.resolve(batch) || !d.resolve(batch) ||
      (bias && !biasHost) || (workspaceBytes && !scratch)) {
    std::fprintf(stderr, "fake cublasLt: a product reads or writes where no memory is\n");
    std::abort();
  }
  if (scratch) // it is ours: whoever keeps something there loses it
    std::memset(scratch, 0xAB, workspaceBytes);
  for (int32_t i = 0; i < batch; ++i)
    for (uint64_t column = 0; column < d.columns; ++column)
      for (uint64_t row = 0; row < d.rows; ++row)
        writeAs(d.type, d.at(i, row, column), element(i, row, column, biasHost));
}

float Product::element(int32_t i, uint64_t row, uint64_t column,
                       const std::byte *biasHost) const {
  float sum = 0;
  for (uint64_t k = 0; k < depth; ++k)
    sum += (transposeA ? a.get(i, k, row) : a.get(i, row, k)) *
           (transposeB ? b.get(i, column, k) : b.get(i, k, column));
  if (biasHost)
    sum += readAs(d.type, biasHost + row * width(d.type));
  return hasRelu && !(sum > 0) ? 0 : sum;
}

} // namespace standin::cublaslt
