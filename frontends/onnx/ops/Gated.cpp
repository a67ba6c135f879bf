// GRU and RNN: the input's part of all gates in one product, then a loop over time.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Loops.h"
#include "frontends/onnx/ops/Recurrences.h"

using namespace mlir;
using hexin::hx::ActivationKind;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

struct GateFunction {
  std::optional<UnaryFn> unary; ///< else an activation
  ActivationKind kind = ActivationKind::relu;
  double alpha = 0, beta = 0;

  Value apply(OpBinder &b, Value x) const {
    return unary ? b.unary(*unary, x) : b.activation(kind, x, alpha, beta);
  }
};

/// Attributes activations, activation_alpha and activation_beta; parameters are
/// consumed in order by the functions that take them.
SmallVector<GateFunction> readFunctions(OpBinder &b, ArrayRef<StringRef> fallback,
                                        size_t count) {
  const struct {
    StringRef name; ///< lower case
    GateFunction function;
    bool takesAlpha, takesBeta;
  } rows[] = {
      {"sigmoid", {UnaryFn::sigmoid}, false, false},
      {"tanh", {UnaryFn::tanh}, false, false},
      {"relu", {{}, ActivationKind::relu}, false, false},
      {"softsign", {{}, ActivationKind::softsign}, false, false},
      {"softplus", {{}, ActivationKind::softplus}, false, false},
      {"affine", {{}, ActivationKind::affine, 1, 0}, true, true},
      {"leakyrelu", {{}, ActivationKind::leaky_relu, 0.01, 0}, true, false},
      {"thresholdedrelu", {{}, ActivationKind::thresholded_relu, 1, 0}, true, false},
      {"scaledtanh", {{}, ActivationKind::scaled_tanh, 1, 1}, true, true},
      {"hardsigmoid", {{}, ActivationKind::hard_sigmoid, 0.2, 0.5}, true, true},
      {"elu", {{}, ActivationKind::elu, 1, 0}, true, false},
  };
  SmallVector<std::string> names = b.stringsAttr("activations");
  if (names.empty())
    for (size_t i = 0; i < count; ++i)
      names.push_back(fallback[i % fallback.size()].str());
  if (names.size() < count) {
    b.error("activations has " + Twine(names.size()) + " entries, expected " +
            Twine(count));
    return {};
  }
  SmallVector<double> alphas = b.floatsAttr("activation_alpha");
  SmallVector<double> betas = b.floatsAttr("activation_beta");
  size_t nextAlpha = 0, nextBeta = 0;
  SmallVector<GateFunction> functions;
  for (StringRef name : ArrayRef(names).take_front(count)) {
    auto row =
        llvm::find_if(rows, [&](auto &r) { return name.equals_insensitive(r.name); });
    if (row == std::end(rows)) {
      b.error("activation '" + name + "' is not one of ONNX's");
      return {};
    }
    GateFunction function = row->function;
    if (row->takesAlpha && nextAlpha < alphas.size())
      function.alpha = alphas[nextAlpha++];
    if (row->takesBeta && nextBeta < betas.size())
      function.beta = betas[nextBeta++];
    functions.push_back(function);
  }
  return functions;
}

/// One direction of a recurrence with `numGates` gates, whose state is h [B, H].
class Recurrence {
public:
  Recurrence(OpBinder &b, int64_t numGates, int64_t hidden, bool resetsBehind)
      : b(b), numGates(numGates), hidden(hidden), resetsBehind(resetsBehind),
        clipLimit(b.floatAttr("clip", 0)) {}

  struct Results {
    Value output, last; ///< [T, B, H], [B, H]
  };

