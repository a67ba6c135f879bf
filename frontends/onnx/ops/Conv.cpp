// Convolutions.
#include "compiler/ir/SizeText.h"
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/IntegerProducts.h"
#include "frontends/onnx/ops/Windows.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {

WindowAttributes readWindow(OpBinder &b, int64_t spatialRank) {
  WindowAttributes window;
  SmallVector<int64_t> ones(spatialRank, 1), zeros(2 * spatialRank, 0);
  window.kernel = b.intsAttr("kernel_shape");
  window.strides = b.intsAttr("strides", ones);
  window.dilations = b.intsAttr("dilations", ones);
  window.pads = b.intsAttr("pads", zeros);
  // No axis is longer; sums and products of two such numbers fit 64 bits.
  constexpr int64_t farthest = INT32_MAX;
  auto check = [&](StringRef name, ArrayRef<int64_t> values, int64_t count,
                   int64_t lowest) {
    if (static_cast<int64_t>(values.size()) != count)
      b.error("attribute '" + name + "' has " + Twine(values.size()) +
              " entries, expected " + Twine(count));
    for (int64_t value : values)
      if (value < lowest || value > farthest)
        b.error("attribute '" + name + "' holds " + Twine(value) + ", expected " +
                Twine(lowest) + " to " + Twine(farthest));
  };
  if (!window.kernel.empty())
    check("kernel_shape", window.kernel, spatialRank, 1);
  // Longer ones than any axis reach one window all the same.
  for (int64_t &stride : window.strides)
    stride = std::min(stride, farthest);
  check("strides", window.strides, spatialRank, 1);
  check("dilations", window.dilations, spatialRank, 1);
  check("pads", window.pads, 2 * spatialRank, -farthest);

  StringRef automatic = b.stringAttr("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER")
    window.padPolicy = hx::PadPolicy::same_upper;
  else if (automatic == "SAME_LOWER")
    window.padPolicy = hx::PadPolicy::same_lower;
  else if (automatic != "NOTSET" && automatic != "VALID" && !automatic.empty())
    b.error("auto_pad '" + automatic +
            "': expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  if (automatic != "NOTSET" && !automatic.empty())
    window.pads = zeros;
  return window;
}

int64_t spatialRankOf(OpBinder &b, Value x) {
  int64_t rank = HxBuilder::rank(x);
  if (rank < 3)
    b.contradiction("the input has rank " + Twine(rank) +
                    ", expected at least 3: [N, C, spatial axes...]");
  return rank - 2;
}

void checkKernel(OpBinder &b, const WindowAttributes &window, Value weights) {
  if (b.failed() || window.kernel.empty())
    return;
  Dims dims = b.dims(weights);
  for (auto [i, taps] : llvm::enumerate(window.kernel)) {
    if (i + 2 >= dims.size())
      continue;
    Dim expected = b.shape.constant(taps);
    if (b.symbols().isKnownDifferent(dims[i + 2], expected))
      b.error("kernel_shape says " + Twine(taps) + " taps along spatial axis " +
              Twine(i) + ", the weights have " + describeSize(b.symbols(), dims[i + 2]));
    checkEqual(b, expected, "kernel_shape along spatial axis " + Twine(i), dims[i + 2],
               "that of the weights");
  }
}

/// Negative pads, which exporters write for cropping, cut the input.
static Value cropped(OpBinder &b, Value x, SmallVector<int64_t> &pads) {
  if (b.failed() || llvm::all_of(pads, [](int64_t pad) { return pad >= 0; }))
    return x;
  Dims sizes = b.dims(x), starts(sizes.size(), b.shape.constant(0));
  size_t spatialRank = pads.size() / 2;
  for (size_t i = 0; i < spatialRank; ++i) {
    int64_t atStart = std::max<int64_t>(-pads[i], 0);
    int64_t atEnd = std::max<int64_t>(-pads[spatialRank + i], 0);
    starts[i + 2] = b.shape.constant(atStart);
    sizes[i + 2] = b.symbols().sub(sizes[i + 2], b.shape.constant(atStart + atEnd));
  }
  for (int64_t &pad : pads)
    pad = std::max<int64_t>(pad, 0);
  return b.shape.slice(x, starts, sizes, SmallVector<int64_t>(sizes.size(), 1));
}

Value convolution(OpBinder &b, Value x, Value weights, Value bias) {
  int64_t spatialRank = spatialRankOf(b, x);
  if (b.failed())
    return {};
  WindowAttributes window = readWindow(b, spatialRank);
  checkKernel(b, window, weights);
  x = cropped(b, x, window.pads);
  return b.failed()
             ? Value()
             : b.make<hx::ConvOp>(HxBuilder::elementType(x), x, weights, bias,
                                  b.intAttr("group", 1), window.strides, window.pads,
                                  window.dilations, window.padPolicy, hx::Layout::nchw);
}

/// A value per output channel of [N, C, spatial...], or one for all.
static Value perChannel(OpBinder &b, Value value, int64_t rank) {
  if (b.failed() || b.shapes.numElements(value) == b.shape.constant(1))
    return b.shape.toScalar(value);
  Dims dims(static_cast<size_t>(rank), b.shape.constant(1));
  dims[1] = b.shape.product(b.dims(value));
  return b.shape.reshape(value, dims);
}

Value transposedConvolution(OpBinder &b, Value x, Value weights, Value bias,
                            const WindowAttributes &window) {
  int64_t spatialRank = HxBuilder::rank(x) - 2;
  checkKernel(b, window, weights);
  SmallVector<int64_t> outputPadding =
      b.intsAttr("output_padding", SmallVector<int64_t>(spatialRank, 0));
  SmallVector<int64_t> outputShape = b.intsAttr("output_shape");
  auto wrong = [&](StringRef name, size_t count) {
    b.error("attribute '" + name + "' has " + Twine(count) + " entries, expected " +
            Twine(spatialRank));
    return Value();
  };
  if (!b.failed() && static_cast<int64_t>(outputPadding.size()) != spatialRank)
    return wrong("output_padding", outputPadding.size());
  // Old exporters wrote batch and channels too.
  if (static_cast<int64_t>(outputShape.size()) == spatialRank + 2)
    outputShape.erase(outputShape.begin(), outputShape.begin() + 2);
  if (!outputShape.empty() && static_cast<int64_t>(outputShape.size()) != spatialRank)
    return wrong("output_shape", outputShape.size());
  if (b.failed())
    return {};
  // Where the size of the result is given, it says the pads.
  Value outputSize = outputShape.empty() ? Value() : b.ints(outputShape);
  SmallVector<int64_t> cut = outputSize ? SmallVector<int64_t>(2 * spatialRank, 0)
                                        : SmallVector<int64_t>(window.pads);
  bool isEnlarged = llvm::any_of(cut, [](int64_t pad) { return pad < 0; });
  SmallVector<int64_t> low(2, 0), high(2, 0);
  for (auto [i, pad] : llvm::enumerate(cut)) {
    (i < static_cast<size_t>(spatialRank) ? low : high)
        .push_back(std::max<int64_t>(-pad, 0));
    pad = std::max<int64_t>(pad, 0);
  }
  Value result = b.make<hx::ConvTransposeOp>(
      HxBuilder::elementType(x), x, weights, isEnlarged ? Value() : bias, outputSize,
      b.intAttr("group", 1), outputPadding, window.strides, cut, window.dilations,
      window.padPolicy, hx::Layout::nchw);
  if (!isEnlarged || b.failed())
    return result;
  // No tap reaches what negative pads add: nothing but the bias is there.
  result = b.pad(hx::PadMode::constant, result, b.ints(low), b.ints(high),
                 b.scalarLike(result, 0));
  return bias ? b.add(result, perChannel(b, bias, HxBuilder::rank(x))) : result;
}

static Value integerConv(OpBinder &b, Value x, Value weights, Value inputZero,
                         Value weightsZero) {
  int64_t spatialRank = spatialRankOf(b, x);
  if (b.failed())
    return {};
  WindowAttributes window = readWindow(b, spatialRank);
  checkKernel(b, window, weights);
  x = cropped(b, x, window.pads);
  return b.make<hx::ConvIntegerOp>(
      b.builder.getI32Type(), x, weights, inputZero, weightsZero, b.intAttr("group", 1),
      window.strides, window.pads, window.dilations, window.padPolicy, hx::Layout::nchw);
}

/// The zero points at inputs `ofInput` and `ofWeights`, where they are given.
static Value integerConvWith(OpBinder &b, Value x, Value weights, unsigned ofInput,
                             unsigned ofWeights) {
  Value inputZero = b.has(ofInput) ? b.shape.toScalar(b.input(ofInput)) : Value();
  Value weightsZero = b.input(ofWeights);
  if (weightsZero && !b.failed())
    weightsZero = perRow(b, weightsZero, b.dims(weights)[0]);
  return integerConv(b, x, weights, inputZero, weightsZero);
}

Value quantizedConvolution(OpBinder &b, Value x) {
  Value product = integerConvWith(b, x, b.input(3), 2, 5);
  int64_t rank = HxBuilder::rank(x);
  if (b.has(8))
    product = b.add(product, perChannel(b, b.input(8), rank));
  Value scale = b.mul(b.shape.toScalar(b.input(1)), perChannel(b, b.input(4), rank));
  scale = b.div(scale, b.shape.toScalar(b.input(6)));
  return requantized(b, product, scale);
}

namespace {

void importConv(OpBinder &b) {
  b.result(0, convolution(b, b.input(0), b.input(1), b.input(2)));
}

void importConvTranspose(OpBinder &b) {
  int64_t spatialRank = spatialRankOf(b, b.input(0));
  if (!b.failed())
    b.result(0, transposedConvolution(b, b.input(0), b.input(1), b.input(2),
                                      readWindow(b, spatialRank)));
}

void importConvInteger(OpBinder &b) {
  b.result(0, integerConvWith(b, b.input(0), b.input(1), 2, 3));
}

void importQLinearConv(OpBinder &b) { b.result(0, quantizedConvolution(b, b.input(0))); }

} // namespace

void registerConvOps(OpTable &table) {
  table.add("", {
                    {"Conv", 1, 2, 3, importConv},
                    {"ConvTranspose", 1, 2, 3, importConvTranspose},
                    {"ConvInteger", 10, 2, 4, importConvInteger},
                    {"QLinearConv", 10, 8, 9, importQLinearConv},
                });
}

} // namespace hexin::onnx
