// Convolutions and pools of ONNX Runtime: with channels last, with what follows them.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Channels.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Windows.h"

#include <limits>

using namespace mlir;
using hexin::hx::ActivationKind;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::PoolFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// Attributes activation and activation_params.
Value activated(OpBinder &b, Value x) {
  StringRef name = b.stringAttr("activation", "");
  SmallVector<double> parameters = b.floatsAttr("activation_params");
  size_t expected = name == "Clip" || name == "HardSigmoid" ? 2 : name == "LeakyRelu";
  if (expected != 0 && parameters.size() != expected) {
    b.error("activation_params has " + Twine(parameters.size()) + " entries, " + name +
            " takes " + Twine(expected));
    return {};
  }
  if (b.failed() || name.empty())
    return x;
  if (name == "Relu")
    return b.activation(ActivationKind::relu, x);
  if (name == "Tanh")
    return b.unary(UnaryFn::tanh, x);
  if (name == "Sigmoid")
    return b.unary(UnaryFn::sigmoid, x);
  if (name == "LeakyRelu")
    return b.activation(ActivationKind::leaky_relu, x, parameters[0]);
  if (name == "HardSigmoid")
    return b.activation(ActivationKind::hard_sigmoid, x, parameters[0], parameters[1]);
  if (name == "Clip")
    return b.binary(BinaryFn::min,
                    b.binary(BinaryFn::max, x, b.scalarLike(x, parameters[0])),
                    b.scalarLike(x, parameters[1]));
  b.unsupported("activation '" + name +
                "': expected Relu, Tanh, Sigmoid, LeakyRelu, HardSigmoid or Clip");
  return {};
}

/// X, W, B?, Z?: activation(convolution + B + Z)
void importFusedConv(OpBinder &b) {
  Value y = convolution(b, b.input(0), b.input(1), b.input(2));
  if (b.has(3))
    y = b.add(y, b.input(3));
  b.result(0, activated(b, y));
}

/// The same of X, Z and Y [N, spatial..., C]; W stays [M, C/group, taps...].
void importNhwcConv(OpBinder &b) {
  Value x = channelsFirst(b, b.input(0));
  Value y = channelsLast(b, convolution(b, x, b.input(1), b.input(2)));
  if (b.has(3))
    y = b.add(y, b.input(3));
  b.result(0, activated(b, y));
}

void importQLinearConv(OpBinder &b) {
  bool isLast = b.intAttr("channels_last", 0) != 0;
  Value x = b.input(0);
  Value y = quantizedConvolution(b, isLast ? channelsFirst(b, x) : x);
  b.result(0, isLast ? channelsLast(b, y) : y);
}

/// `full` [N, C, spatial...], made with pads of 0, without `pads` at its borders. A
/// negative pad is no slice, which a run is told.
Value withoutPads(OpBinder &b, Value full, ArrayRef<Dim> pads) {
  if (b.failed())
    return {};
  Dims sizes = b.dims(full), starts(sizes.size(), b.shape.constant(0));
  hx::SymbolTable &symbols = b.symbols();
  for (size_t i = 0; i + 2 < sizes.size(); ++i) {
    Dim low = pads[i], high = pads[sizes.size() - 2 + i];
    starts[i + 2] = low;
    sizes[i + 2] = symbols.sub(sizes[i + 2], symbols.add(low, high));
  }
  return b.shape.slice(full, starts, sizes, SmallVector<int64_t>(sizes.size(), 1));
}

/// X, W, pads?, B?
void importConvTransposeWithDynamicPads(OpBinder &b) {
  Value x = b.input(0);
  int64_t spatialRank = spatialRankOf(b, x);
  if (b.failed())
    return;
  WindowAttributes window = readWindow(b, spatialRank);
  Dims pads;
  // auto_pad says what the pads are.
  if (b.has(2) && b.stringAttr("auto_pad", "NOTSET") == "NOTSET") {
    pads = b.readInts(2);
    if (!b.failed() && static_cast<int64_t>(pads.size()) != 2 * spatialRank)
      return b.contradiction("there are " + Twine(pads.size()) + " pads, expected " +
                             Twine(2 * spatialRank));
  }
  if (b.failed())
    return;
  if (auto known = ShapeMath::constants(pads); known && !pads.empty()) {
    window.pads = *known;
    pads.clear();
  }
  Value full = transposedConvolution(b, x, b.input(1), b.input(3), window);
  b.result(0, pads.empty() ? full : withoutPads(b, full, pads));
}

/// 8-bit integers [N, spatial..., C].
void importNhwcMaxPool(OpBinder &b) {
  auto op = pool(b, PoolFn::max, channelsFirst(b, b.input(0)));
  if (op)
    b.result(0, channelsLast(b, op.getResult()));
}

/// X, mask (i32, broadcasts to X): what stands under a 0 of the mask does not count.
void importMaxpoolWithMask(OpBinder &b) {
  Value x = b.input(0), mask = b.input(1);
  if (b.intAttr("storage_order", 0) != 0)
    return b.unsupported("storage_order=1");
  Value isOut = b.compare(ComparePredicate::eq, mask, b.scalarLike(mask, 0));
  Value lowest =
      b.scalarLike(x, static_cast<double>(std::numeric_limits<float>::lowest()));
  Value left = b.select(isOut, lowest, x);
  if (b.failed())
    return;
  if (b.dims(left) != b.dims(x))
    left = b.shape.broadcastTo(left, b.dims(x));
  auto op = pool(b, PoolFn::max, left);
  if (op)
    b.result(0, op.getResult());
}

} // namespace

void registerMicrosoftConvOps(OpTable &table) {
  table.add("com.microsoft", {
                                 {"FusedConv", 1, 2, 4, importFusedConv},
                                 {"NhwcConv", 1, 2, 3, importNhwcConv},
                                 {"NhwcFusedConv", 1, 2, 4, importNhwcConv},
                                 {"QLinearConv", 1, 8, 9, importQLinearConv},
                                 {"ConvTransposeWithDynamicPads", 1, 2, 4,
                                  importConvTransposeWithDynamicPads},
                                 {"NhwcMaxPool", 1, 1, 1, importNhwcMaxPool},
                                 {"MaxpoolWithMask", 1, 2, 2, importMaxpoolWithMask},
                             });
}

} // namespace hexin::onnx
