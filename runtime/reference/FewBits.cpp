// matmul_few_bits: weights unpacked row by row, as compiler/ir/ops/MatMul.td has them.

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"

namespace hexin::reference {
namespace {

struct Format {
  int64_t bits, block;
  bool isDepthFirst, isSigned;

  int64_t perByte() const { return 8 / bits; }
  /// Number `i` of bytes that lie `pitch` apart.
  int64_t numberAt(const uint8_t *row, int64_t i, int64_t pitch = 1) const {
    int64_t shift = (i % perByte()) * bits;
    return (row[i / perByte() * pitch] >> shift) & ((1 << bits) - 1);
  }
  int64_t weightAt(const Tensor &bytes, int64_t n, int64_t i) const {
    const auto *data = static_cast<const uint8_t *>(bytes.data());
    int64_t pitch = bytes.dims()[1];
    int64_t number =
        isDepthFirst ? numberAt(data + n, i, pitch) : numberAt(data + n * pitch, i);
    return isSigned ? int64_t(int8_t(number)) : number;
  }
  double defaultZero() const { return isSigned ? 0 : double(1 << (bits - 1)); }
};

Result<Format> readFormat(const Call &call) {
  Format format{call.attributes.getInt("bits"), call.attributes.getInt("block"),
                call.attributes.getInt("depthFirst", 0) != 0,
                call.operand(1).dtype() == DType::i8};
  if (format.bits != 2 && format.bits != 4 && format.bits != 8)
    return invalidArgument("bits is " + std::to_string(format.bits) +
                           ", expected 2, 4 or 8");
  if (format.isSigned && format.bits != 8)
    return invalidArgument("signed numbers have 8 bits, got " +
                           std::to_string(format.bits));
  if (format.block < 16 || format.block % format.perByte() != 0)
    return invalidArgument("block is " + std::to_string(format.block) +
                           ", expected a power of two from 16 on");
  return format;
}

Status checkOperands(const Call &call, const Format &format) {
  const Tensor &lhs = call.operand(0), &bytes = call.operand(1),
               &scales = call.operand(2);
  if (lhs.dims().size() < 2 || bytes.dims().size() != 2 || scales.dims().size() != 2)
    return invalidArgument("expected lhs of rank 2 or more, bytes and scales of rank 2, "
                           "got " +
                           formatDims(lhs.dims()) + ", " + formatDims(bytes.dims()) +
                           " and " + formatDims(scales.dims()));
  int64_t depth = lhs.dims().back(), rows = bytes.dims()[format.isDepthFirst ? 1 : 0];
  int64_t blocks = depth / format.block;
  if (depth % format.block != 0 ||
      bytes.dims()[format.isDepthFirst ? 0 : 1] != depth / format.perByte() ||
      scales.dims()[0] != rows || scales.dims()[1] != blocks)
    return invalidArgument("lhs " + formatDims(lhs.dims()) + ", bytes " +
                           formatDims(bytes.dims()) + " and scales " +
                           formatDims(scales.dims()) + " do not fit together");
  if (bytes.dtype() != DType::u8 && !format.isSigned)
    return invalidArgument("the bytes must be u8 or i8");
  for (const Tensor *floats : {&lhs, &scales})
    if (domainOf(floats->dtype()) != Domain::floating)
      return invalidArgument("lhs and scales must be floats");
  const Tensor *zero = call.optional(3);
  if (!zero)
    return Status::success();
  bool isPacked = zero->dtype() == DType::u8;
  if (!isPacked && domainOf(zero->dtype()) != Domain::floating)
    return invalidArgument("the zero point must be floats or u8");
  int64_t columns =
      isPacked ? (blocks + format.perByte() - 1) / format.perByte() : blocks;
  if (zero->dims().size() != 2 || zero->dims()[0] != rows || zero->dims()[1] != columns)
    return invalidArgument("the zero point is " + formatDims(zero->dims()) +
                           ", expected " + formatDims(Dims{rows, columns}));
  return Status::success();
}

} // namespace

Results runMatMulFewBits(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(Format format, readFormat(call));
  HEXIN_RETURN_IF_ERROR(checkOperands(call, format));
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, call.operand(0)));
  const Tensor *zero = call.optional(3);
  Dims dims(call.operand(0).dims().begin(), call.operand(0).dims().end());
  int64_t depth = dims.back(),
          columns = call.operand(1).dims()[format.isDepthFirst ? 1 : 0];
  int64_t rows = product(dims, 0, dims.size() - 1), blocks = depth / format.block;
  dims.back() = columns;
  HEXIN_ASSIGN_OR_RETURN(size_t size, workSize(dims, call));

  Wide<double> lhs(call.operand(0)), scales(call.operand(2));
  bool isPacked = zero && zero->dtype() == DType::u8;
  std::optional<Wide<double>> zeros;
  if (zero && !isPacked)
    zeros.emplace(*zero);
  auto zeroOf = [&](int64_t n, int64_t block) -> double {
    if (zeros)
      return (*zeros)[n * blocks + block];
    if (!zero)
      return format.defaultZero();
    const auto *row = static_cast<const uint8_t *>(zero->data()) + n * zero->dims()[1];
    return double(format.numberAt(row, block));
  };

  std::vector<double> sums(size), weights(static_cast<size_t>(depth));
  for (int64_t n = 0; n < columns; ++n) {
    for (int64_t i = 0; i < depth; ++i) {
      int64_t block = i / format.block;
      auto number = double(format.weightAt(call.operand(1), n, i));
      weights[size_t(i)] = (number - zeroOf(n, block)) * scales[n * blocks + block];
    }
    for (int64_t row = 0; row < rows; ++row) {
      double sum = 0;
      for (int64_t i = 0; i < depth; ++i)
        sum += lhs[row * depth + i] * weights[size_t(i)];
      sums[size_t(row * columns + n)] = sum;
    }
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor result, storeResult(call, 0, dims, sums.data()));
  return single(std::move(result));
}

} // namespace hexin::reference
