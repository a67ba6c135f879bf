#include "frontends/onnx/ops/Scores.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using hexin::hx::ComparePredicate;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {

PostTransform readPostTransform(OpBinder &b) {
  StringRef name = b.stringAttr("post_transform", "NONE");
  auto found = llvm::StringSwitch<std::optional<PostTransform>>(name)
                   .Case("NONE", PostTransform::none)
                   .Case("SOFTMAX", PostTransform::softmax)
                   .Case("LOGISTIC", PostTransform::logistic)
                   .Case("SOFTMAX_ZERO", PostTransform::softmaxZero)
                   .Case("PROBIT", PostTransform::probit)
                   .Default(std::nullopt);
  if (!found)
    b.error("attribute 'post_transform' is '" + name +
            "', expected NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT");
  return found.value_or(PostTransform::none);
}

/// Softmax over what is not 0; what is 0 stays so.
static Value softmaxZero(OpBinder &b, Value scores) {
  Value top = b.reduce(ReduceFn::max, scores, {1}, /*keepDims=*/true);
  Value isZero = b.compare(ComparePredicate::le, b.unary(UnaryFn::abs, scores),
                           b.scalarLike(scores, 1e-7f));
  Value powers = b.unary(UnaryFn::exp, b.sub(scores, top));
  Value zeros = b.mul(scores, b.unary(UnaryFn::exp, b.unary(UnaryFn::neg, top)));
  Value sum = b.reduce(ReduceFn::sum, b.select(isZero, b.scalarLike(scores, 0), powers),
                       {1}, /*keepDims=*/true);
  return b.div(b.select(isZero, zeros, powers), sum);
}

/// sqrt(2) * erfInv(2 x - 1), with the approximation of the inverse that ONNX Runtime
/// and the standard's reference have (Winitzki, a = 0.147).
static Value probit(OpBinder &b, Value x) {
  auto c = [&](double value) { return b.scalarLike(x, value); };
  Value y = b.sub(b.mul(c(2), x), c(1));
  Value log = b.unary(UnaryFn::log, b.mul(b.sub(c(1), y), b.add(c(1), y)));
  Value v = b.add(c(2 / (3.14159 * 0.147)), b.mul(c(0.5), log));
  Value root = b.unary(UnaryFn::sqrt, b.sub(b.mul(v, v), b.mul(c(1 / 0.147), log)));
  Value size = b.unary(UnaryFn::sqrt, b.sub(root, v));
  Value isNegative = b.compare(ComparePredicate::lt, y, c(0));
  return b.mul(c(1.41421356), b.select(isNegative, b.unary(UnaryFn::neg, size), size));
}

Value transformScores(OpBinder &b, PostTransform transform, Value scores) {
  if (b.failed())
    return {};
  bool isAlone = hx::SymbolTable::constantValue(b.dims(scores).back()) == 1;
  if (isAlone && transform != PostTransform::probit)
    return scores;
  switch (transform) {
  case PostTransform::none:
    return scores;
  case PostTransform::softmax:
    return b.make<hx::SoftmaxOp>(HxBuilder::elementType(scores), scores, 1);
  case PostTransform::logistic:
    return b.unary(UnaryFn::sigmoid, scores);
  case PostTransform::softmaxZero:
    return softmaxZero(b, scores);
  case PostTransform::probit:
    return probit(b, scores);
  }
  return {};
}

Value scoresOfTwo(OpBinder &b, PostTransform transform, Value score, bool isSigned) {
  if (b.failed())
    return {};
  bool isLogistic = transform == PostTransform::logistic;
  Value other = isSigned || isLogistic ? b.unary(UnaryFn::neg, score)
                                       : b.sub(b.scalarLike(score, 1), score);
  Value both = b.concat({other, score}, 1);
  bool isTaken = isLogistic || transform == PostTransform::probit;
  return isTaken ? transformScores(b, transform, both) : both;
}

Value topClass(OpBinder &b, Value scores) {
  return b.make<hx::ArgReduceOp>(b.builder.getI64Type(), ReduceFn::max, scores,
                                 /*axis=*/1, /*keepDims=*/false, /*last=*/false);
}

Value isAbove(OpBinder &b, Value score, double bound) {
  if (b.failed())
    return {};
  Value isMore = b.compare(ComparePredicate::lt, b.scalarLike(score, bound), score);
  return b.shape.squeeze(b.cast(isMore, b.builder.getI64Type()), {1});
}

Value featureRows(OpBinder &b, Type type) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  if (rank != 1 && rank != 2)
    b.error("input #0 has rank " + Twine(rank) + ", expected [N, F] or [F]");
  if (b.failed())
    return {};
  return b.cast(rank == 1 ? b.shape.unsqueeze(x, {0}) : x, type);
}

} // namespace hexin::onnx
