#include "compiler/codegen/ByteMatrices.h"

#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {

constexpr int64_t perWord = 4;

/// `words` as [n, 4] bytes, which is how the ops have them.
static Value toBytes(KernelBuilder &k, Value words) {
  OpBuilder &b = k.builder();
  int64_t count = cast<VectorType>(words.getType()).getNumElements();
  Type byte = b.getI8Type();
  Value flat = vector::BitCastOp::create(b, k.loc(),
                                         VectorType::get({perWord * count}, byte), words);
  return vector::ShapeCastOp::create(b, k.loc(), VectorType::get({count, perWord}, byte),
                                     flat);
}

Value loadLeftBytes(KernelBuilder &k, Value local, Value at) {
  OpBuilder &b = k.builder();
  constexpr int64_t words = 4;
  Type byte = b.getI8Type();
  Value bytes = nvgpu::LdMatrixOp::create(
      b, k.loc(), VectorType::get({words, perWord}, byte), local, ValueRange(at),
      b.getBoolAttr(false), b.getI32IntegerAttr(words));
  Value flat = vector::ShapeCastOp::create(
      b, k.loc(), VectorType::get({words * perWord}, byte), bytes);
  return vector::BitCastOp::create(b, k.loc(), VectorType::get({words}, b.getI32Type()),
                                   flat);
}

std::array<Value, 2> loadRightBytes(KernelBuilder &k, Value local, Value at) {
  Value words = loadLeftBytes(k, local, at);
  auto half = [&](int64_t first) -> Value {
    return vector::ShuffleOp::create(k.builder(), k.loc(), words, words,
                                     ArrayRef<int64_t>{first, first + 1});
  };
  return {half(0), half(2)};
}

Value multiplyBytes(KernelBuilder &k, ByteSigns signs, Value left, Value right,
                    Value sums) {
  OpBuilder &b = k.builder();
  Type i32 = b.getI32Type();
  Value pairs =
      vector::ShapeCastOp::create(b, k.loc(), VectorType::get({2, 2}, i32), sums);
  auto product = nvgpu::MmaSyncOp::create(b, k.loc(), toBytes(k, left), toBytes(k, right),
                                          pairs, ArrayRef<int64_t>{16, 8, 32});
  if (signs.leftIsUnsigned)
    product->setAttr("hx.unsigned_left", b.getUnitAttr());
  if (signs.rightIsUnsigned)
    product->setAttr("hx.unsigned_right", b.getUnitAttr());
  return vector::ShapeCastOp::create(b, k.loc(), VectorType::get({4}, i32),
                                     product.getRes());
}

} // namespace hexin::codegen
