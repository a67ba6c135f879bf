// GRU and RNN: the input's part of all gates in one product, then hx.recurrence; of a GRU
// that resets before its product, a loop over time.
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

struct LayerResults {
  Value output, last; ///< Y, Y_h of the layer, or of one direction without its axis
};

/// One direction of a GRU that resets the state before its product; h is [B, H].
class GruLoop {
public:
  GruLoop(OpBinder &b, int64_t hidden)
      : b(b), hidden(hidden), clipLimit(b.floatAttr("clip", 0)) {}

  /// x [T, B, I]; lengths i64 [B] or null; initial [B, H] or null.
  LayerResults run(Value x, Value lengths, Value initial, int64_t direction,
                   bool isReversed, ArrayRef<GateFunction> functions) {
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
      Value next = nextState(step, old, functions);
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
      if (b.has(3))
        fromInput = b.add(fromInput, b.add(ofGate(b.input(3), gate),
                                           ofGate(b.input(3), numGates + gate)));
      fromInputs.push_back(fromInput);
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

  /// Gates: update, reset, and the candidate.
  Value nextState(Value step, Value old, ArrayRef<GateFunction> functions) {
    Value update = activated(functions[0], b.add(input(step, 0), fromState(old, 0)));
    Value reset = activated(functions[0], b.add(input(step, 1), fromState(old, 1)));
    Value memory = fromState(b.mul(reset, old), 2);
    Value candidate = activated(functions[1], b.add(input(step, 2), memory));
    Value kept = b.failed() ? Value() : b.sub(b.scalarLike(update, 1), update);
    return b.add(b.mul(kept, candidate), b.mul(update, old));
  }

  static constexpr int64_t numGates = 3;

  OpBinder &b;
  int64_t hidden;
  double clipLimit;
  SmallVector<Value> fromInputs; ///< per gate [T, B, H]
  SmallVector<Value> weights;    ///< per gate [H, H]
};

/// What hx.recurrence takes: RNN, and GRU whose product comes before the reset. x,
/// initial and the results have time first.
class WholeLayer {
public:
  WholeLayer(OpBinder &b, int64_t numGates, int64_t hidden, int64_t numDirections)
      : b(b), numGates(numGates), hidden(hidden), numDirections(numDirections) {}

  LayerResults run(Value x, Value initial, hx::RecurrentDirection direction,
                   ArrayRef<StringRef> functionNames) {
    Type type = HxBuilder::elementType(x);
    int64_t gates = numDirections * numGates;
    Value weights = b.cast(b.input(1), type);
    if (b.failed())
      return {};
    Value rows =
        b.shape.reshape(weights, {b.shape.constant(gates * hidden), b.dims(weights)[2]});
    Value projected = b.matmul(x, rows, false, true);
    Value resetBias;
    if (b.has(3))
      projected = b.add(projected, inputBias(b.cast(b.input(3), type), resetBias));
    Value recurrence = b.cast(b.input(2), type);
    if (b.failed())
      return {};
    recurrence =
        b.shape.reshape(recurrence, {b.shape.constant(gates), b.shape.constant(hidden),
                                     b.shape.constant(hidden)});
    Value lengths = b.has(4) ? b.cast(b.input(4), b.builder.getI32Type()) : Value();
    if (lengths && !b.failed() && b.shapes.contents(lengths)) // else the kernel checks
      checkedLengths(b, lengths, b.dims(x)[0], "sequence_lens");
    SmallVector<double> alpha = b.floatsAttr("activation_alpha");
    SmallVector<double> beta = b.floatsAttr("activation_beta");
    if (b.failed())
      return {};
    auto cell = numGates == 3 ? hx::RecurrentCell::gru : hx::RecurrentCell::rnn;
    auto layer = b.create<hx::RecurrenceOp>(
        {type, type}, projected, recurrence, resetBias, lengths, initial, cell, hidden,
        direction, activations(functionNames), ArrayRef<double>(alpha),
        ArrayRef<double>(beta), llvm::APFloat(b.floatAttr("clip", 0)));
    if (b.failed())
      return {};
    return {layer.getOutput(), layer.getLastH()};
  }

private:
  /// Of the biases [D, 2 * G * H] what is just added, [D * G * H]; and, [D, H], what is
  /// added to the state's part of the last gate before its reset.
  Value inputBias(Value biases, Value &resetBias) {
    auto part = [&](int64_t gate, int64_t count) {
      return b.shape.sliceAxis(biases, 1, b.shape.constant(gate * hidden),
                               b.shape.constant(count * hidden));
    };
    Value sum;
    if (numGates == 3) {
      sum = b.concat({b.add(part(0, 2), part(3, 2)), part(2, 1)}, 1);
      resetBias = part(5, 1);
    } else {
      sum = b.add(part(0, numGates), part(numGates, numGates));
    }
    return b.failed() ? Value()
                      : b.shape.reshape(
                            sum, {b.shape.constant(numDirections * numGates * hidden)});
  }

  /// The names, readFunctions() has checked them.
  ArrayAttr activations(ArrayRef<StringRef> fallback) {
    SmallVector<std::string> names = b.stringsAttr("activations");
    SmallVector<mlir::Attribute> result;
    for (size_t i = 0; i < fallback.size() * numDirections; ++i)
      result.push_back(b.builder.getStringAttr(
          names.empty() ? fallback[i % fallback.size()] : StringRef(names[i])));
    return b.builder.getArrayAttr(result);
  }

  OpBinder &b;
  int64_t numGates, hidden, numDirections;
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
  size_t perDirection = functionNames.size();
  SmallVector<GateFunction> functions =
      readFunctions(b, functionNames, perDirection * numDirections);
  bool resetsBehind = numGates == 3 && b.intAttr("linear_before_reset", 0) != 0;
  if (b.failed())
    return;
  auto finish = [&](Value y, Value lastH) {
    if (isBatchFirst) {
      y = b.transpose(y, {2, 0, 1, 3});
      lastH = b.transpose(lastH, {1, 0, 2});
    }
    b.result(0, b.cast(y, given));
    b.result(1, b.cast(lastH, given));
  };
  if (numGates == 1 || resetsBehind) {
    WholeLayer layer(b, numGates, hidden, numDirections);
    auto [output, last] = layer.run(x, initial, *direction, functionNames);
    return b.failed() ? void() : finish(output, last);
  }
  Value lengths = b.has(4) ? b.cast(b.input(4), b.builder.getI64Type()) : Value();
  if (lengths && !b.failed())
    lengths = checkedLengths(b, lengths, b.dims(x)[0], "sequence_lens");
  SmallVector<Value> outputs, lasts;
  for (int64_t d = 0; d < numDirections && !b.failed(); ++d) {
    Value start;
    if (initial)
      start = b.shape.squeeze(
          b.shape.sliceAxis(initial, 0, b.shape.constant(d), b.shape.constant(1)), {0});
    bool isReversed = d == 1 || *direction == hx::RecurrentDirection::reverse;
    auto [output, last] =
        GruLoop(b, hidden).run(x, lengths, start, d, isReversed,
                               ArrayRef(functions).slice(d * perDirection, perDirection));
    if (b.failed())
      return;
    outputs.push_back(b.shape.unsqueeze(output, {1})); // [T, 1, B, H]
    lasts.push_back(b.shape.unsqueeze(last, {0}));     // [1, B, H]
  }
  if (b.failed())
    return;
  finish(b.concat(outputs, 1), b.concat(lasts, 0));
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
