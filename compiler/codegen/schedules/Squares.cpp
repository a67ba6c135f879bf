#include "compiler/codegen/schedules/Squares.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {

void transposeSquare(KernelBuilder &k, MutableArrayRef<Value> square) {
  int64_t size = square.size();
  for (int64_t half = size / 2; half > 0; half /= 2) {
    SmallVector<int64_t> upper, lower;
    for (int64_t lane = 0; lane < size; ++lane) {
      upper.push_back(lane & half ? size + lane - half : lane);
      lower.push_back(lane & half ? size + lane : lane + half);
    }
    for (int64_t i = 0; i < size; ++i) {
      if (i & half)
        continue;
      Value x = square[i], y = square[i + half];
      square[i] = vector::ShuffleOp::create(k.builder(), k.loc(), x, y, upper);
      square[i + half] = vector::ShuffleOp::create(k.builder(), k.loc(), x, y, lower);
    }
  }
}

} // namespace hexin::codegen
