//===- OneDnnCost.cpp - measured rules -------------------------------------------===//
//
// Times of oneDNN 3.2 relative to ours (< 1: oneDNN is faster), one thread of a Zen 5,
// AVX-512 / AVX2, the two run in turn; two threads give the same picture.
//
//   3x3, 16 to 512 channels, 7x7 to 112x112     0.95-1.0 / 0.8-1.05
//   5x5, the same; 24 to 16 channels            0.9-0.95; 0.8 / 0.95-1.0
//   3x3 stride 2; 4x4 results                   0.95-1.0; 1.0-1.25 / 0.9-1.05
//   3x3 and 7x7 stride 2 over 3 channels        1.0-1.25 / 0.95-1.0
//   1x3, 3x1; over one line                     0.77-1.2; 1.0-5
//   1x1                                         1.0-1.6
//   3x3 of 2, 8 groups                          1.05 / 1.1
//   3x3 of 4; 8; 16; 32 channels a group        0.55; 0.65; 0.75; 1.1 / 5; 1.3; 1.2; 1.1
//   depthwise, 3x3 and 5x5, stride 1 and 2      0.95-1.5 / 1.0-1.6
//   convolutions we write element by element    0.02-0.12 (3-D), 0.01-0.15 (transposed)
//   average pooling, 100k results: 3x3; 7x7     0.45-0.7; 0.3 / 0.65-0.9
//   the same, 2x2 and 3x3 by 2, 5x5 by 3        0.95-1.5
//   product of 1 row; 4; 16 and more            1.1; 1.1; 1.0 / 0.75; 2; 1.0-1.6
//   product of 4 rows, how many unknown when compiling    0.35 / 0.6
//
// A primitive costs about 3 us a run: small problems stay ours. So do those where the
// gain is in the noise, as every library command makes new plans slower, and a plan's
// first one loads the library.
//
//===----------------------------------------------------------------------===//
#include "backends/cpu/compiler/OneDnnCost.h"

#include "llvm/ADT/STLExtras.h"
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

FasterWhere conv(hx::ConvOp op, bool hasRelu, hx::SymbolicShapes &shapes) {
  auto weights = cast<RankedTensorType>(op.getWeights().getType());
  if (!isPacked(op.getWeights()))
    return everywhere;                         // element by element
  ArrayRef<int64_t> dims = weights.getShape(); // [M, C/g, kh, kw]
  constexpr int64_t minDepthForRelu = 400;     // what relu costs is lost in longer sums
  if (hasRelu && dims[1] * dims[2] * dims[3] < minDepthForRelu)
    return nowhere;
  bool isPlane = dims[2] > 1 && dims[3] > 1;
  // Panels of 16 columns are mostly empty there.
  bool hasSmallGroups = op.getGroups() > 2 && dims[1] > 1 && dims[1] <= 16;
  if (!isPlane || !hasSmallGroups)
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
  hx::Dim rows = pixels(op.getResult(), shapes);
  if (hx::SymbolTable::constantValue(rows))
    return nowhere; // tiles of as many rows
  return within(rows, 2, 7, shapes.symbols());
}

FasterWhere pool(hx::PoolOp op, hx::SymbolicShapes &shapes) {
  // How many windows an element is in: few, and both only wait for memory.
  constexpr double minWindows = 4;
  double windows = 1;
  for (auto [size, step] : llvm::zip_equal(op.getWindow(), op.getStrides()))
    windows *= double(size) / double(step);
  if (windows < minWindows)
    return nowhere;
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
