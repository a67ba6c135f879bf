//===- WordTiles.cpp - sums of 32 rows at a time, by registers of tiles ---------------===//
//
//   registers   0 1   sums        4   left, rows 0 .. 15      6 7   right, columns 0 ..
//   31
//               2 3               5         rows 16 .. 31
//
// Sums begin with the terms of their columns, one row of them read for all 16.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/ByteTiles.h"
#include "compiler/codegen/schedules/packed/Words.h"

using namespace mlir;

namespace hexin::codegen::packed {

bool Words::hasTiles() const {
  return areTiles && !rightZeroMatters && problem.width >= tileRows;
}

void Words::sumTiles(Value row, Value buffer) const {
  constexpr unsigned left = 4, right = 6, down = tiledRows / tileRows;
  constexpr int64_t wordBytes = 4;
  unsigned across = problem.width / tileRows;
  Value memoryPitch = k.index(problem.width * wordBytes);
  auto sums = [](unsigned r, unsigned c) { return 2 * r + c; };
  auto forEachTile = [&](function_ref<void(unsigned r, unsigned c)> body) {
    for (unsigned r = 0; r < down; ++r)
      for (unsigned c = 0; c < across; ++c)
        body(r, c);
  };
  forEachTile([&](unsigned r, unsigned c) {
    if (leftZero)
      loadTile(k, sums(r, c), memory, k.add(termsAt, k.index(c * tileRows)), k.index(0));
    else
      zeroTile(k, sums(r, c));
  });
  // Where rows lie: numbers of the left matrix, or words of the workspace.
  Value leftMemory = rowsLieReady ? item.lhsMemory() : memory;
  Value perWord = k.index(rowsLieReady ? steps : 1);
  Value rowLength =
      rowsLieReady ? k.value(problem.conv ? problem.channels : problem.depth) : count;
  Value pitch = k.mul(rowLength, k.index(rowsLieReady ? wordBytes / steps : wordBytes));
  Value base = rowsLieReady ? item.rowAt(row).base
                            : k.add(rowsAt, k.mul(k.sub(row, firstRow), count));
  Value rowsApart = k.mul(rowLength, k.index(tileRows));
  Value rightMemory = panelLiesReady ? item.panelMemory() : memory;
  Value rightBase = panelLiesReady ? item.panelBase : k.index(0);
  Value perRightWord = k.index(panelLiesReady ? steps : 1);
  k.forLoop(k.index(0), count, k.index(tileRows), {}, [&](Value word, ValueRange) {
    Value at = k.add(base, k.mul(word, perWord));
    for (unsigned r = 0; r < down; ++r) {
      loadTile(k, left + r, leftMemory, at, pitch);
      at = k.add(at, rowsApart);
    }
    for (unsigned c = 0; c < across; ++c) {
      Value column = k.add(k.mul(word, k.index(problem.width)), k.index(c * tileRows));
      loadTile(k, right + c, rightMemory, k.add(rightBase, k.mul(column, perRightWord)),
               memoryPitch);
    }
    forEachTile([&](unsigned r, unsigned c) {
      addTileProduct(k, sums(r, c), left + r, right + c, problem.isBfloat);
    });
    return SmallVector<Value>();
  });
  forEachTile([&](unsigned r, unsigned c) {
    storeTile(k, sums(r, c), buffer, k.index(r * tileRows * problem.width + c * tileRows),
              memoryPitch);
  });
}

} // namespace hexin::codegen::packed
