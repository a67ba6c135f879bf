#include "backends/cpu/compiler/PostOps.h"

#include <charconv>
#include <cmath>
#include <limits>

using namespace mlir;

namespace hexin::cpu {
namespace {

using mlir::Value; // not hexin::Value, a model's input or output
constexpr double infinity = std::numeric_limits<double>::infinity();

std::string textOf(double number) {
  char digits[32];
  auto value = static_cast<float>(number);
  auto [end, code] = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, end);
}

/// oneDNN bounds its arguments by instructions that drop NaN; gelu of an infinity is
/// NaN there.
bool isLossy(StringRef step) {
  return llvm::is_contained({"clip", "hard_sigmoid", "sigmoid", "exp", "gelu_erf"},
                            step.take_until([](char c) { return c == ':'; }));
}

/// Steps in order. Affine steps that follow each other become one, and so do two
/// bounds.
class StepList {
public:
  void add(std::string step) {
    flush();
    append(std::move(step));
  }
  void addAffine(double a, double b) {
    flushClip();
    scale *= a;
    shift = shift * a + b;
    hasAffine = true;
  }
  void addMax(double bound) { clip(bound, infinity); }
  void addMin(double bound) { clip(-infinity, bound); }

  void finish(Epilogue &epilogue) {
    flush();
    epilogue.postOps = std::move(text);
    epilogue.lossyStep = std::move(lossyStep);
    epilogue.hasRelu = hasRelu;
  }

private:
  void clip(double newLow, double newHigh) {
    flushAffine();
    // max(lo) of what is below lo: the bounds cannot be swapped then.
    if (newLow > high || newHigh < low)
      flushClip();
    low = std::max(low, newLow);
    high = std::min(high, newHigh);
    hasClip = true;
  }
  void flush() {
    flushAffine();
    flushClip();
  }
  void flushAffine() {
    if (hasAffine && (scale != 1 || shift != 0))
      append("linear:" + textOf(scale) + ":" + textOf(shift));
    scale = 1;
    shift = 0;
    hasAffine = false;
  }
  void flushClip() {
    if (hasClip && low == 0 && high == infinity)
      appendRelu();
    else if (hasClip)
      append("clip:" + textOf(low) + ":" + textOf(high));
    low = -infinity;
    high = infinity;
    hasClip = false;
  }
  /// oneDNN's own relu makes 0 of NaN. elu with a factor of 0 does not, and the
  /// addition of 0 brings its -0 back.
  void appendRelu() {
    append("elu:0");
    append("linear:1:0");
    hasRelu = true;
  }
  void append(std::string step) {
    if (lossyStep.empty() && isLossy(step))
      lossyStep = step;
    text += (text.empty() ? "" : ";") + step;
  }

  std::string text, lossyStep;
  double scale = 1, shift = 0, low = -infinity, high = infinity;
  bool hasAffine = false, hasClip = false, hasRelu = false;
};

/// The value of a splat constant inside of the group.
std::optional<double> splatOf(Value value) {
  auto constant = value.getDefiningOp<hx::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue()) : nullptr;
  if (!dense || !dense.isSplat())
    return std::nullopt;
  return dense.getSplatValue<APFloat>().convertToDouble();
}

bool isNear(std::optional<double> value, double expected) {
  return value && std::fabs(*value - expected) <= 1e-6 * std::fabs(expected);
}

/// `op` as a binary function of `value` and something else; null when it is none.
Value otherOperand(Operation *op, hx::BinaryFn fn, Value value) {
  auto binary = dyn_cast_or_null<hx::BinaryOp>(op);
  if (!binary || binary.getFn() != fn)
    return {};
  if (binary.getLhs() == value)
    return binary.getRhs();
  return binary.getRhs() == value ? binary.getLhs() : Value();
}

Operation *onlyUser(Value value) {
  return value.hasOneUse() ? *value.user_begin() : nullptr;
}

/// `value` fn constant, in either order when fn commutes.
std::optional<double> constantOperand(Operation *op, hx::BinaryFn fn, Value value) {
  Value other = otherOperand(op, fn, value);
  return other ? splatOf(other) : std::nullopt;
}

class EpilogueReader {
public:
  EpilogueReader(Operation *heavy, hx::GroupOp group, hx::SymbolicShapes &shapes,
                 int64_t channelAxis, bool mayTakeBias)
      : yielded(group.getBody().front().getTerminator()->getOperand(0)), shapes(shapes),
        current(heavy->getResult(0)), dims(shapes.dims(current)),
        channelAxis(channelAxis), mayTakeBias(mayTakeBias) {}

