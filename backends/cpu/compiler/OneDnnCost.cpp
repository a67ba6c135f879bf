//===- OneDnnCost.cpp - measured rules -------------------------------------------===//
//
// Times of oneDNN 3.2 relative to ours (< 1: oneDNN is faster), one thread of a Zen 5,
// AVX-512 / AVX2, the two run in turn; two threads give the same picture.
//
//   3x3, 16 to 512 channels, 7x7 to 112x112     0.65-0.95 / 0.25-0.6
//   5x5, the same                               0.55-0.85
//   3x3 stride 2 with 4x4 results               1.0-1.25
//   1x3, 3x1; over one line                     0.77-1.2; 1.0-5
//   1x1                                         1.0-1.6 (0.95 at 2048 channels)
//   3x3 of 2 groups; 4, 8; 32                   0.7; 0.5-2.9; 0.4
//   depthwise, channels no multiple of 32, 16k results and more   0.55-0.9
//   depthwise, stride 2, 32k results and more   0.5-0.75
//   depthwise, 64 channels and more, 100k; 50k  0.6-0.95; 0.9-1.3
//   convolutions we write element by element    0.02-0.12 (3-D), 0.01-0.15 (transposed)
//   average pooling, 100k results               0.45-0.7 / 0.65-0.9
//   product of 1 row; 4; 16 and more            1.1; 0.7; 1.0 / 1.1; 0.8-1.0; 0.4-2.3
//
// A primitive costs about 3 us a run: small problems stay ours. So do those where the
// gain is in the noise, as every library command makes new plans slower.
//
//===----------------------------------------------------------------------===//
#include "backends/cpu/compiler/OneDnnCost.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;

namespace hexin::cpu {
namespace {

using mlir::Value; // not hexin::Value, a model's input or output

constexpr FasterWhere nowhere{.isNever = true, .guard = {}};
constexpr FasterWhere everywhere{};

/// Where `size` is in [lower, upper].
FasterWhere within(hx::Dim size, int64_t lower, int64_t upper, hx::SymbolTable &symbols) {
  if (symbols.upperBound(size) < lower || symbols.lowerBound(size) > upper)
    return nowhere;
  hx::Dim guard;
  if (symbols.lowerBound(size) < lower)
    guard = symbols.lt(symbols.constant(lower - 1), size);
  if (symbols.upperBound(size) > upper) {
    hx::Dim below = symbols.lt(size, symbols.constant(upper + 1));
    guard = guard ? symbols.mul(guard, below) : below;
  }
  return {.isNever = false, .guard = guard};
}

FasterWhere atLeast(hx::Dim size, int64_t lower, hx::SymbolTable &symbols) {
  return within(size, lower, INT64_MAX, symbols);
}

bool isPacked(Value weights) {
  return cast<RankedTensorType>(weights.getType()).getEncoding() != nullptr;
}

/// Results that share a channel: batch x result pixels, channels last.
hx::Dim pixels(Value result, hx::SymbolicShapes &shapes) {
  hx::Dims dims = shapes.dims(result);
  return shapes.symbols().product(ArrayRef(dims).drop_back());
}

FasterWhere depthwise(hx::ConvOp op, int64_t channels, hx::SymbolicShapes &shapes) {
  bool hasPartialPanel = channels > 16 && channels % 32 != 0;
  bool hasStride = llvm::any_of(op.getStrides(), [](int64_t s) { return s > 1; });
  int64_t results;
  if (hasPartialPanel)
    results = 16'384;
  else if (hasStride)
    results = 32'768;
  else if (channels >= 64)
    results = 100'000;
  else
    return nowhere;
  return atLeast(pixels(op.getResult(), shapes), llvm::divideCeil(results, channels),
                 shapes.symbols());
}

FasterWhere conv(hx::ConvOp op, bool hasRelu, hx::SymbolicShapes &shapes) {
  auto weights = cast<RankedTensorType>(op.getWeights().getType());
  if (!isPacked(op.getWeights()))
    return everywhere;                         // element by element
  ArrayRef<int64_t> dims = weights.getShape(); // [M, C/g, kh, kw]
  constexpr int64_t minDepthForRelu = 400;     // what relu costs is lost in longer sums
  if (hasRelu && dims[1] * dims[2] * dims[3] < minDepthForRelu)
    return nowhere;
  int64_t groups = op.getGroups();
  if (groups > 1 && dims[1] == 1 && dims[0] == groups)
    return depthwise(op, groups, shapes);
  bool isPlane = dims[2] > 1 && dims[3] > 1;
  bool isGroupedWell = groups <= 2 || dims[1] <= 16;
  if (!isPlane || !isGroupedWell)
    return nowhere;
  constexpr int64_t minPixels = 48, minProducts = int64_t(1) << 20;
  int64_t perPixel = weights.getNumElements();
  return atLeast(pixels(op.getResult(), shapes),
                 std::max<int64_t>(minPixels, llvm::divideCeil(minProducts, perPixel)),
                 shapes.symbols());
}

FasterWhere matmul(hx::MatMulOp op, hx::SymbolicShapes &shapes) {
  auto rhs = cast<RankedTensorType>(op.getRhs().getType());
  constexpr int64_t minElements = int64_t(1) << 20;
  if (!rhs.hasStaticShape() || rhs.getRank() != 2 || rhs.getNumElements() < minElements)
    return nowhere;
  return within(pixels(op.getResult(), shapes), 2, 7, shapes.symbols());
}

FasterWhere pool(hx::PoolOp op, hx::SymbolicShapes &shapes) {
  return atLeast(shapes.numElements(op.getResult()), 100'000, shapes.symbols());
}

} // namespace

FasterWhere whereOneDnnIsFaster(Operation *op, bool hasRelu, hx::SymbolicShapes &shapes) {
  if (auto typed = dyn_cast<hx::ConvOp>(op))
    return conv(typed, hasRelu, shapes);
  if (auto typed = dyn_cast<hx::MatMulOp>(op))
    return matmul(typed, shapes);
  if (auto typed = dyn_cast<hx::PoolOp>(op))
    return pool(typed, shapes);
  return everywhere; // conv_transpose: element by element
}

} // namespace hexin::cpu
