#include "compiler/codegen/WordDots.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

StringRef intrinsicOf(WordDots dots, int64_t lanes) {
  if (dots != WordDots::pairs)
    return lanes == 16  ? "llvm.x86.avx512.vpdpbusd.512"
           : lanes == 8 ? "llvm.x86.avx512.vpdpbusd.256"
                        : "llvm.x86.avx512.vpdpbusd.128";
  return lanes == 16  ? "llvm.x86.avx512.pmaddw.d.512"
         : lanes == 8 ? "llvm.x86.avx2.pmadd.wd"
                      : "llvm.x86.sse2.pmadd.wd";
}

Value call(KernelBuilder &k, StringRef intrinsic, Type type, ValueRange operands) {
  OpBuilder &b = k.builder();
  return LLVM::CallIntrinsicOp::create(b, k.loc(), type, b.getStringAttr(intrinsic),
                                       operands)
      .getResult(0);
}

/// The first or second bf16 of each word, as f32.
Value widened(KernelBuilder &k, Value words, bool isSecond) {
  OpBuilder &b = k.builder();
  unsigned lanes = cast<VectorType>(words.getType()).getNumElements();
  Type i32 = b.getI32Type();
  Value bits =
      isSecond ? Value(arith::AndIOp::create(
                     b, k.loc(), words, k.intConstant(int32_t(0xffff0000), i32, lanes)))
               : Value(arith::ShLIOp::create(b, k.loc(), words,
                                             k.intConstant(16, i32, lanes)));
  return arith::BitcastOp::create(b, k.loc(), withLanes(b.getF32Type(), lanes), bits);
}

Value addBfloatDots(KernelBuilder &k, Value sums, Value left, Value right) {
  int64_t lanes = cast<VectorType>(sums.getType()).getNumElements();
  if (k.traits().bfloatDots != BfloatDots::widened)
    return call(k,
                lanes == 16  ? "llvm.x86.avx512bf16.dpbf16ps.512"
                : lanes == 8 ? "llvm.x86.avx512bf16.dpbf16ps.256"
                             : "llvm.x86.avx512bf16.dpbf16ps.128",
                sums.getType(), {sums, left, right});
  for (bool isSecond : {false, true})
    sums = math::FmaOp::create(k.builder(), k.loc(), widened(k, left, isSecond),
                               widened(k, right, isSecond), sums);
  return sums;
}

} // namespace

Value addWordDots(KernelBuilder &k, Value sums, Value left, Value right) {
  if (isa<FloatType>(getElementTypeOrSelf(sums.getType())))
    return addBfloatDots(k, sums, left, right);
  OpBuilder &b = k.builder();
  WordDots dots = k.traits().wordDots;
  auto type = cast<VectorType>(sums.getType());
  int64_t lanes = type.getNumElements(), perWord = numbersPerWord(dots);
  auto numbers =
      VectorType::get({lanes * perWord}, b.getIntegerType(32 / unsigned(perWord)));
  left = vector::BitCastOp::create(b, k.loc(), numbers, left);
  right = vector::BitCastOp::create(b, k.loc(), numbers, right);
  StringRef intrinsic = intrinsicOf(dots, lanes);
  if (dots != WordDots::pairs)
    return call(k, intrinsic, type, {sums, left, right});
  return arith::AddIOp::create(b, k.loc(), sums, call(k, intrinsic, type, {left, right}));
}

} // namespace hexin::codegen
