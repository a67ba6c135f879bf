//===- DepthwiseSums.cpp - the sums of a depthwise convolution's tile -------===//
//
// Each output channel reads its own input channel: the lanes of input and panel are
// multiplied one by one, and the depth is the taps alone. A tile at a border goes pixel
// by pixel, each over just the taps that lie inside.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/packed/Sums.h"

#include "compiler/codegen/elements/WindowLoops.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen::packed {

Accumulators sumTap(const Item &item, ArrayRef<Value> bases, Value position,
                    ValueRange init, Vectors vectors, Value channel) {
  KernelBuilder &k = item.k;
  SmallVector<Value> panel;
  for (unsigned v = 0; v < vectors.perRow; ++v)
    panel.push_back(
        item.loadPanel(k.add(position, k.index(v * vectors.lanes)), vectors.lanes));
  Accumulators next;
  for (size_t r = 0; r < bases.size(); ++r)
    for (unsigned v = 0; v < vectors.perRow; ++v) {
      Value at = k.add(bases[r], k.add(channel, k.index(v * vectors.lanes)));
      Value x = item.loadLhs(at, vectors.lanes);
      next.push_back(math::FmaOp::create(k.builder(), k.loc(), x, panel[v],
                                         init[r * vectors.perRow + v]));
    }
  return next;
}

namespace {

struct TapRanges {
  IndexRange y, x;
};

/// Taps in [0, count) with 0 <= start + tap * dilation < size.
IndexRange insideTaps(KernelBuilder &k, Value start, Value size, int64_t count,
                      int64_t dilation) {
  Value d = k.index(dilation), round = k.index(dilation - 1);
  Value before = k.max(k.index(0), k.sub(k.index(0), start));
  Value room = k.max(k.index(0), k.sub(size, start));
  Value lower = k.div(k.add(before, round), d);
  return {lower, k.min(k.index(count), k.div(k.add(room, round), d))};
}

TapRanges allTaps(const Item &item) {
  KernelBuilder &k = item.k;
  Value numY = k.index(item.problem.taps[0]), numX = k.index(item.problem.taps[1]);
  return {{k.index(0), numY}, {k.index(0), numX}};
}

TapRanges insideTapsOf(const Item &item, const Row &row) {
  KernelBuilder &k = item.k;
  const Problem &p = item.problem;
  ArrayRef<int64_t> dilations = p.conv->dilations;
  IndexRange y = insideTaps(k, row.y, k.value(p.inSizes[1]), p.taps[0], dilations[0]);
  return {y, insideTaps(k, row.x, k.value(p.inSizes[2]), p.taps[1], dilations[1])};
}

Accumulators sumTaps(const Item &item, ArrayRef<Value> bases, TapRanges ranges,
                     Value position, ValueRange init, Vectors vectors, Value channel) {
  KernelBuilder &k = item.k;
  const Problem &p = item.problem;
  ArrayRef<int64_t> dilations = p.conv->dilations;
  Value rowPitch = rowPitchOf(item);
  auto sumRow = [&](Value ky, ValueRange acc) {
    Value rowOffset = k.mul(k.mul(ky, k.index(dilations[0])), rowPitch);
    Value firstTap = k.mul(ky, k.index(p.taps[1]));
    auto sumOne = [&](Value kx, ValueRange inner) {
      Value offset =
          k.add(rowOffset, k.mul(k.mul(kx, k.index(dilations[1])), k.value(p.channels)));
      SmallVector<Value> tapBases;
      for (Value base : bases)
        tapBases.push_back(k.add(base, offset));
      Value at = k.add(position, k.mul(k.add(firstTap, kx), k.index(p.width)));
      return sumTap(item, tapBases, at, inner, vectors, channel);
    };
    return k.forLoop(ranges.x.lower, ranges.x.upper, k.index(1), acc, sumOne);
  };
  return k.forLoop(ranges.y.lower, ranges.y.upper, k.index(1), init, sumRow);
}

} // namespace

Accumulators sumPixel(const Item &item, const Row &row, Vectors vectors,
                      Value columnInPanel) {
  KernelBuilder &k = item.k;
  const Problem &p = item.problem;
  Accumulators zeros(vectors.perRow, k.floatConstant(0, p.accType, vectors.lanes));
  Value position = k.add(item.panelBase, columnInPanel);
  Value channel = k.add(item.firstColumn, columnInPanel);
  if (p.isPointwise)
    return sumTap(item, {row.base}, position, zeros, vectors, channel);
  return sumTaps(item, {row.base}, p.hasPads ? insideTapsOf(item, row) : allTaps(item),
                 position, zeros, vectors, channel);
}

Accumulators sumDepthwise(const Item &item, ArrayRef<Row> tile, const Image &image,
                          Value position, ValueRange init, Vectors vectors,
                          Value columnInPanel) {
  KernelBuilder &k = item.k;
  const Problem &p = item.problem;
  SmallVector<Value> bases;
  for (const Row &row : tile)
    bases.push_back(row.base);
  Value channel;
  auto sumInside = [&] {
    return sumTaps(item, bases, allTaps(item), position, init, vectors, channel);
  };
  if (!p.hasPads) {
    channel = k.add(item.firstColumn, columnInPanel);
    return sumInside();
  }
  int64_t lastTap = (p.taps[0] - 1) * p.conv->dilations[0];
  SmallVector<Value> conditions{image.xInside};
  for (const Row &row : tile) {
    conditions.push_back(isInside(k, row.y, image.height));
    conditions.push_back(isInside(k, k.add(row.y, k.index(lastTap)), image.height));
  }
  channel = k.add(item.firstColumn, columnInPanel);
  // At a border: pixel by pixel, by a loop; borders are rare and this code is long.
  return k.ifElse(allOf(k, conditions), init.getTypes(), sumInside, [&] {
    unsigned perPixel = vectors.perRow * vectors.lanes;
    Value buffer = k.scratch(tile.size() * perPixel, p.accType);
    Value firstRow = tile[0].flat;
    k.forLoop(k.index(0), k.index(tile.size()), k.index(1), {}, [&](Value r, ValueRange) {
      Row row = item.rowAt(k.add(firstRow, r));
      Accumulators sums = sumPixel(item, row, vectors, columnInPanel);
      for (auto [v, value] : llvm::enumerate(sums))
        storeScratch(k, buffer,
                     k.add(k.mul(r, k.index(perPixel)), k.index(v * vectors.lanes)),
                     value);
      return SmallVector<Value>();
    });
    Accumulators result;
    for (size_t i = 0; i < init.size(); ++i)
      result.push_back(loadScratch(k, buffer, k.index(i * vectors.lanes), vectors.lanes));
    return result;
  });
}

} // namespace hexin::codegen::packed
