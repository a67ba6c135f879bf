//===- ConvSums.cpp - the sums of a convolution's tile ----------------------===//
//
// Channels lie last, so the taps of one kernel row and their channels are one
// contiguous run of the input, and of the panel too:
//
//   3 x 3 taps, C channels:  3 runs of 3 * C instead of 9 of C
//
// A tile whose taps in that row all lie inside takes the run; one at a border goes tap
// by tap. What lies outside it reads as zeros: from memory that holds them, where a load
// may choose its memory (so that both kinds of tiles share one loop without conditions
// inside, whose sums stay in registers), else each row of the tile is masked by itself.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/packed/Sums.h"

#include "compiler/codegen/elements/WindowLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen::packed {

Value isInside(KernelBuilder &k, Value at, Value size) {
  return arith::CmpIOp::create(k.builder(), k.loc(), arith::CmpIPredicate::ult, at, size);
}

Value allOf(KernelBuilder &k, ArrayRef<Value> conditions) {
  Value result = conditions[0];
  for (Value condition : conditions.drop_front())
    result = arith::AndIOp::create(k.builder(), k.loc(), result, condition);
  return result;
}

Value rowPitchOf(const Item &item) {
  return item.k.mul(item.k.value(item.problem.inSizes[2]),
                    item.k.value(item.problem.channels));
}

Image::Image(const Item &item, ArrayRef<Row> tile) {
  KernelBuilder &k = item.k;
  const Problem &problem = item.problem;
  height = k.value(problem.inSizes[1]);
  width = k.value(problem.inSizes[2]);
  rowPitch = rowPitchOf(item);
  if (!problem.hasPads)
    return;
  int64_t lastTap = (problem.taps[1] - 1) * problem.conv->dilations[1];
  SmallVector<Value> conditions;
  for (const Row &row : tile) {
    conditions.push_back(isInside(k, row.x, width));
    conditions.push_back(isInside(k, k.add(row.x, k.index(lastTap)), width));
  }
  xInside = allOf(k, conditions);
}

namespace {

/// The taps of one row of the kernel.
struct KernelRow {
  KernelRow(const Item &item, ArrayRef<Row> tile, const Image &image, Value position,
            Value ky);

  /// Every tap lies inside.
  Accumulators sum(ValueRange init, Vectors vectors) const;
  /// Tap by tap; `yInside`, where given, masks the tile's rows.
  Accumulators sumPerTap(ArrayRef<Value> yInside, ValueRange init, Vectors vectors) const;