  /// x [T, B, I]; lengths i64 [B] or null; initial [B, H] or null.
  Results run(Value x, Value lengths, Value initial, int64_t direction, bool isReversed,
              ArrayRef<GateFunction> functions) {
    prepare(isReversed ? reversed(x, lengths) : x, direction);
    Type i64 = b.builder.getI64Type();
    if (b.failed())
      return {};
    Dims sizes = b.dims(x);
    LoopParts parts;
    parts.ignoresCondition = true;
    parts.tripCount = b.shape.buildScalar(sizes[0], i64);
    parts.numStacked = 1;
    Value zero = b.scalarLike(x, 0);
    Value start = initial
                      ? initial
                      : b.shape.broadcastTo(zero, {sizes[1], b.shape.constant(hidden)});
    Value rowLengths = lengths ? b.shape.unsqueeze(lengths, {1}) : Value();
    if (rowLengths) // a row without steps has no last state, not even the initial one
      start = b.select(b.compare(hx::ComparePredicate::eq, rowLengths, b.scalar(i64, 0)),
                       zero, start);
    parts.carried = {start};
    auto body = [&](Block &, Value step,
                    ArrayRef<Value> carried) -> FailureOr<SmallVector<Value>> {
      Value old = carried.front();
      Value next =
          numGates == 1 ? rnnCell(step, old, functions) : gruCell(step, old, functions);
      Value output = next;
      if (rowLengths) {
        Value isValid = b.compare(hx::ComparePredicate::lt, step, rowLengths);
        output = b.select(isValid, next, b.scalarLike(old, 0));
        next = b.select(isValid, next, old);
      }
      Value goesOn = b.scalar(b.builder.getI1Type(), 1);
      if (b.failed())
        return failure();
      return SmallVector<Value>{goesOn, next, output};
    };
    SmallVector<Value> results = buildLoop(b, std::move(parts), body);
    if (b.failed())
      return {};
    return {isReversed ? reversed(results[1], lengths) : results[1], results[0]};
  }

private:
  /// Splits W, R and B of a direction by gate, and multiplies the input.
  void prepare(Value x, int64_t direction) {
    auto ofGate = [&](Value value, int64_t gate) { // [D, gates * H, ...] -> [H, ...]
      value =
          b.shape.sliceAxis(value, 0, b.shape.constant(direction), b.shape.constant(1));
      value = b.shape.sliceAxis(value, 1, b.shape.constant(gate * hidden),
                                b.shape.constant(hidden));
      return b.failed() ? Value()
                        : b.cast(b.shape.squeeze(value, {0}), HxBuilder::elementType(x));
    };
    for (int64_t gate = 0; gate < numGates; ++gate) {
      Value fromInput = b.matmul(x, ofGate(b.input(1), gate), false, true);
      weights.push_back(ofGate(b.input(2), gate));
      Value inside; // a bias that is reset with the state's part
      if (b.has(3)) {
        Value ofInput = ofGate(b.input(3), gate);
        Value ofState = ofGate(b.input(3), numGates + gate);
        bool isReset = resetsBehind && gate == 2;
        fromInput = b.add(fromInput, isReset ? ofInput : b.add(ofInput, ofState));
        inside = isReset ? ofState : Value();
      }
      fromInputs.push_back(fromInput);
      resetBias = inside;
    }
  }

  /// The first lengths[b] steps of row b backwards; the rest stays.
  Value reversed(Value x, Value lengths) {
    if (b.failed())
      return {};
    Dims sizes = b.dims(x);
    Type i64 = b.builder.getI64Type();
    Dim one = b.shape.constant(1);
    Value time = b.shape.iota({sizes[0], one, one}, 0, i64);
    Value count =
        lengths ? b.shape.unsqueeze(lengths, {0, 2}) : b.shape.buildScalar(sizes[0], i64);
    Value mirrored = b.sub(b.sub(count, b.scalar(i64, 1)), time);
    Value isInside = b.compare(hx::ComparePredicate::lt, time, count);
    Value source = b.shape.broadcastTo(b.select(isInside, mirrored, time), sizes);
    return b.failed() ? Value()
                      : b.make<hx::GatherElementsOp>(HxBuilder::elementType(x), x, source,
                                                     /*axis=*/0);
  }

  Value input(Value step, int64_t gate) { return b.gather(fromInputs[gate], step, 0); }
  Value fromState(Value state, int64_t gate) {
    return b.matmul(state, weights[gate], false, true);
  }
  Value activated(const GateFunction &function, Value x) {
    if (clipLimit > 0 && !b.failed())
      x = b.binary(hx::BinaryFn::min, b.scalarLike(x, clipLimit),
                   b.binary(hx::BinaryFn::max, x, b.scalarLike(x, -clipLimit)));
    return function.apply(b, x);
  }

  Value rnnCell(Value step, Value old, ArrayRef<GateFunction> functions) {
    return activated(functions[0], b.add(input(step, 0), fromState(old, 0)));
  }

  /// Gates: update, reset, and the candidate.
  Value gruCell(Value step, Value old, ArrayRef<GateFunction> functions) {
    Value update = activated(functions[0], b.add(input(step, 0), fromState(old, 0)));
    Value reset = activated(functions[0], b.add(input(step, 1), fromState(old, 1)));
    Value memory;
    if (resetsBehind) {
      memory = fromState(old, 2);
      memory = b.mul(reset, resetBias ? b.add(memory, resetBias) : memory);
    } else {
      memory = fromState(b.mul(reset, old), 2);
    }
    Value candidate = activated(functions[1], b.add(input(step, 2), memory));
    Value kept = b.failed() ? Value() : b.sub(b.scalarLike(update, 1), update);
    return b.add(b.mul(kept, candidate), b.mul(update, old));
  }

