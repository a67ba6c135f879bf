// LSTM, and its form with quantised weights.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Recurrences.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
std::optional<hx::RecurrentDirection> readDirection(OpBinder &b) {
  StringRef name = b.stringAttr("direction", "forward");
  auto direction = hx::symbolizeRecurrentDirection(name);
  if (!direction)
    b.error("direction '" + name + "': expected forward, reverse or bidirectional");
  return direction;
}

int64_t readHiddenSize(OpBinder &b, Value recurrence) {
  if (HxBuilder::rank(recurrence) != 3) {
    b.contradiction("R has rank " + Twine(HxBuilder::rank(recurrence)) + ", expected 3");
    return 0;
  }
  if (b.failed())
    return 0;
  auto inferred = hx::SymbolTable::constantValue(b.dims(recurrence)[2]);
  int64_t hidden = b.intAttr("hidden_size", inferred.value_or(0));
  if (hidden < 1)
    b.error("hidden_size=" + Twine(hidden) +
            ": expected the number of cells, which the "
            "sizes of R do not tell either");
  return hidden;
}

namespace {

/// -, -, -, B?, sequence_lens?, initial_h?, initial_c?, P? -> Y, Y_h, Y_c, with
/// `weights` [D, 4H, I] and `recurrence` [D, 4H, H]. With layout 1 the batch comes
/// first; the dialect has time first.
void importLstmWith(OpBinder &b, Value x, Value weights, Value recurrence) {
  auto direction = readDirection(b);
  bool isBatchFirst = b.intAttr("layout", 0) != 0;
  Value initialH = b.input(5), initialC = b.input(6);
  if (b.failed())
    return;
  if (HxBuilder::rank(x) != 3)
    return b.contradiction("the input has rank " + Twine(HxBuilder::rank(x)) +
                           ", expected 3");
  if (isBatchFirst) {
    x = b.transpose(x, {1, 0, 2});
    initialH = initialH ? b.transpose(initialH, {1, 0, 2}) : initialH;
    initialC = initialC ? b.transpose(initialC, {1, 0, 2}) : initialC;
  }
  int64_t hidden = readHiddenSize(b, recurrence);
  if (b.failed())
    return;
  size_t numDirections = *direction == hx::RecurrentDirection::bidirectional ? 2 : 1;
  SmallVector<std::string> activations = b.stringsAttr("activations");
  if (activations.empty())
    for (size_t i = 0; i < numDirections; ++i)
      activations.append({"Sigmoid", "Tanh", "Tanh"});
  if (activations.size() != 3 * numDirections)
    return b.error("activations has " + Twine(activations.size()) +
                   " entries, expected " + Twine(3 * numDirections));
  SmallVector<mlir::Attribute> names;
  for (const std::string &name : activations)
    names.push_back(b.builder.getStringAttr(name));
  Value lengths = b.has(4) ? b.cast(b.input(4), b.builder.getI32Type()) : Value();
  if (lengths && !b.failed() && b.shapes.contents(lengths)) // else the kernel checks
    checkedLengths(b, lengths, b.dims(x)[0], "sequence_lens");
  Type type = HxBuilder::elementType(x);
  SmallVector<double> alpha = b.floatsAttr("activation_alpha");
  SmallVector<double> beta = b.floatsAttr("activation_beta");
  auto lstm = b.create<hx::LstmOp>(
      {type, type, type}, x, weights, recurrence, b.input(3), lengths, initialH, initialC,
      b.input(7), hidden, *direction, b.builder.getArrayAttr(names),
      ArrayRef<double>(alpha), ArrayRef<double>(beta),
      llvm::APFloat(b.floatAttr("clip", 0)), b.intAttr("input_forget", 0) != 0);
  if (b.failed())
    return;
  Value y = lstm.getOutput(), lastH = lstm.getLastH(), lastC = lstm.getLastC();
  if (isBatchFirst) { // [T, D, B, H] -> [B, T, D, H]
    y = b.wants(0) ? b.transpose(y, {2, 0, 1, 3}) : y;
    lastH = b.wants(1) ? b.transpose(lastH, {1, 0, 2}) : lastH;
    lastC = b.wants(2) ? b.transpose(lastC, {1, 0, 2}) : lastC;
  }
  b.result(0, y);
  b.result(1, lastH);
  b.result(2, lastC);
}

void importLstm(OpBinder &b) { importLstmWith(b, b.input(0), b.input(1), b.input(2)); }

/// Quantised [D, K, 4H] with a scale and zero point per direction ([D]) or per
/// direction and gate row ([D, 4H]), as the numbers [D, 4H, K].
Value dequantizedGates(OpBinder &b, Value quantized, Value scale, Value zero) {
  Type type = HxBuilder::elementType(b.input(0));
  auto perGate = [&](Value value) {
    if (HxBuilder::rank(value) == 2)
      return b.shape.unsqueeze(value, {1});
    return HxBuilder::rank(value) == 1 ? b.shape.unsqueeze(value, {1, 2}) : value;
  };
  if (HxBuilder::rank(quantized) != 3) {
    b.contradiction("quantised weights have rank " + Twine(HxBuilder::rank(quantized)) +
                    ", expected 3");
    return {};
  }
  Value shifted = b.sub(b.cast(quantized, type), b.cast(perGate(zero), type));
  Value gates = b.mul(shifted, b.cast(perGate(scale), type));
  return b.transpose(gates, {0, 2, 1});
}

/// com.microsoft: LSTM whose W and R are quantised and lie the other way round;
/// scale and zero point of W and R come last. X is quantised too, by its own range, as
/// the model was made for it. (ONNX Runtime also rounds the state before every step;
/// here that is the state itself.)
void importDynamicQuantizeLstm(OpBinder &b) {
  for (unsigned index = 8; index < 12; ++index)
    if (!b.has(index))
      return b.error("input #" + Twine(index) +
                     " is missing: W and R need scales and zero points");
  Value weights = dequantizedGates(b, b.input(1), b.input(8), b.input(9));
  Value recurrence = dequantizedGates(b, b.input(2), b.input(10), b.input(11));
  Type ui8 = b.builder.getIntegerType(8, /*isSigned=*/false);
  auto quantized =
      b.create<hx::DynamicQuantizeOp>({ui8, b.builder.getF32Type(), ui8}, b.input(0));
  if (b.failed())
    return;
  Value x = b.make<hx::DequantizeOp>(HxBuilder::elementType(b.input(0)),
                                     quantized.getResult(), quantized.getScale(),
                                     quantized.getZeroPoint(), /*axis=*/0, /*block=*/0);
  importLstmWith(b, x, weights, recurrence);
}

} // namespace

void registerRecurrentOps(OpTable &table) {
  table.add("", {
                    {"LSTM", 1, 3, 8, importLstm},
                });
  table.add("com.microsoft",
            {
                {"DynamicQuantizeLSTM", 1, 3, 12, importDynamicQuantizeLstm},
            });
}

} // namespace hexin::onnx
