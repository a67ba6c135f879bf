#include "compiler/codegen/HalfMatrices.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {

/// Words of two elements, as the kernel form has them ([n, 2] of elements in the op).
static Value toWords(KernelBuilder &k, Value pairs) {
  OpBuilder &b = k.builder();
  auto type = cast<VectorType>(pairs.getType());
  int64_t words = type.getDimSize(0);
  Value flat = vector::ShapeCastOp::create(
      b, k.loc(), VectorType::get({2 * words}, type.getElementType()), pairs);
  return vector::BitCastOp::create(b, k.loc(), VectorType::get({words}, b.getI32Type()),
                                   flat);
}

static Value toPairs(KernelBuilder &k, Value words, Type element) {
  OpBuilder &b = k.builder();
  int64_t count = cast<VectorType>(words.getType()).getNumElements();
  Value flat =
      vector::BitCastOp::create(b, k.loc(), VectorType::get({2 * count}, element), words);
  return vector::ShapeCastOp::create(b, k.loc(), VectorType::get({count, 2}, element),
                                     flat);
}

static Value loadMatrices(KernelBuilder &k, Value local, Value at, bool isTransposed) {
  OpBuilder &b = k.builder();
  constexpr int64_t count = 4;
  Type element = cast<MemRefType>(local.getType()).getElementType();
  Value pairs = nvgpu::LdMatrixOp::create(
      b, k.loc(), VectorType::get({count, 2}, element), local, ValueRange(at),
      b.getBoolAttr(isTransposed), b.getI32IntegerAttr(count));
  return toWords(k, pairs);
}

Value matrixAt(KernelBuilder &k, Value lane, unsigned pitch) {
  Value row = k.rem(lane, k.index(16)), column = k.div(lane, k.index(16));
  return k.add(k.mul(row, k.index(pitch)), k.mul(column, k.index(8)));
}

Value loadLeftMatrix(KernelBuilder &k, Value local, Value at) {
  return loadMatrices(k, local, at, /*isTransposed=*/false);
}

static Value wordsOf(KernelBuilder &k, Value words, int64_t first, int64_t second) {
  return vector::ShuffleOp::create(k.builder(), k.loc(), words, words,
                                   ArrayRef<int64_t>{first, second});
}

std::array<Value, 2> loadRightMatrices(KernelBuilder &k, Value local, Value at) {
  Value words = loadMatrices(k, local, at, /*isTransposed=*/true);
  return {wordsOf(k, words, 0, 1), wordsOf(k, words, 2, 3)};
}

std::array<Value, 2> loadRightColumns(KernelBuilder &k, Value local, Value at) {
  Value words = loadMatrices(k, local, at, /*isTransposed=*/false);
  return {wordsOf(k, words, 0, 2), wordsOf(k, words, 1, 3)};
}

Value leftMatrixOf(KernelBuilder &k, Type type, Value first, Value second) {
  OpBuilder &b = k.builder();
  auto words = [&](Value sums) -> Value {
    Value halfs = arith::TruncFOp::create(b, k.loc(), VectorType::get({4}, type), sums);
    return vector::BitCastOp::create(b, k.loc(), VectorType::get({2}, b.getI32Type()),
                                     halfs);
  };
  return vector::ShuffleOp::create(b, k.loc(), words(first), words(second),
                                   ArrayRef<int64_t>{0, 1, 2, 3});
}

Value multiplyMatrices(KernelBuilder &k, Type type, Value left, Value right, Value sums) {
  OpBuilder &b = k.builder();
  Type f32 = b.getF32Type();
  Value pairs =
      vector::ShapeCastOp::create(b, k.loc(), VectorType::get({2, 2}, f32), sums);
  Value next = nvgpu::MmaSyncOp::create(b, k.loc(), toPairs(k, left, type),
                                        toPairs(k, right, type), pairs,
                                        ArrayRef<int64_t>{16, 8, 16});
  return vector::ShapeCastOp::create(b, k.loc(), VectorType::get({4}, f32), next);
}

} // namespace hexin::codegen
