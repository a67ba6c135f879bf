#include "compiler/codegen/ByteTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

void call(KernelBuilder &k, StringRef intrinsic, ValueRange operands) {
  LLVM::CallIntrinsicOp::create(k.builder(), k.loc(),
                                k.builder().getStringAttr(intrinsic), operands);
}

Value number(KernelBuilder &k, unsigned tile) {
  return k.intConstant(tile, k.builder().getI8Type(), 1);
}

Value integer(KernelBuilder &k, Value index) {
  return arith::IndexCastOp::create(k.builder(), k.loc(), k.builder().getI64Type(),
                                    index);
}

Value addressOf(KernelBuilder &k, Value memref, Value position) {
  OpBuilder &b = k.builder();
  int64_t bytes = cast<MemRefType>(memref.getType()).getElementTypeBitWidth() / 8;
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, k.loc(), memref);
  Value address = k.add(base, k.mul(position, k.index(bytes)));
  return LLVM::IntToPtrOp::create(b, k.loc(), LLVM::LLVMPointerType::get(b.getContext()),
                                  integer(k, address));
}

} // namespace

void configureTiles(KernelBuilder &k) {
  constexpr int64_t size = 64, numTiles = 8;
  // What the processor reads: the palette, then bytes per row (16 bits each) and rows.
  constexpr size_t bytesAt = 16, rowsAt = 48;
  SmallVector<uint8_t> bytes(size, 0);
  bytes[0] = 1;
  for (int64_t tile = 0; tile < numTiles; ++tile) {
    bytes[bytesAt + 2 * tile] = tileBytes;
    bytes[rowsAt + tile] = tileRows;
  }
  OpBuilder &b = k.builder();
  auto type = VectorType::get({size}, b.getI8Type());
  Value value = arith::ConstantOp::create(
      b, k.loc(), DenseElementsAttr::get(type, ArrayRef<uint8_t>(bytes)));
  Value memory = k.scratch(size, b.getI8Type());
  vector::StoreOp::create(b, k.loc(), value, memory, ValueRange(k.index(0)));
  call(k, "llvm.x86.ldtilecfg", addressOf(k, memory, k.index(0)));
  k.use.usesTiles = true;
}

void releaseTiles(KernelBuilder &k) { call(k, "llvm.x86.tilerelease", {}); }

void zeroTile(KernelBuilder &k, unsigned tile) {
  call(k, "llvm.x86.tilezero", number(k, tile));
}

void loadTile(KernelBuilder &k, unsigned tile, Value memref, Value position,
              Value pitch) {
  call(k, "llvm.x86.tileloadd64",
       {number(k, tile), addressOf(k, memref, position), integer(k, pitch)});
}

void storeTile(KernelBuilder &k, unsigned tile, Value memref, Value position,
               Value pitch) {
  call(k, "llvm.x86.tilestored64",
       {number(k, tile), addressOf(k, memref, position), integer(k, pitch)});
}

void addTileProduct(KernelBuilder &k, unsigned sums, unsigned left, unsigned right,
                    bool ofBfloats) {
  call(k, ofBfloats ? "llvm.x86.tdpbf16ps" : "llvm.x86.tdpbusd",
       {number(k, sums), number(k, left), number(k, right)});
}

} // namespace hexin::codegen
