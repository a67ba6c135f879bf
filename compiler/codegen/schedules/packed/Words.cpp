#include "compiler/codegen/schedules/packed/Words.h"

#include "compiler/codegen/Scalars.h"
#include "compiler/ir/ConstantContents.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <algorithm>

using namespace mlir;

namespace hexin::codegen::packed {
namespace {

/// By which numbers change that have the other sign than words want.
constexpr int64_t signChange = 128;

bool isSigned(Value tensor) { return !elementType(tensor).isUnsignedInteger(); }

/// An operand's zero point where it is known; that of none is 0.
std::optional<int64_t> knownNumber(ElementEmitter &emitter, Value zeroPoint) {
  if (!zeroPoint)
    return 0;
  if (auto argument = dyn_cast<BlockArgument>(zeroPoint))
    zeroPoint = emitter.groupOp().getInputs()[argument.getArgNumber()];
  auto contents = hx::constantContents(zeroPoint, 1);
  return contents && contents->size() == 1 ? std::optional(contents->front())
                                           : std::nullopt;
}

/// The zero point plus `change`, i32; null where that is 0 for sure.
Value changedZero(ElementEmitter &emitter, Value zeroPoint, int64_t change) {
  if (knownNumber(emitter, zeroPoint) == -change)
    return {};
  KernelBuilder &k = emitter.kernel();
  Type i32 = k.builder().getI32Type();
  Value constant = k.intConstant(change, i32, 1);
  if (!zeroPoint)
    return constant;
  SmallVector<Value> at(emitter.dims(zeroPoint).size(), k.index(0));
  Value zero = emitCast(k, emitter.emit(zeroPoint, at, 1), elementType(zeroPoint), i32);
  return arith::AddIOp::create(k.builder(), k.loc(), zero, constant);
}

unsigned stepsOf(const Problem &problem, const CodegenTraits &traits) {
  return numbersPerWord(problem.isBfloat ? WordDots::pairs : traits.wordDots);
}

bool multipliesTiles(const Problem &problem, const CodegenTraits &traits) {
  return problem.isBfloat ? traits.bfloatDots == BfloatDots::tiles
                          : traits.wordDots == WordDots::tiles;
}

} // namespace

bool hasWords(const Problem &problem, const CodegenTraits &traits) {
  if (problem.isBfloat)
    return traits.bfloatDots != BfloatDots::none;
  if (traits.wordDots == WordDots::none || !problem.isInteger || problem.isDepthwise)
    return false;
  // A tap of a window is whole words, in quads.
  return !problem.conv || problem.isPointwise ||
         problem.runMultiple % numbersPerWord(WordDots::quads) == 0;
}

Words::Words(ElementEmitter &emitter, const Item &item, const Place &place,
             unsigned tileRows)
    : item(item), problem(item.problem), k(item.k), b(k.builder()), loc(k.loc()),
      areTiles(multipliesTiles(problem, k.traits())), steps(stepsOf(problem, k.traits())),
      lanes(std::min<unsigned>(k.traits().vectorLanes, problem.width)),
      leftIsSigned(isSigned(problem.lhs)), rightIsSigned(isSigned(problem.rhs)),
      hasWindows(problem.conv && !problem.isPointwise),
      isWhole(problem.runMultiple % steps == 0), panelLiesReady(problem.panelSteps > 1),
      rowsLieReady((problem.isBfloat || (areQuads() && !leftIsSigned)) && !hasWindows &&
                   problem.runMultiple % (steps * roundedWords()) == 0),
      hasTapRows(sharesTapRows(problem)) {
  leftZero = changedZero(emitter, problem.lhsZeroPoint,
                         areQuads() && leftIsSigned ? signChange : 0);
  rightZero = changedZero(emitter, problem.rhsZeroPoint,
                          areQuads() && !rightIsSigned ? -signChange : 0);
  rightZeroMatters = areQuads() && rightZero;

  int64_t taps = problem.conv ? problem.taps[0] * problem.taps[1] : 1;
  KExpr allSteps = k.exprs().mul(problem.depth, k.constantExpr(taps));
  KExpr ofPairs =
      k.exprs().ceilDiv(allSteps, k.constantExpr(numbersPerWord(WordDots::pairs)));
  depth = k.value(allSteps);
  KExpr rounded = k.constantExpr(roundedWords());
  KExpr rounds = k.exprs().ceilDiv(allSteps, k.constantExpr(steps * roundedWords()));
  count = k.value(k.exprs().mul(rounds, rounded));
  // A launch has one size of workspace for all ISAs: pairs take most, or quads that are
  // rounded to whole tiles. A tile may begin before the item's first row, where the
  // product has no more.
  constexpr int64_t mostRounded = 16;
  KExpr most = k.exprs().add(ofPairs, k.constantExpr(mostRounded));
  int64_t ofPanel = panelLiesReady ? 0 : problem.width;
  KExpr rows = k.constantExpr(1 + ofPanel + place.rows + tiledRows);
  wordsOfRow = count;
  if (hasTapRows) {
    most = k.constantExpr(problem.taps[1] * problem.channelsPerTap / steps);
    wordsOfRow = k.value(most);
    KExpr apart =
        k.exprs().mul(problem.outSizes[2], k.constantExpr(problem.conv->dilations[0]));
    rows = k.exprs().add(rows, k.exprs().mul(apart, k.constantExpr(problem.taps[0] - 1)));
    tapRowsApart = k.mul(k.value(apart), wordsOfRow);
  }
  memory = k.workspace(k.exprs().mul(most, rows));
  termsAt = k.mul(count, k.index(ofPanel));
  rowsAt = k.add(termsAt, k.index(ofPanel));
  int64_t ofTile = hasTiles() ? std::max<int64_t>(tiledRows, tileRows) : tileRows;
  Value lastTile = k.sub(k.value(problem.rows), k.index(ofTile));
  firstRow = k.max(k.index(0), k.min(place.rowBegin, lastTile));
}

Value Words::zeroSum(unsigned lanes) const { return zeros(k, problem.accType, lanes); }

Value Words::words(int64_t word, unsigned lanes) const {
  return k.intConstant(word, b.getI32Type(), lanes);
}

void Words::put(Value at, Value words) const {
  unsigned lanes = cast<VectorType>(words.getType()).getNumElements();
  Value bits =
      arith::BitcastOp::create(b, loc, VectorType::get({lanes}, b.getF32Type()), words);
  if (lanes > 1)
    vector::StoreOp::create(b, loc, bits, memory, ValueRange(at));
  else
    memref::StoreOp::create(b, loc,
                            vector::ExtractOp::create(b, loc, bits, ArrayRef<int64_t>{0}),
                            memory, ValueRange(at));
}

Value Words::get(Value at, unsigned lanes) const {
  Value bits = k.load(memory, at, lanes, b.getF32Type());
  return arith::BitcastOp::create(b, loc, withLanes(b.getI32Type(), lanes), bits);
}

Value Words::panelAt(Value word, Value column, unsigned lanes) const {
  Value at = k.add(k.mul(word, k.index(problem.width)), column);
  if (!panelLiesReady)
    return get(at, lanes);
  Value from = k.add(item.panelBase, k.mul(at, k.index(steps)));
  return vector::BitCastOp::create(b, loc, VectorType::get({lanes}, b.getI32Type()),
                                   numbersAt(item.panelMemory(), from, lanes * steps));
}

Value Words::numbersAt(Value memref, Value position, unsigned count) const {
  Type type = elementType(problem.lhs), stored = storageType(type);
  if (!problem.isBfloat)
    return k.load(memref, position, count, type);
  Value numbers;
  if (count > 1)
    numbers = vector::LoadOp::create(b, loc, VectorType::get({count}, stored), memref,
                                     ValueRange(position));
  else
    numbers = memref::LoadOp::create(b, loc, memref, ValueRange(position));
  return arith::BitcastOp::create(b, loc, withLanes(b.getI16Type(), count), numbers);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

Value Words::rowWord(Value base, Value word) const {
  if (!rowsLieReady)
    return get(k.add(base, word), 1);
  Value numbers =
      numbersAt(item.lhsMemory(), k.add(base, k.mul(word, k.index(steps))), steps);
  Value one =
      vector::BitCastOp::create(b, loc, VectorType::get({1}, b.getI32Type()), numbers);
  return vector::ExtractOp::create(b, loc, one, ArrayRef<int64_t>{0});
}

/// acc: of each row its vectors, and behind them, where it matters, of each row the sum
/// of its own numbers.
Accumulators Words::addWord(ArrayRef<Value> bases, Value word, Value inRow, Value column,
                            ValueRange acc, Vectors vectors) const {
  constexpr int64_t ones = 0x01010101;
  SmallVector<Value> panel;
  for (unsigned v = 0; v < vectors.perRow; ++v)
    panel.push_back(
        panelAt(word, k.add(column, k.index(v * vectors.lanes)), vectors.lanes));
  Accumulators next(acc);
  for (auto [r, base] : llvm::enumerate(bases)) {
    Value x = k.splat(rowWord(base, inRow), vectors.lanes);
    for (unsigned v = 0; v < vectors.perRow; ++v) {
      Value &sum = next[r * vectors.perRow + v];
      sum = addWordDots(k, sum, x, panel[v]);
    }
    if (rightZeroMatters) {
      Value &sum = next[bases.size() * vectors.perRow + r];
      sum = addWordDots(k, sum, x, words(ones, vectors.lanes));
    }
  }
  return next;
}

/// - w (sum x - K a)
void Words::addRightZero(MutableArrayRef<Value> acc, ArrayRef<Value> rowSums,
                         Vectors vectors) const {
  Value factor = k.splat(rightZero, vectors.lanes);
  Value ofZeros;
  if (leftZero)
    ofZeros = k.splat(
        arith::MulIOp::create(b, loc, leftZero,
                              arith::IndexCastOp::create(b, loc, b.getI32Type(), depth)),
        vectors.lanes);
  for (auto [r, sum] : llvm::enumerate(rowSums)) {
    Value left = ofZeros ? Value(arith::SubIOp::create(b, loc, sum, ofZeros)) : sum;
    Value term = arith::MulIOp::create(b, loc, left, factor);
    for (Value &total : acc.slice(r * vectors.perRow, vectors.perRow))
      total = arith::SubIOp::create(b, loc, total, term);
  }
}

Accumulators
Words::forDepth(int64_t perRound, ValueRange init,
                function_ref<Accumulators(Value, Value, ValueRange)> body) const {
  Value zero = k.index(0), step = k.index(perRound);
  if (!hasTapRows)
    return k.forLoop(zero, count, step, init, [&](Value word, ValueRange carried) {
      return body(word, word, carried);
    });
  Value tapRows = k.index(problem.taps[0]);
  return k.forLoop(zero, tapRows, k.index(1), init, [&](Value ky, ValueRange carried) {
    Value before = k.mul(ky, wordsOfRow), further = k.mul(ky, tapRowsApart);
    return k.forLoop(zero, wordsOfRow, step, carried, [&](Value word, ValueRange inner) {
      return body(k.add(before, word), k.add(further, word), inner);
    });
  });
}

Accumulators Words::sum(ArrayRef<Row> tile, Vectors vectors, Value columnInPanel) const {
  SmallVector<Value> bases;
  for (const Row &row : tile)
    bases.push_back(rowsLieReady
                        ? row.base
                        : k.add(rowsAt, k.mul(k.sub(row.flat, firstRow), wordsOfRow)));
  Accumulators acc;
  for (size_t r = 0; r < tile.size(); ++r)
    for (unsigned v = 0; v < vectors.perRow; ++v) {
      Value at = k.add(k.add(termsAt, columnInPanel), k.index(v * vectors.lanes));
      acc.push_back(areQuads() && leftZero ? get(at, vectors.lanes)
                                           : zeroSum(vectors.lanes));
    }
  size_t numSums = acc.size();
  if (rightZeroMatters)
    acc.append(tile.size(), words(0, vectors.lanes));

  unsigned perRound = k.traits().depthSteps;
  while (problem.runMultiple % (perRound * steps) != 0 && perRound > 1)
    perRound /= 2;
  acc = forDepth(perRound, acc, [&](Value word, Value inRow, ValueRange carried) {
    Accumulators next(carried);
    for (unsigned i = 0; i < perRound; ++i)
      next = addWord(bases, k.add(word, k.index(i)), k.add(inRow, k.index(i)),
                     columnInPanel, next, vectors);
    return next;
  });
  Accumulators sums(ArrayRef(acc).take_front(numSums));
  if (rightZeroMatters)
    addRightZero(sums, ArrayRef(acc).drop_front(numSums), vectors);
  return sums;
}

} // namespace hexin::codegen::packed
