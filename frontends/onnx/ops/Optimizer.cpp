// Steps of gradient descent (ai.onnx.preview.training), as formulas.
//
// Inputs are the rate R, the count of updates T, then one tensor per variable of each
// kind: all X, all gradients, all of the states.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// What all variables of a node share.
struct Step {
  OpBinder &b;
  unsigned numVariables;
  Value rate, updates; ///< f32 or f64, in the variables' type

  Value input(unsigned kind, unsigned variable) const {
    return b.input(2 + kind * numVariables + variable);
  }
  Value attribute(StringRef name, double fallback) const {
    return b.scalarLike(rate, b.floatAttr(name, fallback));
  }
  /// The gradient with its share of the variable.
  Value gradient(unsigned variable) const {
    Value x = input(0, variable), gradient = input(1, variable);
    return b.add(b.mul(attribute("norm_coefficient", 0), x), gradient);
  }
  /// onFirst for the first update (T = 0), else otherwise.
  Value unlessFirst(Value otherwise, Value onFirst) const {
    Value isLater = b.compare(ComparePredicate::lt, b.scalarLike(updates, 0), updates);
    return b.select(isLater, otherwise, onFirst);
  }
  void result(unsigned kind, unsigned variable, Value value) const {
    b.result(kind * numVariables + variable, value);
  }
};

std::optional<Step> readStep(OpBinder &b, unsigned numKinds) {
  unsigned count = b.numInputs() < 2 ? 0 : b.numInputs() - 2;
  bool isComplete = count > 0 && count % numKinds == 0;
  for (unsigned i = 0; i < b.numInputs(); ++i)
    isComplete = isComplete && b.has(i);
  if (!isComplete) {
    b.error("expected R, T and " + Twine(numKinds) + " inputs per variable, got " +
            Twine(b.numInputs()) + " in all");
    return std::nullopt;
  }
  Type type = HxBuilder::elementType(b.input(2));
  Step step{b, count / numKinds, b.cast(b.shape.toScalar(b.input(0)), type),
            b.cast(b.shape.toScalar(b.input(1)), type)};
  return b.failed() ? std::nullopt : std::optional(step);
}

void importAdagrad(OpBinder &b) {
  std::optional<Step> step = readStep(b, 3);
  if (!step)
    return;
  Value decay = b.add(b.mul(step->updates, step->attribute("decay_factor", 0)),
                      b.scalarLike(step->rate, 1));
  Value rate = b.div(step->rate, decay);
  for (unsigned i = 0; i < step->numVariables; ++i) {
    Value gradient = step->gradient(i);
    Value squares = b.add(step->input(2, i), b.mul(gradient, gradient));
    Value scale = b.add(b.unary(UnaryFn::sqrt, squares), step->attribute("epsilon", 0));
    step->result(0, i, b.sub(step->input(0, i), b.div(b.mul(rate, gradient), scale)));
    step->result(1, i, squares);
  }
}

void importAdam(OpBinder &b) {
  std::optional<Step> step = readStep(b, 4);
  if (!step)
    return;
  Value one = b.scalarLike(step->rate, 1);
  Value alpha = step->attribute("alpha", 0.9f), beta = step->attribute("beta", 0.999f);
  auto lessPower = [&](Value x) { // 1 - x^T
    return b.sub(one, b.binary(BinaryFn::pow, x, step->updates));
  };
  Value corrected =
      b.div(b.mul(step->rate, b.unary(UnaryFn::sqrt, lessPower(beta))), lessPower(alpha));
  Value rate = step->unlessFirst(corrected, step->rate);
  Value shrink = b.sub(one, step->attribute("norm_coefficient_post", 0));
  for (unsigned i = 0; i < step->numVariables; ++i) {
    Value gradient = step->gradient(i);
    Value mean =
        b.add(b.mul(alpha, step->input(2, i)), b.mul(b.sub(one, alpha), gradient));
    Value squares = b.add(b.mul(beta, step->input(3, i)),
                          b.mul(b.sub(one, beta), b.mul(gradient, gradient)));
    Value scale = b.add(b.unary(UnaryFn::sqrt, squares), step->attribute("epsilon", 0));
    Value moved = b.sub(step->input(0, i), b.div(b.mul(rate, mean), scale));
    step->result(0, i, b.mul(shrink, moved));
    step->result(1, i, mean);
    step->result(2, i, squares);
  }
}

void importMomentum(OpBinder &b) {
  StringRef mode = b.stringAttr("mode", "");
  if (mode != "standard" && mode != "nesterov")
    return b.error("mode '" + mode + "': expected standard or nesterov");
  std::optional<Step> step = readStep(b, 3);
  if (!step)
    return;
  Value alpha = step->attribute("alpha", 0);
  Value beta = step->unlessFirst(step->attribute("beta", 0), b.scalarLike(step->rate, 1));
  for (unsigned i = 0; i < step->numVariables; ++i) {
    Value gradient = step->gradient(i);
    Value momentum = b.add(b.mul(alpha, step->input(2, i)), b.mul(beta, gradient));
    Value move = mode == "standard" ? momentum : b.add(gradient, b.mul(alpha, momentum));
    step->result(0, i, b.sub(step->input(0, i), b.mul(step->rate, move)));
    step->result(1, i, momentum);
  }
}

} // namespace

void registerOptimizerOps(OpTable &table) {
  constexpr unsigned many = 1 << 16;
  table.add("ai.onnx.preview.training", {
                                            {"Adagrad", 1, 3, many, importAdagrad},
                                            {"Adam", 1, 3, many, importAdam},
                                            {"Momentum", 1, 3, many, importMomentum},
                                        });
}

} // namespace hexin::onnx
