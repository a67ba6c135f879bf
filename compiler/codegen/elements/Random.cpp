//===- Random.cpp - Philox4x32-10, a block per element -------------------------===//
//
// As runtime/reference/Philox.h. Words of a block that several ops of a kernel ask for
// are computed once: the code for each is the same.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/elements/Rules.h"
#include "compiler/codegen/scalars/Lanes.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

/// Philox on one counter or a vector of them.
struct Philox {
  Lanes l;
  Type i32, i64;

  Philox(KernelBuilder &k, Value like)
      : l(k, like), i32(l.b.getI32Type()), i64(l.b.getI64Type()) {}

  Value low(Value wide) {
    return arith::TruncIOp::create(l.b, l.loc, l.shaped(i32), wide);
  }
  Value high(Value wide) { return low(l.op<arith::ShRUIOp>(wide, l.i(32, i64))); }
  Value wideProduct(Value word, int64_t factor) {
    Value wide = arith::ExtUIOp::create(l.b, l.loc, l.shaped(i64), word);
    return l.op<arith::MulIOp>(wide, l.i(factor, i64));
  }
  Value mix(Value product, Value word, Value key) {
    return l.op<arith::XOrIOp>(l.op<arith::XOrIOp>(high(product), word), key);
  }

  std::array<Value, 4> block(std::array<Value, 4> counter, std::array<Value, 2> key) {
    for (int round = 0; round < 10; ++round) {
      Value even = wideProduct(counter[0], 0xD2511F53);
      Value odd = wideProduct(counter[2], 0xCD9E8D57);
      counter = {mix(odd, counter[1], key[0]), low(odd), mix(even, counter[3], key[1]),
                 low(even)};
      key = {l.op<arith::AddIOp>(key[0], l.i(int32_t(0x9E3779B9), i32)),
             l.op<arith::AddIOp>(key[1], l.i(int32_t(0xBB67AE85), i32))};
    }
    return counter;
  }
};

} // namespace

Value emitElement(ElementEmitter &emitter, hx::RandomBitsOp op, Index index,
                  unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  OpBuilder &b = k.builder();
  Type i64 = b.getI64Type();
  // Attributes are params: kernels of other nodes and seeds are the same kernel.
  auto param = [&](int64_t number) -> Value {
    Value value = k.value(k.scalar(k.shapes().symbols().constant(number)));
    return arith::IndexCastOp::create(b, k.loc(), i64, value);
  };
  Value key =
      op.getSeed() ? param(*op.getSeed()) : emitter.emit(op.getStream(), {k.index(0)}, 1);
  key = k.splat(key, lanes);
  Value count = k.splat(emitter.emit(op.getStream(), {k.index(1)}, 1), lanes);
  Value node = k.splat(param(op.getNode()), lanes);
  Value position = emitter.linearize(op.getResult(), index);
  position = k.splat(arith::IndexCastOp::create(b, k.loc(), i64, position), lanes);
  if (lanes > 1) {
    auto steps = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
    auto type = VectorType::get({lanes}, i64);
    Value offsets = arith::ConstantOp::create(
        b, k.loc(), DenseElementsAttr::get(type, ArrayRef(steps)));
    position = arith::AddIOp::create(b, k.loc(), position, offsets);
  }
  Philox p(k, position);
  std::array<Value, 4> block =
      p.block({p.low(position), p.high(position), p.low(count), p.low(node)},
              {p.low(key), p.high(key)});
  return block[op.getWord()];
}

} // namespace hexin::codegen
