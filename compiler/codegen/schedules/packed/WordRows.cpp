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

/// Calls body(word, lanes) until all of `count` words have been among the lanes: by
/// vectors, the last of which overlaps the one before, and a few one by one.
void Words::forWords(Value count, function_ref<void(Value, unsigned)> body) const {
  constexpr unsigned few = 4;
  auto byLanes = [&](unsigned lanes) {
    Value last = lanes > 1 ? k.sub(count, k.index(lanes)) : Value();
    k.forLoop(k.index(0), count, k.index(lanes), {}, [&](Value word, ValueRange) {
      body(last ? k.min(word, last) : word, lanes);
      return SmallVector<Value>();
    });
    return SmallVector<Value>();
  };
  auto hasVector = [&](unsigned lanes) { return k.less(k.index(lanes - 1), count); };
  auto fewOrOne = [&] {
    k.ifElse(
        hasVector(few), {}, [&] { return byLanes(few); }, [&] { return byLanes(1); });
    return SmallVector<Value>();
  };
  unsigned most = k.traits().vectorLanes;
  if (most <= few)
    return void(fewOrOne());
  k.ifElse(hasVector(most), {}, [&] { return byLanes(most); }, fewOrOne);
}

void Words::writeRun(Value from, Value length, Value to) const {
  Value whole = k.div(length, k.index(steps));
  forWords(whole, [&](Value word, unsigned lanes) {
    put(k.add(to, word), rowWords(k.add(from, k.mul(word, k.index(steps))), lanes));
  });
  if (isWhole)
    return;
  Value step = k.mul(whole, k.index(steps));
  k.ifThen(k.less(step, length),
           [&] { put(k.add(to, whole), lastRowWord(from, step, length)); });
}

/// `count` words in the pads, whose numbers are the zero point.
void Words::fill(Value to, Value count) const {
  constexpr int64_t everyByte = 0x01010101;
  Value word = words(0, 1);
  if (areQuads() && leftZero)
    word = arith::MulIOp::create(b, loc, leftZero, words(everyByte, 1));
  forWords(count, [&](Value at, unsigned lanes) {
    auto type = VectorType::get({lanes}, b.getI32Type());
    put(k.add(to, at), vector::BroadcastOp::create(b, loc, type, word));
  });
}

void Words::forEachTap(int64_t count, function_ref<void(Value)> body) const {
  k.forLoop(k.index(0), k.index(count), k.index(1), {}, [&](Value tap, ValueRange) {
    body(tap);
    return SmallVector<Value>();
  });
}

/// A row of taps, `isRow` where the image has it, from `from` on in the left side.
void Words::writeTapRow(const Row &row, Value isRow, Value from, Value to) const {
  Value width = k.value(problem.inSizes[2]), zero = k.index(0);
  Value depth = k.value(problem.depth), tapWords = k.div(depth, k.index(steps));
  int64_t across = problem.taps[1], apart = problem.conv->dilations[1];
  if (apart == 1 && problem.conv->groups == 1) {
    // They lie side by side: those before the image, in it, and behind.
    Value first = zero, last = k.index(across);
    if (problem.hasPads) {
      first = k.min(k.max(k.sub(zero, row.x), zero), last);
      last = k.max(first, k.min(last, k.sub(width, row.x)));
      last = arith::SelectOp::create(b, loc, isRow, last, first);
      fill(to, k.mul(first, tapWords));
      fill(k.add(to, k.mul(last, tapWords)),
           k.mul(k.sub(k.index(across), last), tapWords));
    }
    return writeRun(k.add(from, k.mul(first, depth)), k.mul(k.sub(last, first), depth),
                    k.add(to, k.mul(first, tapWords)));
  }
  forEachTap(across, [&](Value kx) {
    Value dx = k.mul(kx, k.index(apart)), toTap = k.add(to, k.mul(kx, tapWords));
    auto copy = [&] {
      writeRun(k.add(from, k.mul(dx, k.value(problem.channels))), depth, toTap);
      return SmallVector<Value>();
    };
    if (!problem.hasPads)
      return void(copy());
    Value inside = allOf(k, {isRow, isInside(k, k.add(row.x, dx), width)});
    k.ifElse(inside, {}, copy, [&] {
      fill(toTap, tapWords);
      return SmallVector<Value>();
    });
  });
}

void Words::writeWindow(const Row &row, Value to) const {
  Value height = k.value(problem.inSizes[1]);
  forEachTap(problem.taps[0], [&](Value ky) {
    Value dy = k.mul(ky, k.index(problem.conv->dilations[0]));
    Value isRow = isInside(k, k.add(row.y, dy), height);
    Value before = k.mul(k.mul(ky, k.index(problem.taps[1])), k.value(problem.depth));
    writeTapRow(row, isRow, k.add(row.base, k.mul(dy, rowPitchOf(item))),
                k.add(to, k.div(before, k.index(steps))));
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

/// Those of the windows from `firstRow` to `rowEnd`, and the further ones that these
/// have: as many pixels as are in the image's rows that a window reaches below its first.
void Words::writeTapRows(Value rowEnd) const {
  Value height = k.value(problem.inSizes[1]), width = k.value(problem.outSizes[2]);
  int64_t reach = (problem.taps[0] - 1) * problem.conv->dilations[0];
  Value end = k.add(rowEnd, k.mul(width, k.index(reach)));
  SmallVector<Value> first{k.div(firstRow, width), k.rem(firstRow, width)};
  k.forLoop(firstRow, end, k.index(1), first, [&](Value flat, ValueRange at) {
    Row row = item.rowOfPixel(flat, {k.index(0), at[0], at[1]});
    writeTapRow(row, isInside(k, row.y, height), row.base,
                k.add(rowsAt, k.mul(k.sub(flat, firstRow), wordsOfRow)));
    Value x = k.add(at[1], k.index(1));
    Value wraps = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, width);
    Value carry = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), wraps);
    x = arith::SelectOp::create(b, loc, wraps, k.index(0), x);
    return SmallVector<Value>{k.add(at[0], carry), x};
  });
}

void Words::writeRows(Value rowEnd) const {
  if (rowsLieReady)
    return;
  if (hasTapRows)
    return writeTapRows(rowEnd);
  item.forEachRow(firstRow, rowEnd, [&](const Row &row) {
    Value to = k.add(rowsAt, k.mul(k.sub(row.flat, firstRow), count));
    if (hasWindows)
      writeWindow(row, to);
    else
      writeRun(row.base, k.value(problem.depth), to);
    if (problem.isBfloat && roundedWords() > 1)
      clearRest(to);
  });
}

} // namespace hexin::codegen::packed
