#include "compiler/codegen/schedules/packed/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen::packed {

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

Epilogue::Epilogue(ElementEmitter &emitter, const Problem &problem, Operation *heavy)
    : emitter(emitter), problem(problem) {
  emitter.provide(heavy->getResult(0), [this](ArrayRef<Value>, unsigned lanes) -> Value {
    // A last axis of size 1 is read as one element and broadcast.
    KernelBuilder &k = this->emitter.kernel();
    if (lanes == 1 && isa<VectorType>(current.getType()))
      return vector::ExtractOp::create(k.builder(), k.loc(), current,
                                       ArrayRef<int64_t>{0});
    return current;
  });
  emitter.collapse(heavy, /*keepLast=*/true);
  rootSizes = emitter.sizes(emitter.yielded());
}

void Epilogue::write(const Item &item, const Row &row, Value column, Value sum,
                     unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  if (lanes > 1 && !takesVectors()) {
    for (unsigned lane = 0; lane < lanes; ++lane) {
      Value element =
          vector::ExtractOp::create(k.builder(), k.loc(), sum, ArrayRef<int64_t>{lane});
      write(item, row, k.add(column, k.index(lane)), element, 1);
    }
    return;
  }
  const Problem &p = problem;
  current = sum;
  Value flat = row.flat, channel = column;
  if (p.conv)
    channel = k.add(k.mul(item.outerIndex, k.value(p.columns)), column);
  else if (!p.batchSizes.empty())
    flat = k.add(k.mul(item.outerIndex, k.value(p.rows)), flat);
  if (p.conv && p.conv->bias) {
    Value bias = emitter.emit(p.conv->bias, {channel}, lanes);
    current = arith::AddFOp::create(k.builder(), k.loc(), current, bias);
  }
  SmallVector<Value> index = k.delinearize(flat, ArrayRef(rootSizes).drop_back());
  index.push_back(channel);
  emitter.store(0, index, emitter.emit(emitter.yielded(), index, lanes));
  current = Value();
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

namespace {

class TileEmitter {
public:
  TileEmitter(const Item &item, Epilogue &epilogue, Vectors vectors, Value firstRow,
              unsigned numRows, Value columnInPanel)
      : item(item), epilogue(epilogue), vectors(vectors), firstRow(firstRow),
        numRows(numRows), columnInPanel(columnInPanel), k(item.k), b(k.builder()),
        loc(k.loc()) {
    column = k.add(item.firstColumn, columnInPanel);
  }

  void emit(bool isWhole) {
    tile = item.rowsFrom(firstRow, numRows);
    if (isWhole)
      return wholeTile(sums());
    setRemaining();
    Value isFull = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, remaining,
                                         k.index(width()));
    // Panels are padded, so that a partial one is summed like a whole one; an input
    // that is read side by side (depthwise) is not.
    bool isDepthwise = item.problem.isDepthwise;
    Accumulators acc;
    if (!isDepthwise)
      acc = sums();
    auto ifOp = scf::IfOp::create(b, loc, isFull, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
    wholeTile(isDepthwise ? sums() : acc);
    b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
    if (isDepthwise)
      partialDepthwise();
    else
      partialTile(acc);
  }

  void emitStored(Value buffer) {
    if (item.problem.columnsAreFull)
      remaining = k.index(width());
    else
      setRemaining();
    writeStored(buffer);
  }

private:
  void setRemaining() {
    remaining = k.min(k.index(width()), k.sub(k.value(item.problem.columns), column));
  }

  unsigned width() const { return vectors.perRow * vectors.lanes; }

  Accumulators sums() {
    Value zero = zeros(k, item.problem.accType, vectors.lanes);
    Accumulators init(tile.size() * vectors.perRow, zero);
    return sumTile(item, tile, init, vectors, columnInPanel);
  }

  void wholeTile(const Accumulators &acc) { writeVectors(acc, column, vectors.perRow); }

  /// Whether the columns that remain fill a vector: then the last one overlaps the
  /// one before.
  Value hasVector() {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, remaining,
                                 k.index(vectors.lanes));
  }

  void writeVectors(const Accumulators &acc, Value firstColumn, unsigned perRow) {
    for (auto [r, row] : llvm::enumerate(tile))
      for (unsigned v = 0; v < perRow; ++v)
        epilogue.write(item, row, k.add(firstColumn, k.index(v * vectors.lanes)),
                       acc[r * perRow + v], vectors.lanes);
  }

  /// The tile's rows once more, by a loop: for what is too rare or too long to be
  /// written out for each.
  void forEachRow(function_ref<void(Value r, const Row &row)> body) {
    k.forLoop(k.index(0), k.index(numRows), k.index(1), {}, [&](Value r, ValueRange) {
      body(r, item.rowAt(k.add(firstRow, r)));
      return SmallVector<Value>();
    });
  }

  /// Writes what exists of the sums, through scratch.
  void partialTile(const Accumulators &acc) {
    Value buffer = k.scratch(tile.size() * width(), item.problem.accType);
    for (auto [i, value] : llvm::enumerate(acc))
      storeScratch(k, buffer, k.index(i * vectors.lanes), value);
    writeStored(buffer);
  }

  void writeStored(Value buffer) {
    unsigned lanes = vectors.lanes;
    forEachRow([&](Value r, const Row &row) {
      Value rowStart = k.mul(r, k.index(width()));
      if (item.problem.columnsAreFull && epilogue.takesVectors()) {
        for (unsigned c = 0; c < width(); c += lanes) {
          Value sum = loadScratch(k, buffer, k.add(rowStart, k.index(c)), lanes);
          epilogue.write(item, row, k.add(column, k.index(c)), sum, lanes);
        }
        return;
      }
      auto write = [&](unsigned count, Value last) {
        k.forLoop(k.index(0), remaining, k.index(count), {}, [&](Value c, ValueRange) {
          Value at = count == 1 ? c : k.min(c, last);
          Value sum = loadScratch(k, buffer, k.add(rowStart, at), count);
          epilogue.write(item, row, k.add(column, at), sum, count);
          return SmallVector<Value>();
        });
        return SmallVector<Value>();
      };
      if (lanes == 1 || !epilogue.takesVectors())
        return void(write(1, Value()));
      k.ifElse(
          hasVector(), {}, [&] { return write(lanes, k.sub(remaining, k.index(lanes))); },
          [&] { return write(1, Value()); });
    });
  }

  /// Whole vectors past the last channel would run past the input's end: the last one
  /// overlaps the one before. Fewer channels than lanes go one by one.
  void partialDepthwise() {
    if (vectors.lanes == 1)
      return channelByChannel();
    Value lanes = k.index(vectors.lanes);
    auto byVectors = [&] {
      Value last = k.sub(remaining, lanes);
      k.forLoop(k.index(0), remaining, lanes, {}, [&](Value c, ValueRange) {
        Value at = k.min(c, last);
        Value zero = k.floatConstant(0, item.problem.accType, vectors.lanes);
        Accumulators acc(tile.size(), zero);
        acc = sumTile(item, tile, acc, {vectors.lanes, /*perRow=*/1},
                      k.add(columnInPanel, at));
        writeVectors(acc, k.add(column, at), /*perRow=*/1);
        return SmallVector<Value>();
      });
      return SmallVector<Value>();
    };
    k.ifElse(hasVector(), {}, byVectors, [&] {
      channelByChannel();
      return SmallVector<Value>();
    });
  }

  void channelByChannel() {
    k.forLoop(k.index(0), remaining, k.index(1), {}, [&](Value c, ValueRange) {
      forEachRow([&](Value, const Row &row) {
        Value sum =
            sumPixel(item, row, {/*lanes=*/1, /*perRow=*/1}, k.add(columnInPanel, c))[0];
        epilogue.write(item, row, k.add(column, c), sum, 1);
      });
      return SmallVector<Value>();
    });
  }

  const Item &item;
  Epilogue &epilogue;
  Vectors vectors;
  Value firstRow;
  unsigned numRows;
  Value columnInPanel;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  SmallVector<Row> tile;
  Value column;    ///< the tile's first, in the product
  Value remaining; ///< columns of the tile that the product has, where not all
};

} // namespace

void emitTile(const Item &item, Epilogue &epilogue, Vectors vectors, Value firstRow,
              unsigned numRows, Value columnInPanel, bool isWhole) {
  TileEmitter(item, epilogue, vectors, firstRow, numRows, columnInPanel).emit(isWhole);
}

void emitStoredTile(const Item &item, Epilogue &epilogue, Vectors vectors, Value firstRow,
                    unsigned numRows, Value buffer) {
  TileEmitter(item, epilogue, vectors, firstRow, numRows, item.k.index(0))
      .emitStored(buffer);
}

} // namespace hexin::codegen::packed