  std::optional<Epilogue> run(std::string &why) {
    while (current != yielded) {
      if (!(current.hasOneUse() ? readStep(onlyUser(current)) : readForked())) {
        why = std::move(reason);
        return std::nullopt;
      }
      mayTakeBias = false;
    }
    if (!current.hasOneUse()) {
      why = "a value inside of the epilogue is also a result";
      return std::nullopt;
    }
    steps.finish(result);
    return std::move(result);
  }

private:
  bool refuse(std::string why) {
    reason = std::move(why);
    return false;
  }

  bool readStep(Operation *op) {
    bool isRead = false;
    if (auto binary = dyn_cast<hx::BinaryOp>(op))
      isRead = readBinary(binary);
    else if (auto unary = dyn_cast<hx::UnaryOp>(op))
      isRead = readUnary(unary);
    else if (auto activation = dyn_cast<hx::ActivationOp>(op))
      isRead = readActivation(activation);
    else
      return refuse("no post-op for " + op->getName().getStringRef().str());
    if (isRead)
      current = op->getResult(0);
    return isRead;
  }

  bool readBinary(hx::BinaryOp op) {
    bool isLeft = op.getLhs() == current;
    Value other = isLeft ? op.getRhs() : op.getLhs();
    if (auto constant = splatOf(other))
      return readConstant(op.getFn(), isLeft, *constant);
    std::string name = hx::stringifyBinaryFn(op.getFn()).str();
    bool isKnown = llvm::is_contained({"add", "sub", "mul", "div", "min", "max"}, name);
    bool commutes = name != "sub" && name != "div";
    if (!isKnown || (!isLeft && !commutes))
      return refuse("no post-op for " + name + (isLeft ? "" : " of another value by it"));
    if (!isa<BlockArgument>(other))
      return refuse("an operand of the epilogue is computed in it");
    if (!cast<ShapedType>(other.getType()).getElementType().isF32())
      return refuse("an operand of the epilogue is not f32");
    bool isPerChannel = false;
    if (!fits(other, isPerChannel))
      return refuse("an operand of the epilogue broadcasts along some axes only");
    if (mayTakeBias && isPerChannel && name == "add") {
      result.bias = other;
      return true;
    }
    steps.add(name);
    result.operands.push_back(other);
    return true;
  }

  bool readConstant(hx::BinaryFn fn, bool isLeft, double c) {
    switch (fn) {
    case hx::BinaryFn::add:
      steps.addAffine(1, c);
      return true;
    case hx::BinaryFn::sub:
      steps.addAffine(isLeft ? 1 : -1, isLeft ? -c : c);
      return true;
    case hx::BinaryFn::mul:
      steps.addAffine(c, 0);
      return true;
    case hx::BinaryFn::div:
      if (!isLeft || c == 0)
        return refuse("no post-op for a division of or by this constant");
      steps.addAffine(1 / c, 0);
      return true;
    case hx::BinaryFn::max:
      steps.addMax(c);
      return true;
    case hx::BinaryFn::min:
      steps.addMin(c);
      return true;
    default:
      return refuse("no post-op for " + hx::stringifyBinaryFn(fn).str());
    }
  }

  bool readUnary(hx::UnaryOp op) {
    std::string name = hx::stringifyUnaryFn(op.getFn()).str();
    if (op.getFn() == hx::UnaryFn::neg)
      steps.addAffine(-1, 0);
    else if (llvm::is_contained({"abs", "sqrt", "exp", "tanh", "sigmoid"}, name))
      steps.add(name);
    else
      return refuse("no post-op for " + name);
    return true;
  }

  bool readActivation(hx::ActivationOp op) {
    std::string name = hx::stringifyActivationKind(op.getKind()).str();
    double alpha = op.getAlpha().convertToDouble(), beta = op.getBeta().convertToDouble();
    switch (op.getKind()) {
    case hx::ActivationKind::relu:
      steps.addMax(0);
      return true;
    case hx::ActivationKind::affine:
      steps.addAffine(alpha, beta);
      return true;
    case hx::ActivationKind::leaky_relu:
    case hx::ActivationKind::elu:
      steps.add(name + ":" + textOf(alpha));
      return true;
    case hx::ActivationKind::hard_sigmoid:
      steps.add(name + ":" + textOf(alpha) + ":" + textOf(beta));
      return true;
    case hx::ActivationKind::swish:
      if (alpha != 1)
        return refuse("no post-op for swish with another factor than 1");
      [[fallthrough]];
    case hx::ActivationKind::softplus:
    case hx::ActivationKind::hard_swish:
    case hx::ActivationKind::mish:
    case hx::ActivationKind::gelu_erf:
    case hx::ActivationKind::gelu_tanh:
      steps.add(name);
      return true;
    default:
      return refuse("no post-op for " + name);
    }
  }

