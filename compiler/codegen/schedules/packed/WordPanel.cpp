//===- WordPanel.cpp - a panel as words -------------------------------------------===//

#include "compiler/codegen/schedules/packed/Words.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen::packed {

/// One step of the panel's columns from `column` on, i32: the low bits are what a word
/// has of it, and those above are 0 or not.
Value Words::panelNumbers(Value step, Value column) const {
  Value at = k.add(item.panelBase, k.add(k.mul(step, k.index(problem.width)), column));
  Value numbers = numbersAt(item.panelMemory(), at, lanes);
  Type wide = withLanes(b.getI32Type(), lanes);
  if (areQuads() || !rightIsSigned || problem.isBfloat)
    numbers = arith::ExtUIOp::create(b, loc, wide, numbers);
  else
    numbers = arith::ExtSIOp::create(b, loc, wide, numbers);
  if (!areQuads() && rightZero)
    numbers = arith::SubIOp::create(b, loc, numbers, k.splat(rightZero, lanes));
  return numbers;
}

Value Words::panelWords(Value word, Value column, bool isLast) const {
  constexpr int64_t signBits = 0x80808080;
  unsigned bits = 32 / steps;
  Value result;
  for (unsigned s = 0; s < steps; ++s) {
    Value step = k.add(k.mul(word, k.index(steps)), k.index(s));
    Value numbers;
    if (isLast && s > 0) {
      auto there = [&] { return SmallVector<Value>{panelNumbers(step, column)}; };
      // What becomes 0.
      int64_t nothing = areQuads() && !rightIsSigned ? 0x80 : 0;
      auto beyond = [&] { return SmallVector<Value>{words(nothing, lanes)}; };
      numbers = k.ifElse(k.less(step, depth), withLanes(b.getI32Type(), lanes), there,
                         beyond)[0];
    } else {
      numbers = panelNumbers(step, column);
    }
    if (!areQuads() && !problem.isBfloat && s == 0)
      numbers = arith::AndIOp::create(b, loc, numbers, words(0xffff, lanes));
    if (s > 0)
      numbers = arith::ShLIOp::create(b, loc, numbers, words(bits * s, lanes));
    result = result ? Value(arith::OrIOp::create(b, loc, result, numbers)) : numbers;
  }
  if (areQuads() && !rightIsSigned)
    result = arith::XOrIOp::create(b, loc, result, words(signBits, lanes));
  return result;
}

void Words::writeTerms(Value column, Value sums) const {
  Value terms = arith::MulIOp::create(b, loc, sums, k.splat(leftZero, lanes));
  put(k.add(termsAt, column), arith::SubIOp::create(b, loc, words(0, lanes), terms));
}

void Words::writePanel() const {
  if (panelLiesReady)
    return;
  constexpr int64_t ones = 0x01010101;
  bool hasTerms = areQuads() && leftZero;
  Value whole = k.div(depth, k.index(steps));
  for (int64_t c = 0; c < problem.width; c += lanes) {
    Value column = k.index(c);
    auto write = [&](Value word, bool isLast, ValueRange sums) {
      Value columnWords = panelWords(word, column, isLast);
      put(k.add(k.mul(word, k.index(problem.width)), column), columnWords);
      SmallVector<Value> next(sums);
      if (hasTerms)
        next[0] = addWordDots(k, next[0], words(ones, lanes), columnWords);
      return next;
    };
    SmallVector<Value> sums;
    if (hasTerms)
      sums.push_back(words(0, lanes));
    sums = k.forLoop(k.index(0), whole, k.index(1), sums,
                     [&](Value word, ValueRange acc) { return write(word, false, acc); });
    Value written = whole;
    if (!isWhole) {
      Value partial = k.less(k.mul(whole, k.index(steps)), depth);
      sums = k.ifElse(
          partial, ValueRange(sums).getTypes(), [&] { return write(whole, true, sums); },
          [&] { return sums; });
      written = k.div(k.add(depth, k.index(steps - 1)), k.index(steps));
    }
    if (roundedWords() > 1)
      k.forLoop(written, count, k.index(1), {}, [&](Value word, ValueRange) {
        put(k.add(k.mul(word, k.index(problem.width)), column), words(0, lanes));
        return SmallVector<Value>();
      });
    if (hasTerms)
      writeTerms(column, sums[0]);
  }
}

} // namespace hexin::codegen::packed
