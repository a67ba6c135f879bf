#include "compiler/codegen/schedules/tiled/ByteSlices.h"

#include "compiler/codegen/AsyncCopy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen::tiled {

//===----------------------------------------------------------------------===//
// Left
//===----------------------------------------------------------------------===//

LhsBytes::LhsBytes(const packed::Item &item, const ByteShape &shape, Value local,
                   Value firstRow, Value outside)
    : item(item), shape(shape), k(item.k), local(local), outside(outside),
      hasWholeChunks(item.problem.runMultiple % 4 == 0),
      chunk(item.problem.runMultiple % 16 == 0 ? 16 : 4) {
  ChunkPlace place(k, ByteShape::depth / chunk);
  stepInSlice = k.mul(place.chunk, k.index(chunk));
  rowInSlice = place.row;
  Value first = k.add(firstRow, rowInSlice);
  Value lastRow = k.sub(k.value(item.problem.rows), k.index(1));
  for (unsigned row = 0; row < shape.rows(); row += rowsAtATime())
    rows.push_back(
        inRegisters(item, item.rowAt(k.min(k.add(first, k.index(row)), lastRow))));
}

void LhsBytes::fetch(Value step, Value stage) {
  if (rowsAtATime() <= shape.rows())
    return fetchRows(step, stage);
  k.ifThen(k.less(rowInSlice, k.index(shape.rows())), [&] { fetchRows(step, stage); });
}

void LhsBytes::fetchRows(Value step, Value stage) {
  SmallVector<Tap> taps;
  for (unsigned i = 0; i < (hasWholeChunks ? 1 : chunk); ++i)
    taps.emplace_back(item, k.add(step, k.add(stepInSlice, k.index(i))));
  Value at = k.add(k.mul(rowInSlice, k.index(ByteShape::pitch)), stepInSlice);
  at = k.add(at, stage);
  for (auto [which, row] : llvm::enumerate(rows)) {
    Value to = k.add(at, k.index(which * rowsAtATime() * ByteShape::pitch));
    if (hasWholeChunks)
      fetchWhole(row, taps[0], to);
    else
      fetchByElements(row, taps, to);
  }
}

void LhsBytes::fetchWhole(const packed::Row &row, const Tap &tap, Value to) {
  Value position = k.add(row.base, tap.offset), inside = isInside(item, tap, row);
  LocalCopy copy{item.lhsMemory(), position, local, to, chunk, inside};
  if (!outside)
    return copyToLocal(k, copy);
  copy.inside = k.intConstant(1, k.builder().getI1Type(), 1);
  k.ifElse(
      inside, {},
      [&] {
        copyToLocal(k, copy);
        return SmallVector<Value>();
      },
      [&] {
        storeLocal(k, local, to, k.splat(outside, chunk));
        return SmallVector<Value>();
      });
}

void LhsBytes::fetchByElements(const packed::Row &row, ArrayRef<Tap> taps, Value to) {
  Type byte = k.builder().getI8Type(), stored = elementType(item.problem.lhs);
  Value nothing = outside ? outside : k.intConstant(0, byte, 1);
  SmallVector<Value> bytes;
  for (const Tap &tap : taps) {
    auto load = [&] {
      Value position = k.add(row.base, tap.offset);
      return SmallVector<Value>{k.load(item.lhsMemory(), position, 1, stored)};
    };
    bytes.push_back(k.ifElse(isInside(item, tap, row), byte, load,
                             [&] { return SmallVector<Value>{nothing}; })[0]);
  }
  auto vector = VectorType::get({chunk}, byte);
  storeLocal(k, local, to,
             vector::FromElementsOp::create(k.builder(), k.loc(), vector, bytes));
}

//===----------------------------------------------------------------------===//
// Right
//===----------------------------------------------------------------------===//

/// Bytes of 32-bit words, by shifts and masks.
class Words {
public:
  explicit Words(KernelBuilder &k) : k(k), b(k.builder()), i32(b.getI32Type()) {}

  Value masked(Value x, uint32_t mask) {
    return arith::AndIOp::create(b, k.loc(), x, constant(mask));
  }
  Value up(Value x, unsigned bits) {
    return arith::ShLIOp::create(b, k.loc(), x, constant(bits));
  }
  Value down(Value x, unsigned bits) {
    return arith::ShRUIOp::create(b, k.loc(), x, constant(bits));
  }
  Value both(Value x, Value y) { return arith::OrIOp::create(b, k.loc(), x, y); }

  Value fromBytes(Value bytes) {
    Value word = vector::BitCastOp::create(b, k.loc(), VectorType::get({1}, i32), bytes);
    return vector::ExtractOp::create(b, k.loc(), word, ArrayRef<int64_t>{0});
  }
  Value toBytes(Value word) {
    Value one = vector::BroadcastOp::create(b, k.loc(), VectorType::get({1}, i32), word);
    return vector::BitCastOp::create(b, k.loc(), VectorType::get({4}, b.getI8Type()),
                                     one);
  }

private:
  Value constant(uint32_t value) {
    return k.intConstant(static_cast<int32_t>(value), i32, 1);
  }