  OpBinder &b;
  int64_t numGates, hidden;
  bool resetsBehind; ///< linear_before_reset: the product comes before the reset
  double clipLimit;
  SmallVector<Value> fromInputs; ///< per gate [T, B, H]
  SmallVector<Value> weights;    ///< per gate [H, H]
  Value resetBias;               ///< [H] or null
};

/// X, W [D, gates * H, I], R [D, gates * H, H], B? [D, 2 * gates * H], sequence_lens?,
/// initial_h? -> Y, Y_h. With layout 1 the batch comes first.
void importGated(OpBinder &b, int64_t numGates, ArrayRef<StringRef> functionNames) {
  auto direction = readDirection(b);
  int64_t hidden = readHiddenSize(b, b.input(2));
  bool isBatchFirst = b.intAttr("layout", 0) != 0;
  Value x = b.input(0), initial = b.input(5);
  if (b.failed())
    return;
  int64_t numDirections = *direction == hx::RecurrentDirection::bidirectional ? 2 : 1;
  if (HxBuilder::rank(x) != 3 || HxBuilder::rank(b.input(1)) != 3)
    return b.contradiction("X and W have ranks " + Twine(HxBuilder::rank(x)) + " and " +
                           Twine(HxBuilder::rank(b.input(1))) + ", expected 3");
  for (unsigned i : {1, 2, 3}) {
    if (!b.has(i))
      continue;
    Dims sizes = b.dims(b.input(i));
    int64_t rows = (i == 3 ? 2 : 1) * numGates * hidden;
    if (sizes.size() != (i == 3 ? 2u : 3u))
      return b.contradiction("input #" + Twine(i) + " has rank " + Twine(sizes.size()) +
                             ", expected " + Twine(i == 3 ? 2 : 3));
    checkRange(b, sizes[0], numDirections, numDirections, "axis 0 of input #" + Twine(i));
    checkRange(b, sizes[1], rows, rows, "axis 1 of input #" + Twine(i));
  }
  if (b.failed())
    return;
  // The state is rounded once, at the end.
  Type given = HxBuilder::elementType(x);
  Type type = given.getIntOrFloatBitWidth() < 32 ? Type(b.builder.getF32Type()) : given;
  x = b.cast(x, type);
  initial = initial ? b.cast(initial, type) : initial;
  if (isBatchFirst) {
    x = b.transpose(x, {1, 0, 2});
    initial = initial ? b.transpose(initial, {1, 0, 2}) : initial;
  }
  Value lengths = b.has(4) ? b.cast(b.input(4), b.builder.getI64Type()) : Value();
  if (lengths && !b.failed())
    lengths = checkedLengths(b, lengths, b.dims(x)[0], "sequence_lens");
  size_t perDirection = functionNames.size();
  SmallVector<GateFunction> functions =
      readFunctions(b, functionNames, perDirection * numDirections);
  bool resetsBehind = numGates == 3 && b.intAttr("linear_before_reset", 0) != 0;
  SmallVector<Value> outputs, lasts;
  for (int64_t d = 0; d < numDirections && !b.failed(); ++d) {
    Value start;
    if (initial)
      start = b.shape.squeeze(
          b.shape.sliceAxis(initial, 0, b.shape.constant(d), b.shape.constant(1)), {0});
    bool isReversed = d == 1 || *direction == hx::RecurrentDirection::reverse;
    Recurrence recurrence(b, numGates, hidden, resetsBehind);
    auto [output, last] =
        recurrence.run(x, lengths, start, d, isReversed,
                       ArrayRef(functions).slice(d * perDirection, perDirection));
    if (b.failed())
      return;
    outputs.push_back(b.shape.unsqueeze(output, {1})); // [T, 1, B, H]
    lasts.push_back(b.shape.unsqueeze(last, {0}));     // [1, B, H]
  }
  if (b.failed())
    return;
  Value y = b.concat(outputs, 1), lastH = b.concat(lasts, 0);
  if (isBatchFirst) {
    y = b.transpose(y, {2, 0, 1, 3});
    lastH = b.transpose(lastH, {1, 0, 2});
  }
  b.result(0, b.cast(y, given));
  b.result(1, b.cast(lastH, given));
}

void importGru(OpBinder &b) { importGated(b, 3, {"Sigmoid", "Tanh"}); }
void importRnn(OpBinder &b) { importGated(b, 1, {"Tanh"}); }

} // namespace

void registerGatedOps(OpTable &table) {
  table.add("", {
                    {"GRU", 3, 3, 6, importGru},
                    {"RNN", 1, 3, 6, importRnn},
                });
}

} // namespace hexin::onnx
