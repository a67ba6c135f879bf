//===- WordRows.cpp - rows and windows as words -----------------------------------===//

#include "compiler/codegen/schedules/packed/Words.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen::packed {

/// Whole words that begin at `position` of the left side.
Value Words::rowWords(Value position, unsigned lanes) const {
  constexpr int64_t signBits = 0x80808080;
  auto type = VectorType::get({lanes}, b.getI32Type());
  Value bytes = numbersAt(item.lhsMemory(), position, lanes * steps);
  if (areQuads() || problem.isBfloat) {
    Value result = vector::BitCastOp::create(b, loc, type, bytes);
    if (!leftIsSigned || problem.isBfloat)
      return result;
    Value signs = vector::BroadcastOp::create(b, loc, type, words(signBits, 1));
    return arith::XOrIOp::create(b, loc, result, signs);
  }
  Type half = b.getI16Type(), wide = withLanes(half, lanes * steps);
  Value numbers = leftIsSigned ? Value(arith::ExtSIOp::create(b, loc, wide, bytes))
                               : Value(arith::ExtUIOp::create(b, loc, wide, bytes));
  if (leftZero) {
    Value zero = arith::TruncIOp::create(b, loc, half, leftZero);
    numbers = arith::SubIOp::create(b, loc, numbers, k.splat(zero, lanes * steps));
  }
  return vector::BitCastOp::create(b, loc, type, numbers);
}

/// The word of which a run of `length` numbers from `from` on has only a part, from
/// number `step` on; what is beyond counts for nothing, as the panel has 0 there.
Value Words::lastRowWord(Value from, Value step, Value length) const {
  Type i32 = b.getI32Type();
  unsigned bits = 32 / steps;
  Value result = words(0, 1);
  for (unsigned s = 0; s < steps; ++s) {
    Value at = k.add(step, k.index(s));
    auto there = [&] {
      Value number = numbersAt(item.lhsMemory(), k.add(from, at), 1);
      number = areQuads() || !leftIsSigned || problem.isBfloat
                   ? Value(arith::ExtUIOp::create(b, loc, i32, number))
                   : Value(arith::ExtSIOp::create(b, loc, i32, number));
      if (areQuads() && leftIsSigned)
        number = arith::XOrIOp::create(b, loc, number, words(0x80, 1));
      if (!areQuads() && leftZero)
        number = arith::SubIOp::create(b, loc, number, leftZero);
      number = arith::AndIOp::create(b, loc, number, words((1 << bits) - 1, 1));
      number = arith::ShLIOp::create(b, loc, number, words(bits * s, 1));
      return SmallVector<Value>{number};
    };
    Value number = k.ifElse(k.less(at, length), i32, there,
                            [&] { return SmallVector<Value>{words(0, 1)}; })[0];
    result = arith::OrIOp::create(b, loc, result, number);
  }
  return vector::BroadcastOp::create(b, loc, VectorType::get({1}, i32), result);
}

void Words::writeRun(Value from, Value length, Value to) const {
  Value whole = k.div(length, k.index(steps)), begin = k.index(0);
  auto copy = [&](Value end, unsigned lanes) {
    k.forLoop(begin, end, k.index(lanes), {}, [&](Value word, ValueRange) {
      put(k.add(to, word), rowWords(k.add(from, k.mul(word, k.index(steps))), lanes));
      return SmallVector<Value>();
    });
    begin = end;
  };
  // Long runs, taps of few channels, what is left.
  constexpr unsigned few = 4;
  for (unsigned lanes : {k.traits().vectorLanes, few})
    copy(k.mul(k.div(whole, k.index(lanes)), k.index(lanes)), lanes);
  copy(whole, 1);
  if (isWhole)
    return;
  Value step = k.mul(whole, k.index(steps));
  k.ifThen(k.less(step, length),
           [&] { put(k.add(to, whole), lastRowWord(from, step, length)); });
}

