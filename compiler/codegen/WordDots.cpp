#include "compiler/codegen/WordDots.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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

} // namespace

Value addWordDots(KernelBuilder &k, Value sums, Value left, Value right) {
  OpBuilder &b = k.builder();
  WordDots dots = k.traits().wordDots;
  auto type = cast<VectorType>(sums.getType());
  int64_t lanes = type.getNumElements(), perWord = numbersPerWord(dots);
  auto numbers =
      VectorType::get({lanes * perWord}, b.getIntegerType(32 / unsigned(perWord)));
  left = vector::BitCastOp::create(b, k.loc(), numbers, left);
  right = vector::BitCastOp::create(b, k.loc(), numbers, right);
  auto call = [&](ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(
               b, k.loc(), type, b.getStringAttr(intrinsicOf(dots, lanes)), operands)
        .getResult(0);
  };
  if (dots != WordDots::pairs)
    return call({sums, left, right});
  return arith::AddIOp::create(b, k.loc(), sums, call({left, right}));
}

} // namespace hexin::codegen
