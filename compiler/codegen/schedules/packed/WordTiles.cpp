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
  Value rowLength = rowsLieReady
                        ? k.value(problem.conv ? problem.channels : problem.depth)
                        : wordsOfRow;
  Value pitch = k.mul(rowLength, k.index(rowsLieReady ? wordBytes / steps : wordBytes));
  Value base = rowsLieReady ? item.rowAt(row).base
                            : k.add(rowsAt, k.mul(k.sub(row, firstRow), wordsOfRow));
  Value rowsApart = k.mul(rowLength, k.index(tileRows));
  Value rightMemory = panelLiesReady ? item.panelMemory() : memory;
  Value rightBase = panelLiesReady ? item.panelBase : k.index(0);
  Value perRightWord = k.index(panelLiesReady ? steps : 1);
  forDepth(tileRows, {}, [&](Value word, Value inRow, ValueRange) {
    Value row = k.add(base, k.mul(inRow, perWord));
    Value column = k.mul(word, k.index(problem.width));
    // Each is loaded when it is multiplied: loads then go on beside products.
    for (unsigned c = 0; c < across; ++c) {
      Value at = k.add(column, k.index(c * tileRows));
      loadTile(k, right + c, rightMemory, k.add(rightBase, k.mul(at, perRightWord)),
               memoryPitch);
      for (unsigned r = 0; r < down; ++r) {
        if (c == 0)
          loadTile(k, left + r, leftMemory, r == 0 ? row : k.add(row, rowsApart), pitch);
        addTileProduct(k, sums(r, c), left + r, right + c, problem.isBfloat);
      }
    }
    return Accumulators();
  });
  forEachTile([&](unsigned r, unsigned c) {
    storeTile(k, sums(r, c), buffer, k.index(r * tileRows * problem.width + c * tileRows),
              memoryPitch);
  });
}

} // namespace hexin::codegen::packed
