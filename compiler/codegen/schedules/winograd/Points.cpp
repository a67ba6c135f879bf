#include "compiler/codegen/schedules/winograd/Points.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen::winograd {
namespace {

constexpr double a = 0.70710678118654752440, b = 1.41421356237309504880;

/// f32 vectors of as many lanes as `like` has.
class Lanes {
public:
  Lanes(KernelBuilder &k, Value like) : k(k) {
    if (auto vector = dyn_cast<VectorType>(like.getType()))
      lanes = vector.getNumElements();
  }

  Value add(Value x, Value y) {
    return arith::AddFOp::create(k.builder(), k.loc(), x, y);
  }
  Value sub(Value x, Value y) {
    return arith::SubFOp::create(k.builder(), k.loc(), x, y);
  }
  Value times(Value x, double factor) {
    return arith::MulFOp::create(k.builder(), k.loc(), x, constant(factor));
  }
  /// x * factor + y
  Value fma(Value x, double factor, Value y) {
    return math::FmaOp::create(k.builder(), k.loc(), x, constant(factor), y);
  }

private:
  Value constant(double value) {
    return k.floatConstant(value, k.builder().getF32Type(), lanes);
  }

  KernelBuilder &k;
  unsigned lanes = 1;
};

} // namespace

SmallVector<Value> transformInputs(KernelBuilder &k, int64_t tile, ArrayRef<Value> d) {
  Lanes v(k, d[0]);
  if (tile == 2)
    return {v.sub(d[0], d[2]), v.add(d[1], d[2]), v.sub(d[2], d[1]), v.sub(d[3], d[1])};
  Value nearEven = v.fma(d[2], -2, d[4]), nearOdd = v.fma(d[1], -2, d[3]);
  Value farEven = v.fma(d[2], -0.5, d[4]), farOdd = v.fma(d[1], -0.5, d[3]);
  return {v.fma(d[2], -2.5, v.add(d[0], d[4])), v.fma(nearOdd, a, nearEven),
          v.fma(nearOdd, -a, nearEven),         v.fma(farOdd, b, farEven),
          v.fma(farOdd, -b, farEven),           v.fma(d[3], -2.5, v.add(d[1], d[5]))};
}

SmallVector<Value> transformSums(KernelBuilder &k, int64_t tile, ArrayRef<Value> m) {
  Lanes v(k, m[0]);
  Value nearSum = v.add(m[1], m[2]), nearDifference = v.sub(m[1], m[2]);
  if (tile == 2)
    return {v.add(m[0], nearSum), v.add(nearDifference, m[3])};
  Value farSum = v.add(m[3], m[4]), farDifference = v.sub(m[3], m[4]);
  return {v.add(v.add(m[0], nearSum), farSum),
          v.fma(nearDifference, a, v.times(farDifference, b)),
          v.fma(nearSum, 0.5, v.times(farSum, 2)),
          v.fma(nearDifference, a / 2, v.fma(farDifference, 2 * b, m[5]))};
}

} // namespace hexin::codegen::winograd
