//===- Words.h - products of 8-bit integers or bf16, several steps to a word ----------===//
//
// Where the target multiplies words (WordDots.h), an item first writes its operands as
// words of 2 or 4 steps of the depth into its workspace:
//
//   panel  [G, width]   G = ceil(depth / steps), for tiles a multiple of 16; steps
//                       beyond the depth are 0
//   terms  [width]      quads only, see below
//   rows   [rows, G]    of the left matrix, or the windows of a convolution's pixels, or
//                       one row of their taps (sharesTapRows)
//
// Pairs are there without their zero points. Quads are as they come, but for the left
// side being unsigned and the right signed: numbers that are not change by 128, and their
// zero points with them. With zero points a of the left and w of the right
//
//   sum (x - a)(y - w) = sum x y - a sum y - w (sum x - K a)
//
// where -a sum y are the terms, with which sums begin; the rest is added only where w may
// not be 0. Rows that are words already are read where they lie, and so are panels that
// the artifact has as words (runtime/base/Packing.h). Items of one panel come one after
// the other and share it; where rows are all that is written, those of a block of rows
// do. Pairs of bf16 have no zero points, and steps of rows
// beyond the depth are 0 too: a product with what happens to lie there might be NaN.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_WORDS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_WORDS_H

#include "compiler/codegen/WordDots.h"
#include "compiler/codegen/schedules/packed/Place.h"

namespace hexin::codegen::packed {

constexpr int64_t tiledRows = 32;

/// Whether the target and the problem are such.
bool hasWords(const Problem &problem, const CodegenTraits &traits);

class Words {
public:
  /// `tileRows`: how many rows of the product a tile has, or fewer.
  Words(ElementEmitter &emitter, const Item &item, const Place &place, unsigned tileRows);

  /// Writes the panel (WordPanel.cpp), where it does not lie ready, and the rows of tiles
  /// that begin before `rowEnd` (WordRows.cpp).
  void writePanel() const;
  void writeRows(mlir::Value rowEnd) const;

  /// Whether products of `tiledRows` rows or more go by tiles (WordTiles.cpp), and the
  /// sums of so many from `row` on, of the whole panel, into `buffer`, [tiledRows,
  /// width].
  bool hasTiles() const;
  void sumTiles(mlir::Value row, mlir::Value buffer) const;

  /// As sumTile (Sums.h) has it, from 0 on.
  Accumulators sum(llvm::ArrayRef<Row> tile, Vectors vectors,
                   mlir::Value columnInPanel) const;

private:
  bool areQuads() const { return steps == numbersPerWord(WordDots::quads); }
  /// Words that a row or column is rounded to.
  int64_t roundedWords() const { return areTiles ? 16 : 1; }
  mlir::Value zeroSum(unsigned lanes) const;
  /// `lanes` words that each are `word`.
  mlir::Value words(int64_t word, unsigned lanes) const;
  void put(mlir::Value at, mlir::Value words) const;
  mlir::Value get(mlir::Value at, unsigned lanes) const;
  /// The panel's words from one on.
  mlir::Value panelAt(mlir::Value word, mlir::Value column, unsigned lanes) const;
  /// Of an operand, as integers of their bits.
  mlir::Value numbersAt(mlir::Value memref, mlir::Value position, unsigned count) const;

  mlir::Value panelNumbers(mlir::Value step, mlir::Value column) const;
  mlir::Value panelWords(mlir::Value word, mlir::Value column, bool isLast) const;
  void writeTerms(mlir::Value column, mlir::Value sums) const;

  void forWords(mlir::Value count,
                llvm::function_ref<void(mlir::Value word, unsigned lanes)> body) const;
  void writeRun(mlir::Value from, mlir::Value length, mlir::Value to) const;
  void forEachTap(int64_t count, llvm::function_ref<void(mlir::Value)> body) const;
  void writeWindow(const Row &row, mlir::Value to) const;
  void writeTapRow(const Row &row, mlir::Value isRow, mlir::Value from,
                   mlir::Value to) const;
  void fill(mlir::Value to, mlir::Value count) const;
  void writeTapRows(mlir::Value rowEnd) const;
  void clearRest(mlir::Value to) const;
  mlir::Value rowWords(mlir::Value position, unsigned lanes) const;
  mlir::Value lastRowWord(mlir::Value from, mlir::Value step, mlir::Value length) const;

  /// body(word of the panel, of a row from where it begins, what is carried) for every
  /// `perRound`th word of the depth.
  Accumulators
  forDepth(int64_t perRound, mlir::ValueRange init,
           llvm::function_ref<Accumulators(mlir::Value, mlir::Value, mlir::ValueRange)>
               body) const;
  mlir::Value rowWord(mlir::Value base, mlir::Value word) const;
  Accumulators addWord(llvm::ArrayRef<mlir::Value> bases, mlir::Value word,
                       mlir::Value inRow, mlir::Value column, mlir::ValueRange acc,
                       Vectors vectors) const;
  void addRightZero(llvm::MutableArrayRef<mlir::Value> acc,
                    llvm::ArrayRef<mlir::Value> rowSums, Vectors vectors) const;

  const Item &item;
  const Problem &problem;
  KernelBuilder &k;
  mlir::OpBuilder &b;
  mlir::Location loc;
  bool areTiles;  ///< that the target multiplies
  unsigned steps; ///< in a word
  unsigned lanes; ///< of the vectors that a panel is written by
  bool leftIsSigned, rightIsSigned;
  bool hasWindows;             ///< rows are pixels' windows
  bool isWhole;                ///< the depth is words for sure
  bool panelLiesReady;         ///< there is none in the workspace
  bool rowsLieReady;           ///< there are none in the workspace
  bool rightZeroMatters;       ///< it may be other than 0
  mlir::Value leftZero;        ///< i32, of the numbers in words; null: 0
  mlir::Value rightZero;       ///< the same
  mlir::Value depth, count;    ///< steps of all taps, and words: K and G
  bool hasTapRows;             ///< rows are rows of taps
  mlir::Value wordsOfRow;      ///< of one in the workspace
  mlir::Value tapRowsApart;    ///< words
  mlir::Value memory;          ///< the workspace
  mlir::Value termsAt, rowsAt; ///< there
  mlir::Value firstRow;        ///< of those in the workspace
};

} // namespace hexin::codegen::packed

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_WORDS_H
