#include "compiler/codegen/schedules/Squares.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {

/// Swaps the two blocks off the diagonal of every square of 2 x 2 blocks of `size`.
static void swapBlocks(KernelBuilder &k, MutableArrayRef<Value> vectors, size_t size) {
  size_t lanes = vectors.size();
  SmallVector<int64_t> upper, lower;
  for (size_t lane = 0; lane < lanes; ++lane) {
    bool isRight = lane & size;
    upper.push_back(isRight ? lanes + lane - size : lane);
    lower.push_back(isRight ? lanes + lane : lane + size);
  }
  for (size_t i = 0; i < lanes; ++i) {
    if (i & size)
      continue;
    Value a = vectors[i], b = vectors[i + size];
    OpBuilder &builder = k.builder();
    vectors[i] = vector::ShuffleOp::create(builder, k.loc(), a, b, upper);
    vectors[i + size] = vector::ShuffleOp::create(builder, k.loc(), a, b, lower);
  }
}

void transposeSquare(KernelBuilder &k, MutableArrayRef<Value> vectors) {
  for (size_t size = vectors.size() / 2; size > 0; size /= 2)
    swapBlocks(k, vectors, size);
}

} // namespace hexin::codegen
