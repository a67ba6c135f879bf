//===- Cost.cpp - measured rules -------------------------------------------------===//
//
// Times relative to direct sums at the machine's peak, one thread of a Zen 5 (32 MiB of
// third-level cache), AVX-512 / AVX2 (compiler/codegen/README.md has the table). F(4,3)
// has a quarter of the multiplications, F(2,3) 4/9 of them. What takes it back:
//
//   transforms    cost as much as 16 to 32 channels of products each way
//   tiles         a 7x7 image has 2x2 tiles of 4x4: 64 results for 49
//   weights       are 4 (F(2,3): 1.8) times as large. Each block of tiles reads all of
//                 them, so that beyond the caches few tiles leave nothing to win.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/schedules/winograd/Cost.h"

using namespace mlir;

namespace hexin::codegen::winograd {
namespace {

/// A vector of channels on every arch, and a panel that is not padded much.
constexpr int64_t minChannels = 16;
/// Transformed weights that stay in the last cache from one block of tiles to the next.
constexpr int64_t maxWeightBytes = int64_t(32) << 20;
/// Those of F(2,3) that may come from memory for few tiles: it saves little.
constexpr int64_t maxWeightBytesOfF2 = int64_t(8) << 20;
/// Rows of a product, of which register tiles are filled; and those that weights from
/// memory take to be worth reading.
constexpr int64_t minTiles = 12, minTilesPastCaches = 40;

int64_t weightBytes(int64_t tile, RankedTensorType weights) {
  return weights.getDimSize(0) * weights.getDimSize(1) * (tile + 2) * (tile + 2) * 4;
}

} // namespace

hx::Dim tilesOf(hx::ConvOp op, int64_t tile, hx::SymbolicShapes &shapes) {
  hx::SymbolTable &symbols = shapes.symbols();
  hx::Dims dims = shapes.dims(op.getResult());
  hx::Dim size = symbols.constant(tile);
  return symbols.product(
      {dims[0], symbols.ceilDiv(dims[1], size), symbols.ceilDiv(dims[2], size)});
}

Choice choose(hx::ConvOp op, hx::SymbolicShapes &shapes) {
  Choice choice;
  auto weights = cast<RankedTensorType>(op.getWeights().getType());
  int64_t inputs = weights.getDimSize(1);
  int64_t outputs = weights.getDimSize(0) / static_cast<int64_t>(op.getGroups());
  if (inputs < minChannels || outputs < minChannels) {
    choice.reason = std::to_string(inputs) + " to " + std::to_string(outputs) +
                    " channels are fewer than " + std::to_string(minChannels);
    return choice;
  }
  hx::SymbolTable &symbols = shapes.symbols();
  for (int64_t tile : {4, 2}) {
    int64_t bytes = weightBytes(tile, weights);
    bool fits = bytes <= maxWeightBytes;
    bool isNear = tile == 2 ? bytes <= maxWeightBytesOfF2 : fits;
    int64_t fewest = isNear ? minTiles : minTilesPastCaches;
    hx::Dim tiles = tilesOf(op, tile, shapes);
    if (symbols.upperBound(tiles) < fewest || (!fits && tile == 2)) {
      choice.reason = fits ? "there are fewer than " + std::to_string(fewest) + " tiles"
                           : "the transformed weights do not fit into caches";
      continue;
    }
    choice.tile = tile;
    if (symbols.lowerBound(tiles) < fewest)
      choice.guard = symbols.lt(symbols.constant(fewest - 1), tiles);
    choice.reason.clear();
    break;
  }
  return choice;
}

} // namespace hexin::codegen::winograd
