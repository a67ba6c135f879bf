#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <bit>
#include <cmath>

using namespace mlir;

namespace hexin::codegen {

std::optional<float> easyDivisor(const KernelBuilder &k, Value divisor, float least) {
  auto constant = divisor.getDefiningOp<hx::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
  if (!k.traits().slowDivision || !dense || !dense.isSplat() ||
      !dense.getElementType().isF32())
    return std::nullopt;
  float value = dense.getSplatValue<APFloat>().convertToFloat();
  constexpr uint32_t significand = (1u << 23) - 1;
  bool isOnes = (std::bit_cast<uint32_t>(value) & significand) == significand;
  if (!(std::abs(value) >= least && std::abs(value) <= 0x1p64f) || isOnes)
    return std::nullopt;
  return value;
}

Value divideBy(KernelBuilder &k, Value x, float divisor, unsigned lanes) {
  OpBuilder &b = k.builder();
  Location loc = k.loc();
  Type f32 = b.getF32Type();
  Value scalar = k.floatScalar(divisor, f32, 1);
  Value reciprocal =
      arith::DivFOp::create(b, loc, k.floatConstant(1, f32, 1), scalar); // once, outside
  Value d = k.splat(scalar, lanes), r = k.splat(reciprocal, lanes);
  Value q = arith::MulFOp::create(b, loc, x, r);
  Value negative = arith::NegFOp::create(b, loc, q);
  Value rest = math::FmaOp::create(b, loc, negative, d, x);
  Value corrected = math::FmaOp::create(b, loc, rest, r, q);
  Value isRest = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ONE, rest,
                                       k.floatConstant(0, f32, lanes));
  return arith::SelectOp::create(b, loc, isRest, corrected, q);
}

} // namespace hexin::codegen