  /// Functions that models write out and that read their argument twice.
  bool readForked() {
    for (Operation *user : current.getUsers())
      if (Value product = user->getNumResults() == 1 ? user->getResult(0) : Value())
        if (Value factor = otherOperand(user, hx::BinaryFn::mul, current))
          if (readProduct(factor)) {
            current = product;
            return true;
          }
    return refuse("a value of the epilogue is read twice");
  }

  /// current * factor, where the factor is made of current and nothing else.
  bool readProduct(Value factor) {
    if (!factor.hasOneUse() || llvm::range_size(current.getUses()) != 2)
      return false;
    Operation *other = nullptr; // the first op on the way to the factor
    for (Operation *user : current.getUsers())
      if (user != onlyUser(factor))
        other = user;
    if (!other)
      return false;
    return readSwish(other, factor) || readHardSwish(other, factor) ||
           readGelu(other, factor);
  }

  bool readSwish(Operation *first, Value factor) {
    auto sigmoid = dyn_cast<hx::UnaryOp>(first);
    if (!sigmoid || sigmoid.getFn() != hx::UnaryFn::sigmoid ||
        sigmoid.getResult() != factor)
      return false;
    steps.add("swish");
    return true;
  }

  /// x * min(max(x + 3, 0), 6) = 6 hard_swish(x).
  bool readHardSwish(Operation *first, Value factor) {
    if (!isNear(constantOperand(first, hx::BinaryFn::add, current), 3))
      return false;
    Value sum = first->getResult(0);
    Operation *lower = onlyUser(sum);
    auto low = constantOperand(lower, hx::BinaryFn::max, sum);
    if (!low || *low != 0)
      return false;
    Value bounded = lower->getResult(0);
    Operation *upper = onlyUser(bounded);
    auto high = constantOperand(upper, hx::BinaryFn::min, bounded);
    if (!high || *high != 6 || upper->getResult(0) != factor)
      return false;
    steps.add("hard_swish");
    steps.addAffine(6, 0);
    return true;
  }

  /// x * (erf(x / sqrt(2)) + 1) = 2 gelu(x).
  bool readGelu(Operation *first, Value factor) {
    auto divided = dyn_cast<hx::BinaryOp>(first);
    bool isScaled =
        isNear(constantOperand(first, hx::BinaryFn::mul, current), M_SQRT1_2) ||
        (divided && divided.getLhs() == current &&
         isNear(constantOperand(first, hx::BinaryFn::div, current), M_SQRT2));
    auto erf =
        isScaled ? dyn_cast_or_null<hx::UnaryOp>(onlyUser(first->getResult(0))) : nullptr;
    if (!erf || erf.getFn() != hx::UnaryFn::erf)
      return false;
    Operation *sum = onlyUser(erf.getResult());
    auto one = constantOperand(sum, hx::BinaryFn::add, erf.getResult());
    if (!one || *one != 1 || sum->getResult(0) != factor)
      return false;
    steps.add("gelu_erf");
    steps.addAffine(2, 0);
    return true;
  }

  /// The result's sizes, one value per channel, or a scalar.
  bool fits(Value operand, bool &isPerChannel) {
    hx::Dims own = shapes.dims(operand);
    if (own == dims)
      return true;
    if (own.size() > dims.size())
      return false;
    own.insert(own.begin(), dims.size() - own.size(), shapes.symbols().constant(1));
    bool isScalar = true;
    for (auto [axis, size] : llvm::enumerate(own)) {
      if (hx::SymbolTable::constantValue(size) == 1)
        continue;
      isScalar = false;
      if (static_cast<int64_t>(axis) != channelAxis || size != dims[axis])
        return false;
    }
    // One channel: a scalar, but for the bias.
    isPerChannel = !isScalar || hx::SymbolTable::constantValue(dims[channelAxis]) == 1;
    return true;
  }

  Value yielded;
  hx::SymbolicShapes &shapes;
  Value current;
  hx::Dims dims; ///< of the result and of every value on the way
  int64_t channelAxis;
  bool mayTakeBias;
  StepList steps;
  Epilogue result;
  std::string reason;
};

} // namespace

std::optional<Epilogue> readEpilogue(Operation *heavy, hx::GroupOp group,
                                     hx::SymbolicShapes &shapes, int64_t channelAxis,
                                     bool mayTakeBias, std::string &reason) {
  return EpilogueReader(heavy, group, shapes, channelAxis, mayTakeBias).run(reason);
}

} // namespace hexin::cpu
