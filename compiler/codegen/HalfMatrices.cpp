#include "compiler/codegen/HalfMatrices.h"

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

Value loadLeftMatrix(KernelBuilder &k, Value local, Value at) {
  return loadMatrices(k, local, at, /*isTransposed=*/false);
}

std::array<Value, 2> loadRightMatrices(KernelBuilder &k, Value local, Value at) {
  Value words = loadMatrices(k, local, at, /*isTransposed=*/true);
  auto half = [&](int64_t first) -> Value {
    return vector::ShuffleOp::create(k.builder(), k.loc(), words, words,
                                     ArrayRef<int64_t>{first, first + 1});
  };
  return {half(0), half(2)};
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
