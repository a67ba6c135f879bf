#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/scalars/Lanes.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen {

/// log(1 + e^x) without overflow.
static Value softplus(Lanes &l, Value x) {
  Type t = getElementTypeOrSelf(x.getType());
  Value e = l.op<math::ExpOp>(l.op<arith::NegFOp>(l.op<math::AbsFOp>(x)));
  return l.op<arith::AddFOp>(l.op<arith::MaximumFOp>(x, l.f(0, t)),
                             l.op<math::Log1pOp>(e));
}

Value emitActivation(KernelBuilder &k, hx::ActivationKind kind, Value x, double alpha,
                     double beta) {
  Lanes l(k, x);
  Type t = getElementTypeOrSelf(x.getType());
  Value zero = l.f(0, t), one = l.f(1, t);
  auto isNegative = [&] { return l.cmpf(arith::CmpFPredicate::OLT, x, zero); };
  auto scaled = [&](Value v, double factor) {
    return l.op<arith::MulFOp>(v, l.f(factor, t));
  };
  auto clamp = [&](Value v, Value low, Value high) {
    return l.op<arith::MinimumFOp>(l.op<arith::MaximumFOp>(v, low), high);
  };
  using hx::ActivationKind;
  switch (kind) {
  case ActivationKind::relu:
    return l.op<arith::MaximumFOp>(x, zero);
  case ActivationKind::leaky_relu:
    return l.select(isNegative(), scaled(x, alpha), x);
  case ActivationKind::elu:
    return l.select(isNegative(), scaled(l.op<math::ExpM1Op>(x), alpha), x);
  case ActivationKind::celu: {
    Value inner = l.op<math::ExpM1Op>(l.op<arith::DivFOp>(x, l.f(alpha, t)));
    return l.op<arith::AddFOp>(l.op<arith::MaximumFOp>(zero, x),
                               l.op<arith::MinimumFOp>(zero, scaled(inner, alpha)));
  }
  case ActivationKind::selu: {
    Value negative = scaled(l.op<math::ExpM1Op>(x), alpha);
    Value isPositive = l.cmpf(arith::CmpFPredicate::OGT, x, zero);
    return scaled(l.select(isPositive, x, negative), beta);
  }
  case ActivationKind::softplus:
    return softplus(l, x);
  case ActivationKind::softsign:
    return l.op<arith::DivFOp>(x, l.op<arith::AddFOp>(one, l.op<math::AbsFOp>(x)));
  case ActivationKind::hard_sigmoid:
    return clamp(l.op<arith::AddFOp>(scaled(x, alpha), l.f(beta, t)), zero, one);
  case ActivationKind::hard_swish: {
    Value gate = clamp(l.op<arith::AddFOp>(scaled(x, 1.0 / 6), l.f(0.5, t)), zero, one);
    return l.op<arith::MulFOp>(x, gate);
  }
  case ActivationKind::swish: {
    Value inner = alpha == 1.0 ? x : scaled(x, alpha);
    return l.op<arith::MulFOp>(x, emitSigmoid(l, inner));
  }
  case ActivationKind::mish:
    return l.op<arith::MulFOp>(x, l.op<math::TanhOp>(softplus(l, x)));
  case ActivationKind::gelu_erf: {
    Value erf = l.op<math::ErfOp>(scaled(x, 0.70710678118654752440));
    return l.op<arith::MulFOp>(scaled(x, 0.5), l.op<arith::AddFOp>(one, erf));
  }
  case ActivationKind::gelu_tanh: {
    Value cube = l.op<arith::MulFOp>(l.op<arith::MulFOp>(x, x), x);
    Value inner = l.op<arith::AddFOp>(x, scaled(cube, 0.044715));
    Value tanh = l.op<math::TanhOp>(scaled(inner, 0.79788456080286535588));
    return l.op<arith::MulFOp>(scaled(x, 0.5), l.op<arith::AddFOp>(one, tanh));
  }
  case ActivationKind::thresholded_relu:
    return l.select(l.cmpf(arith::CmpFPredicate::OGT, x, l.f(alpha, t)), x, zero);
  case ActivationKind::shrink: {
    Value isLow = l.cmpf(arith::CmpFPredicate::OLT, x, l.f(-alpha, t));
    Value isHigh = l.cmpf(arith::CmpFPredicate::OGT, x, l.f(alpha, t));
    Value low = l.op<arith::AddFOp>(x, l.f(beta, t));
    Value high = l.op<arith::SubFOp>(x, l.f(beta, t));
    return l.select(isLow, low, l.select(isHigh, high, zero));
  }
  case ActivationKind::affine:
    return l.op<arith::AddFOp>(scaled(x, alpha), l.f(beta, t));
  case ActivationKind::scaled_tanh:
    return scaled(l.op<math::TanhOp>(scaled(x, beta)), alpha);
  }
  return {};
}

} // namespace hexin::codegen
