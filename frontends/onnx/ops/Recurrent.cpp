// LSTM.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

std::optional<hx::RecurrentDirection> readDirection(OpBinder &b) {
  StringRef name = b.stringAttr("direction", "forward");
  auto direction = hx::symbolizeRecurrentDirection(name);
  if (!direction)
    b.error("direction '" + name + "': expected forward, reverse or bidirectional");
  return direction;
}

/// X, W, R, B?, sequence_lens?, initial_h?, initial_c?, P? -> Y, Y_h, Y_c. With
/// layout 1 the batch comes first; the dialect has time first.
void importLstm(OpBinder &b) {
  auto direction = readDirection(b);
  bool isBatchFirst = b.intAttr("layout", 0) != 0;
  Value x = b.input(0), initialH = b.input(5), initialC = b.input(6);
  if (HxBuilder::rank(x) != 3)
    return b.contradiction("the input has rank " + Twine(HxBuilder::rank(x)) +
                           ", expected 3");
  if (isBatchFirst) {
    x = b.transpose(x, {1, 0, 2});
    initialH = initialH ? b.transpose(initialH, {1, 0, 2}) : initialH;
    initialC = initialC ? b.transpose(initialC, {1, 0, 2}) : initialC;
  }
  Value recurrence = b.input(2);
  if (HxBuilder::rank(recurrence) != 3)
    return b.contradiction("R has rank " + Twine(HxBuilder::rank(recurrence)) +
                           ", expected 3");
  auto inferred = hx::SymbolTable::constantValue(b.dims(recurrence)[2]);
  int64_t hidden = b.intAttr("hidden_size", inferred.value_or(0));
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
  Type type = HxBuilder::elementType(x);
  SmallVector<double> alpha = b.floatsAttr("activation_alpha");
  SmallVector<double> beta = b.floatsAttr("activation_beta");
  auto lstm = b.create<hx::LstmOp>(
      {type, type, type}, x, b.input(1), recurrence, b.input(3), lengths, initialH,
      initialC, b.input(7), hidden, *direction, b.builder.getArrayAttr(names),
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

} // namespace

void registerRecurrentOps(OpTable &table) {
  table.add("", {
                    {"LSTM", 1, 3, 8, importLstm},
                });
}

} // namespace hexin::onnx