/// A tap in the pads, whose numbers are the zero point.
void Words::fillTap(Value to) const {
  constexpr int64_t everyByte = 0x01010101;
  Value word = words(0, 1);
  if (areQuads() && leftZero)
    word = arith::MulIOp::create(b, loc, leftZero, words(everyByte, 1));
  Value filling =
      vector::BroadcastOp::create(b, loc, VectorType::get({1}, b.getI32Type()), word);
  Value end = k.div(k.value(problem.depth), k.index(steps));
  k.forLoop(k.index(0), end, k.index(1), {}, [&](Value word, ValueRange) {
    put(k.add(to, word), filling);
    return SmallVector<Value>();
  });
}

void Words::forEachTap(int64_t count, function_ref<void(Value)> body) const {
  k.forLoop(k.index(0), k.index(count), k.index(1), {}, [&](Value tap, ValueRange) {
    body(tap);
    return SmallVector<Value>();
  });
}

void Words::writeWindow(const Row &row, Value to) const {
  Value height = k.value(problem.inSizes[1]), width = k.value(problem.inSizes[2]);
  Value tapWords = k.div(k.value(problem.depth), k.index(steps));
  auto done = [] { return SmallVector<Value>(); };
  int64_t across = problem.taps[1], apart = problem.conv->dilations[1];
  forEachTap(problem.taps[0], [&](Value ky) {
    Value dy = k.mul(ky, k.index(problem.conv->dilations[0]));
    Value isRow = isInside(k, k.add(row.y, dy), height);
    Value fromRow = k.add(row.base, k.mul(dy, rowPitchOf(item)));
    Value toRow = k.add(to, k.mul(k.mul(ky, k.index(across)), tapWords));
    auto byTaps = [&] {
      forEachTap(across, [&](Value kx) {
        Value dx = k.mul(kx, k.index(apart));
        Value toTap = k.add(toRow, k.mul(kx, tapWords));
        auto copy = [&] {
          writeRun(k.add(fromRow, k.mul(dx, k.value(problem.channels))),
                   k.value(problem.depth), toTap);
          return done();
        };
        if (!problem.hasPads)
          return void(copy());
        Value inside = allOf(k, {isRow, isInside(k, k.add(row.x, dx), width)});
        k.ifElse(inside, {}, copy, [&] {
          fillTap(toTap);
          return done();
        });
      });
      return done();
    };
    // Neighbouring taps lie side by side, but for the channels of other groups.
    if (apart != 1 || problem.conv->groups != 1)
      return void(byTaps());
    auto wholeRow = [&] {
      writeRun(fromRow, k.mul(k.value(problem.depth), k.index(across)), toRow);
      return done();
    };
    if (!problem.hasPads)
      return void(wholeRow());
    Value last = k.add(row.x, k.index(across - 1));
    Value inside = allOf(k, {isRow, isInside(k, row.x, width), isInside(k, last, width)});
    k.ifElse(inside, {}, wholeRow, byTaps);
  });
}

/// Of the row at `to`, what tiles read beyond the depth.
void Words::clearRest(Value to) const {
  Value written = k.div(k.add(depth, k.index(steps - 1)), k.index(steps));
  k.forLoop(written, count, k.index(1), {}, [&](Value word, ValueRange) {
    put(k.add(to, word), vector::BroadcastOp::create(
                             b, loc, VectorType::get({1}, b.getI32Type()), words(0, 1)));
    return SmallVector<Value>();
  });
}

void Words::writeRows(Value rowEnd) const {
  if (rowsLieReady)
    return;
  k.forLoop(firstRow, rowEnd, k.index(1), {}, [&](Value flat, ValueRange) {
    Row row = item.rowAt(flat);
    Value to = k.add(rowsAt, k.mul(k.sub(flat, firstRow), count));
    if (hasWindows)
      writeWindow(row, to);
    else
      writeRun(row.base, k.value(problem.depth), to);
    if (problem.isBfloat && roundedWords() > 1)
      clearRest(to);
    return SmallVector<Value>();
  });
}

} // namespace hexin::codegen::packed
