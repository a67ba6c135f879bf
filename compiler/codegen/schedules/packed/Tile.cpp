#include "compiler/codegen/schedules/packed/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
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
  const Problem &p = problem;
  current = sum;
  Value flat = row.flat, channel = column;
  if (p.conv)
    channel = k.add(k.mul(item.outerIndex, k.value(p.columns)), column);
  else if (!p.batchSizes.empty())
    flat = k.add(k.mul(item.outerIndex, k.value(p.rows)), flat);
  if (p.conv && p.conv.getBias()) {
    Value bias = emitter.emit(p.conv.getBias(), {channel}, lanes);
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
              unsigned numRows, unsigned columnInPanel)
      : item(item), epilogue(epilogue), vectors(vectors), columnInPanel(columnInPanel),
        k(item.k), b(k.builder()), loc(k.loc()) {
    for (unsigned r = 0; r < numRows; ++r)
      tile.push_back(item.rowAt(k.add(firstRow, k.index(r))));
    column = k.add(item.firstColumn, k.index(columnInPanel));
  }

  void emit() {
    if (item.problem.columnsAreFull)
      return wholeTile();
    Value end = k.add(column, k.index(width()));
    Value isWhole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, end,
                                          k.value(item.problem.columns));
    auto ifOp = scf::IfOp::create(b, loc, isWhole, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
    wholeTile();
    b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
    if (item.problem.isDepthwise)
      columnByColumn();
    else
      partialTile();
  }

private:
  unsigned width() const { return vectors.perRow * vectors.lanes; }

  /// Columns of the tile that the product has.
  Value remainingColumns() {
    return k.min(k.index(width()), k.sub(k.value(item.problem.columns), column));
  }

  Accumulators sums() {
    Value zero = k.floatConstant(0, item.problem.accType, vectors.lanes);
    Accumulators init(tile.size() * vectors.perRow, zero);
    return sumTile(item, tile, init, vectors, k.index(columnInPanel));
  }

  void wholeTile() {
    Accumulators acc = sums();
    for (auto [r, row] : llvm::enumerate(tile))
      for (unsigned v = 0; v < vectors.perRow; ++v)
        writeVector(row, acc[r * vectors.perRow + v],
                    k.add(column, k.index(v * vectors.lanes)));
  }

  void writeVector(const Row &row, Value sum, Value at) {
    if (vectors.lanes == 1 || epilogue.takesVectors())
      return epilogue.write(item, row, at, sum, vectors.lanes);
    for (unsigned lane = 0; lane < vectors.lanes; ++lane) {
      Value element = vector::ExtractOp::create(b, loc, sum, ArrayRef<int64_t>{lane});
      epilogue.write(item, row, k.add(at, k.index(lane)), element, 1);
    }
  }

  /// Panels are padded, so the sums may be whole; what exists of them is written
  /// through scratch.
  void partialTile() {
    Value remaining = remainingColumns();
    Accumulators acc = sums();
    Value buffer = k.scratch(tile.size() * width(), item.problem.accType);
    for (auto [i, value] : llvm::enumerate(acc)) {
      Value at = k.index(i * vectors.lanes);
      if (vectors.lanes > 1)
        vector::StoreOp::create(b, loc, value, buffer, ValueRange(at));
      else
        memref::StoreOp::create(b, loc, value, buffer, ValueRange(at));
    }
    for (auto [r, row] : llvm::enumerate(tile))
      k.forLoop(k.index(0), remaining, k.index(1), {}, [&](Value c, ValueRange) {
        Value at = k.add(k.index(r * width()), c);
        Value element = memref::LoadOp::create(b, loc, buffer, ValueRange(at));
        epilogue.write(item, row, k.add(column, c), element, 1);
        return SmallVector<Value>();
      });
  }

  /// Depthwise: vector loads of the input would run past its end.
  void columnByColumn() {
    Value remaining = remainingColumns();
    k.forLoop(k.index(0), remaining, k.index(1), {}, [&](Value c, ValueRange) {
      Accumulators acc(tile.size(), k.floatConstant(0, item.problem.accType, 1));
      acc = sumTile(item, tile, acc, {/*lanes=*/1, /*perRow=*/1},
                    k.add(k.index(columnInPanel), c));
      for (auto [row, sum] : llvm::zip(tile, acc))
        epilogue.write(item, row, k.add(column, c), sum, 1);
      return SmallVector<Value>();
    });
  }

  const Item &item;
  Epilogue &epilogue;
  Vectors vectors;
  unsigned columnInPanel;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  SmallVector<Row> tile;
  Value column; ///< the tile's first, in the product
};

} // namespace

void emitTile(const Item &item, Epilogue &epilogue, Vectors vectors, Value firstRow,
              unsigned numRows, unsigned columnInPanel) {
  TileEmitter(item, epilogue, vectors, firstRow, numRows, columnInPanel).emit();
}

} // namespace hexin::codegen::packed
