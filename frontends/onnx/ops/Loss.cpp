// Losses of training, as formulas.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::ComparePredicate;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

Value sumOfAll(OpBinder &b, Value x) {
  return b.reduce(ReduceFn::sum, b.shape.reshape(x, {b.shape.product(b.dims(x))}), {0},
                  /*keepDims=*/false);
}

/// -logProbabilities [N, C, d...] at the targets [N, d...], weighted by class [C].
/// Targets of `ignore_index` count nothing, and need be no class at all.
Value negativeLogLikelihood(OpBinder &b, Value logProbabilities, Value target,
                            Value weight) {
  int64_t rank = HxBuilder::rank(logProbabilities);
  StringRef reduction = b.stringAttr("reduction", "mean");
  if (reduction != "none" && reduction != "sum" && reduction != "mean")
    b.error("reduction '" + reduction + "': expected none, sum or mean");
  if (rank < 2 || HxBuilder::rank(target) != rank - 1)
    b.contradiction("scores of rank " + Twine(rank) + " and targets of rank " +
                    Twine(HxBuilder::rank(target)) +
                    ": expected [N, C, d...] and [N, d...]");
  if (b.failed())
    return {};
  Type type = HxBuilder::elementType(logProbabilities);
  Type wide = b.wideType(type);
  Value x = b.cast(logProbabilities, wide);

  Value counts, classes = target;
  if (b.hasAttribute("ignore_index")) {
    double ignored = static_cast<double>(b.intAttr("ignore_index", 0));
    counts = b.logicalNot(
        b.compare(ComparePredicate::eq, target, b.scalarLike(target, ignored)));
    classes = b.select(counts, target, b.scalarLike(target, 0));
  }
  Value picked = b.make<hx::GatherElementsOp>(wide, x, b.shape.unsqueeze(classes, {1}),
                                              /*axis=*/1);
  Value loss = b.unary(UnaryFn::neg, b.shape.squeeze(picked, {1}));
  Value weights = weight ? b.gather(b.cast(weight, wide), classes, 0) : Value();
  if (weights)
    loss = b.mul(loss, weights);
  if (counts) {
    Value zero = b.scalarLike(loss, 0);
    loss = b.select(counts, loss, zero);
    weights = weights ? b.select(counts, weights, zero) : b.cast(counts, wide);
  }
  if (b.failed() || reduction == "none")
    return b.cast(loss, type);
  Value total = sumOfAll(b, loss);
  if (reduction == "sum" || b.failed())
    return b.cast(total, type);
  Value divisor = weights ? sumOfAll(b, weights)
                          : b.shape.buildScalar(b.shape.product(b.dims(loss)), wide);
  return b.cast(b.div(total, divisor), type);
}

void importNegativeLogLikelihood(OpBinder &b) {
  b.result(0, negativeLogLikelihood(b, b.input(0), b.input(1), b.input(2)));
}

void importSoftmaxCrossEntropy(OpBinder &b) {
  Value scores = b.input(0);
  if (HxBuilder::rank(scores) < 2)
    return b.contradiction("the scores have rank " + Twine(HxBuilder::rank(scores)) +
                           ", expected [N, C, d...]");
  Value logProbabilities =
      b.make<hx::LogSoftmaxOp>(HxBuilder::elementType(scores), scores, 1);
  b.result(0, negativeLogLikelihood(b, logProbabilities, b.input(1), b.input(2)));
  b.result(1, logProbabilities);
}

} // namespace

void registerLossOps(OpTable &table) {
  table.add("", {
                    {"NegativeLogLikelihoodLoss", 12, 2, 3, importNegativeLogLikelihood},
                    {"SoftmaxCrossEntropyLoss", 12, 2, 3, importSoftmaxCrossEntropy},
                });
}

} // namespace hexin::onnx