  const Item &item;
  ArrayRef<Row> tile;
  const Image &image;
  Value dy;                 ///< input rows from tap row 0
  SmallVector<Value> bases; ///< of the tile's rows, in the lhs
  Value panelRow;           ///< position in the rhs
};

KernelRow::KernelRow(const Item &item, ArrayRef<Row> tile, const Image &image,
                     Value position, Value ky)
    : item(item), tile(tile), image(image) {
  KernelBuilder &k = item.k;
  const Problem &problem = item.problem;
  dy = k.mul(ky, k.index(problem.conv->dilations[0]));
  Value rowOffset = k.mul(dy, image.rowPitch);
  Value tapRow = k.mul(k.mul(ky, k.index(problem.taps[1])),
                       k.mul(k.value(problem.depth), k.index(problem.width)));
  panelRow = k.add(position, tapRow);
  for (const Row &row : tile)
    bases.push_back(k.add(row.base, rowOffset));
}

Accumulators KernelRow::sum(ValueRange init, Vectors vectors) const {
  KernelBuilder &k = item.k;
  const Problem &problem = item.problem;
  bool isContiguous = problem.conv->dilations[1] == 1 && problem.conv->groups == 1;
  if (!isContiguous)
    return sumPerTap({}, init, vectors);
  Value length = k.mul(k.index(problem.taps[1]), k.value(problem.depth));
  return sumRun(item, {bases, {}, {}}, length, panelRow, init, vectors);
}

Accumulators KernelRow::sumPerTap(ArrayRef<Value> yInside, ValueRange init,
                                  Vectors vectors) const {
  KernelBuilder &k = item.k;
  OpBuilder &b = k.builder();
  const Problem &problem = item.problem;
  Value numTaps = k.index(problem.taps[1]);
  return k.forLoop(k.index(0), numTaps, k.index(1), init, [&](Value kx, ValueRange acc) {
    Value dx = k.mul(kx, k.index(problem.conv->dilations[1]));
    Value offset = k.mul(dx, k.value(problem.channels));
    SmallVector<Value> tapBases, inside;
    for (auto [row, base] : llvm::zip(tile, bases)) {
      Value at = k.add(base, offset);
      if (!yInside.empty()) {
        Value isTapInside =
            arith::AndIOp::create(b, k.loc(), yInside[inside.size()],
                                  isInside(k, k.add(row.x, dx), image.width));
        inside.push_back(isTapInside);
        at = arith::SelectOp::create(b, k.loc(), isTapInside, at, k.index(0));
      }
      tapBases.push_back(at);
    }
    Value tapPosition =
        k.add(panelRow, k.mul(kx, k.mul(k.value(problem.depth), k.index(problem.width))));
    return sumRun(item, {tapBases, inside, {}}, k.value(problem.depth), tapPosition, acc,
                  vectors);
  });
}

/// Kernel rows in which any of the tile's windows lies inside of the image.
IndexRange kernelRowsInside(const Item &item, ArrayRef<Row> tile, const Image &image) {
  KernelBuilder &k = item.k;
  Value first = tile[0].y, last = tile[0].y;
  for (const Row &row : tile.drop_front()) {
    first = k.min(first, row.y);
    last = k.max(last, row.y);
  }
  Value dilation = k.index(item.problem.conv->dilations[0]);
  auto steps = [&](Value distance) { // how many kernel rows span it
    Value rounded = k.add(k.max(distance, k.index(0)), k.sub(dilation, k.index(1)));
    return k.div(rounded, dilation);
  };
  return {steps(k.sub(k.index(0), last)),
          k.min(k.index(item.problem.taps[0]), steps(k.sub(image.height, first)))};
}

/// The same for every tile: each kernel row is one run where all lies inside, else one
/// for each tap, for which rows outside read item.zeroChannels.
Accumulators sumWithZeros(const Item &item, ArrayRef<Row> tile, const Image &image,
                          Value position, ValueRange init, Vectors vectors) {
  KernelBuilder &k = item.k;
  OpBuilder &b = k.builder();
  const Problem &problem = item.problem;
  Location loc = k.loc();
  Value numTaps = k.index(problem.taps[1]), depth = k.value(problem.depth);
  bool isContiguous = problem.conv->dilations[1] == 1 && problem.conv->groups == 1;
  IndexRange range = kernelRowsInside(item, tile, image);
  auto sumRow = [&](Value ky, ValueRange acc) {
    KernelRow row(item, tile, image, position, ky);
    SmallVector<Value> yInside, conditions{image.xInside};
    for (const Row &pixel : tile)
      yInside.push_back(isInside(k, k.add(pixel.y, row.dy), image.height));
    llvm::append_range(conditions, yInside);
    Value numRuns = numTaps, length = depth;
    if (isContiguous) {
      Value all = allOf(k, conditions);
      numRuns = arith::SelectOp::create(b, loc, all, k.index(1), numTaps);
      length = arith::SelectOp::create(b, loc, all, k.mul(numTaps, depth), depth);
    }
    auto sumOne = [&](Value kx, ValueRange inner) {
      Value dx = k.mul(kx, k.index(problem.conv->dilations[1]));
      Value offset = k.mul(dx, k.value(problem.channels));
      RunRows rows;
      for (auto [pixel, base, isRowInside] : llvm::zip(tile, row.bases, yInside)) {
        Value inside = arith::AndIOp::create(
            b, loc, isRowInside, isInside(k, k.add(pixel.x, dx), image.width));
        rows.bases.push_back(
            arith::SelectOp::create(b, loc, inside, k.add(base, offset), k.index(0)));
        rows.memory.push_back(
            arith::SelectOp::create(b, loc, inside, item.lhsMemory(), item.zeroChannels));
      }
      Value run = k.mul(kx, k.mul(depth, k.index(problem.width)));
      return sumRun(item, rows, length, k.add(row.panelRow, run), inner, vectors);
    };
    return k.forLoop(k.index(0), numRuns, k.index(1), acc, sumOne);
  };
  return k.forLoop(range.lower, range.upper, k.index(1), init, sumRow);
}

} // namespace

Accumulators sumConv(const Item &item, ArrayRef<Row> tile, const Image &image,
                     Value position, ValueRange init, Vectors vectors) {
  KernelBuilder &k = item.k;
  const Problem &problem = item.problem;
  if (item.zeroChannels)
    return sumWithZeros(item, tile, image, position, init, vectors);
  Value numTaps = k.index(problem.taps[0]);
  return k.forLoop(k.index(0), numTaps, k.index(1), init, [&](Value ky, ValueRange acc) {
    KernelRow row(item, tile, image, position, ky);
    if (!problem.hasPads)
      return row.sum(acc, vectors);
    SmallVector<Value> yInside, conditions{image.xInside};
    for (const Row &pixel : tile)
      yInside.push_back(isInside(k, k.add(pixel.y, row.dy), image.height));
    llvm::append_range(conditions, yInside);
    return k.ifElse(
        allOf(k, conditions), acc.getTypes(), [&] { return row.sum(acc, vectors); },
        [&] { return row.sumPerTap(yInside, acc, vectors); });
  });
}

} // namespace hexin::codegen::packed
