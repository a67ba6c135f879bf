#include "backends/cuda/compiler/LowerMatrices.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::cuda {
namespace {

using mlir::Value;

SmallVector<Value> elementsOf(OpBuilder &b, Location loc, Value vector) {
  SmallVector<Value> elements;
  for (int64_t i = 0; i < cast<VectorType>(vector.getType()).getNumElements(); ++i)
    elements.push_back(vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{i}));
  return elements;
}

/// The fields of a struct of equal ones, as a vector.
Value fieldsOf(OpBuilder &b, Location loc, Value fields, Type element, int64_t count) {
  SmallVector<Value> elements;
  for (int64_t i = 0; i < count; ++i)
    elements.push_back(
        LLVM::ExtractValueOp::create(b, loc, fields, ArrayRef<int64_t>{i}));
  return vector::FromElementsOp::create(b, loc, VectorType::get({count}, element),
                                        elements);
}

/// [n, 2] halfs or [n, 4] bytes as n words, and back. What is left of both is folded
/// away.
Value toWords(OpBuilder &b, Location loc, Value pairs) {
  auto type = cast<VectorType>(pairs.getType());
  int64_t words = type.getDimSize(0);
  Value flat = vector::ShapeCastOp::create(
      b, loc, VectorType::get({type.getNumElements()}, type.getElementType()), pairs);
  return vector::BitCastOp::create(b, loc, VectorType::get({words}, b.getI32Type()),
                                   flat);
}
Value toPairs(OpBuilder &b, Location loc, Value words, VectorType type) {
  auto flat = VectorType::get({type.getNumElements()}, type.getElementType());
  return vector::ShapeCastOp::create(b, loc, type,
                                     vector::BitCastOp::create(b, loc, flat, words));
}

/// What a product is of.
struct ProductTypes {
  NVVM::MMATypes left, right;
  Type sum;
  std::optional<NVVM::MMAIntOverflow> overflow;
};

/// nullopt where `op` is none of ours.
std::optional<ProductTypes> typesOf(nvgpu::MmaSyncOp op) {
  Type element = getElementTypeOrSelf(op.getMatrixA());
  Type sum = getElementTypeOrSelf(op.getMatrixC());
  std::array<int64_t, 3> shape = op.getMmaShapeAsArray();
  if ((element.isF16() || element.isBF16()) && sum.isF32() &&
      shape == std::array<int64_t, 3>{16, 8, 16}) {
    auto type = element.isF16() ? NVVM::MMATypes::f16 : NVVM::MMATypes::bf16;
    return ProductTypes{type, type, sum, std::nullopt};
  }
  if (element.isInteger(8) && sum.isInteger(32) &&
      shape == std::array<int64_t, 3>{16, 8, 32}) {
    auto typeOf = [&](StringRef isUnsigned) {
      return op->hasAttr(isUnsigned) ? NVVM::MMATypes::u8 : NVVM::MMATypes::s8;
    };
    return ProductTypes{typeOf("hx.unsigned_left"), typeOf("hx.unsigned_right"), sum,
                        NVVM::MMAIntOverflow::wrapped};
  }
  return std::nullopt;
}

LogicalResult lowerProduct(nvgpu::MmaSyncOp op) {
  std::optional<ProductTypes> types = typesOf(op);
  if (!types)
    return op.emitOpError("expected matrices of 16 x 16 and 16 x 8 halfs, and f32 sums, "
                          "or of 16 x 32 and 32 x 8 bytes, and i32 sums");
  Location loc = op.getLoc();
  OpBuilder b(op);
  Type element = getElementTypeOrSelf(op.getMatrixA());
  auto operands = [&](Value pairs) {
    SmallVector<Value> all = elementsOf(b, loc, toWords(b, loc, pairs));
    if (element.isF16()) // others stay in words
      for (Value &word : all)
        word = LLVM::BitcastOp::create(b, loc, VectorType::get({2}, element), word);
    return all;
  };
  constexpr int64_t numSums = 4;
  Value sums = vector::ShapeCastOp::create(b, loc, VectorType::get({numSums}, types->sum),
                                           op.getMatrixC());
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                               SmallVector<Type>(numSums, types->sum));
  Value fields = NVVM::MmaOp::create(
      b, loc, type, operands(op.getMatrixA()), operands(op.getMatrixB()),
      elementsOf(b, loc, sums), op.getMmaShapeAsArray(), /*b1Op=*/std::nullopt,
      types->overflow, std::array<NVVM::MMATypes, 2>{types->left, types->right},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row, NVVM::MMALayout::col});
  Value next = vector::ShapeCastOp::create(b, loc, op.getRes().getType(),
                                           fieldsOf(b, loc, fields, types->sum, numSums));
  op.getRes().replaceAllUsesWith(next);
  op.erase();
  return success();
}

} // namespace

LogicalResult lowerLoadMatrix(OpBuilder &b, nvgpu::LdMatrixOp op, Value address) {
  constexpr int64_t count = 4;
  auto type = cast<VectorType>(op.getRes().getType());
  unsigned bits = type.getElementTypeBitWidth();
  if (op.getNumTiles() != count || (bits != 16 && bits != 8))
    return op.emitOpError("expected four matrices of halfs or bytes");
  Location loc = op.getLoc();
  Type i32 = b.getI32Type();
  auto words =
      LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(count, i32));
  Value fields = NVVM::LdMatrixOp::create(
      b, loc, words, address, count,
      op.getTranspose() ? NVVM::MMALayout::col : NVVM::MMALayout::row,
      NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8), NVVM::LdStMatrixEltType::B16);
  op.getRes().replaceAllUsesWith(
      toPairs(b, loc, fieldsOf(b, loc, fields, i32, count), type));
  op.erase();
  return success();
}

LogicalResult lowerMatrixProducts(func::FuncOp kernel) {
  SmallVector<nvgpu::MmaSyncOp> ops;
  kernel.walk([&](nvgpu::MmaSyncOp op) { ops.push_back(op); });
  for (nvgpu::MmaSyncOp op : ops)
    if (failed(lowerProduct(op)))
      return failure();
  return success();
}

} // namespace hexin::cuda