  KernelBuilder &k;
  OpBuilder &b;
  Type i32;
};

/// [step][column] as [column][step].
static std::array<Value, 4> turnAround(Words words, ArrayRef<Value> steps) {
  constexpr uint32_t even = 0x00ff00ff, odd = 0xff00ff00, low = 0xffff, high = 0xffff0000;
  // Bytes (x0 y0 x2 y2) and (x1 y1 x3 y3) of two steps x, y.
  auto evens = [&](Value x, Value y) {
    return words.both(words.masked(x, even), words.up(words.masked(y, even), 8));
  };
  auto odds = [&](Value x, Value y) {
    return words.both(words.masked(words.down(x, 8), even), words.masked(y, odd));
  };
  auto first = [&](Value x, Value y) {
    return words.both(words.masked(x, low), words.up(y, 16));
  };
  auto second = [&](Value x, Value y) {
    return words.both(words.down(x, 16), words.masked(y, high));
  };
  Value even01 = evens(steps[0], steps[1]), even23 = evens(steps[2], steps[3]);
  Value odd01 = odds(steps[0], steps[1]), odd23 = odds(steps[2], steps[3]);
  return {first(even01, even23), first(odd01, odd23), second(even01, even23),
          second(odd01, odd23)};
}

/// The `first`-th value first, then those behind it and those before it.
static std::array<Value, 4> rotated(KernelBuilder &k, std::array<Value, 4> values,
                                    Value first) {
  Value left = first;
  for (unsigned by : {2u, 1u}) {
    Value isBy = k.less(k.index(by - 1), left);
    std::array<Value, 4> next;
    for (unsigned i = 0; i < 4; ++i)
      next[i] = arith::SelectOp::create(k.builder(), k.loc(), isBy, values[(i + by) % 4],
                                        values[i]);
    values = next;
    left = k.rem(left, k.index(by));
  }
  return values;
}

void RhsBytes::fetch(Value step, Value stage) {
  unsigned blocks =
      ByteShape::depth / ByteShape::block * (shape.columns() / ByteShape::block);
  if (blocks < shape.threads())
    return k.ifThen(k.less(k.thread(), k.index(blocks)),
                    [&] { fetchBlock(k.thread(), step, stage); });
  for (unsigned first = 0; first < blocks; first += shape.threads())
    fetchBlock(k.add(k.thread(), k.index(first)), step, stage);
}

/// Neighbours fetch columns side by side, as many as make a whole access of memory, then
/// steps one below the other.
void RhsBytes::fetchBlock(Value number, Value step, Value stage) {
  constexpr unsigned block = ByteShape::block, down = ByteShape::depth / block;
  const packed::Problem &problem = item.problem;
  unsigned across = std::min(8u, shape.columns() / block);
  Value inRun = k.rem(number, k.index(across)), rest = k.div(number, k.index(across));
  Value inSlice = k.mul(k.rem(rest, k.index(down)), k.index(block));
  Value column = k.add(k.mul(k.div(rest, k.index(down)), k.index(across)), inRun);
  column = k.mul(column, k.index(block));

  Value width = k.index(problem.width);
  KExpr steps = stepsOf(k, problem);
  Value panels =
      k.value(k.exprs().ceilDiv(problem.columns, k.constantExpr(problem.width)));
  Value panelSize = k.value(k.exprs().mul(steps, k.constantExpr(problem.width)));
  Value panel = k.add(k.div(firstColumn, width), k.div(column, width));
  Value position = k.add(item.panelBase, k.mul(panel, panelSize));
  position = k.add(position, k.rem(column, width));
  Value isPanel = k.less(panel, panels), firstStep = k.add(step, inSlice);
  Type byte = k.builder().getI8Type();
  Value nothing = outside ? k.splat(outside, block) : k.intConstant(0, byte, block);
  Words words(k);
  SmallVector<Value> loaded;
  for (unsigned i = 0; i < block; ++i) {
    Value at = k.add(firstStep, k.index(i));
    Value inside = packed::allOf(k, {isPanel, k.less(at, k.value(steps))});
    Value bytes = k.ifElse(
        inside, nothing.getType(),
        [&] {
          Value from = k.add(position, k.mul(at, width));
          return SmallVector<Value>{
              k.load(item.panelMemory(), from, block, elementType(problem.rhs))};
        },
        [&] { return SmallVector<Value>{nothing}; })[0];
    loaded.push_back(words.fromBytes(bytes));
  }
  Value to = k.add(k.mul(column, k.index(ByteShape::pitch)), inSlice);
  to = k.add(to, k.add(stage, k.index(shape.rhsStart())));
  // Columns that are 4 apart share banks: every other neighbour begins with another one.
  Value first = k.mul(k.div(inRun, k.index(2)), k.index(8 / across));
  std::array<Value, block> columns = rotated(k, turnAround(words, loaded), first);
  for (auto [i, word] : llvm::enumerate(columns)) {
    Value which = k.rem(k.add(first, k.index(i)), k.index(block));
    storeLocal(k, local, k.add(to, k.mul(which, k.index(ByteShape::pitch))),
               words.toBytes(word));
  }
}

} // namespace hexin::codegen::tiled
