//===- Tiled.cpp - products by teams, from slices in local memory -----------===//
//
// The packed schedule's work (packed/Problem.h: matmul and conv, channels last, over
// panels) for devices with memory on the chip. An item is a tile of the product and is
// run by a team; each of its threads sums a part of it in registers:
//
//   for steps of the depth, 16 (or 8) at a time                    (tiled/Steps.h)
//     all threads: a slice of lhs and of rhs into local memory     (tiled/Slices.h)
//     for each: acc[r][c] += lhs[row r] * rhs[column c]            (tiled/BlockTile.cpp)
//       (or whole matrices of halfs or 8-bit integers by warps
//                                                 (tiled/HalfTile.cpp, ByteTile.cpp))
//   through local memory: epilogue, store                          (tiled/Results.h)
//
// For example [100, 64] x [64, 40]: tiles of 64 x 64, two teams of 256 threads with 4 x 4
// sums each, four slices. An element of an operand is read once per tile: 2 loads from
// memory for 64 multiply-adds, where an item that computes an element by itself does 128.
//
// How large a tile is, how many sums a thread holds and how many slices are on their way
// follows from CodegenTraits::team (tiled/TileShape.h).
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/tiled/BlockTile.h"
#include "compiler/codegen/schedules/tiled/ByteTile.h"
#include "compiler/codegen/schedules/tiled/HalfTile.h"
#include "compiler/codegen/schedules/tiled/Slices.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

using tiled::ByteShape;
using tiled::HalfShape;
using tiled::TileShape;

/// The columns of each product of `heavy`, where that is known.
std::optional<int64_t> columnsOf(Operation *heavy, hx::SymbolicShapes &shapes) {
  hx::PanelsAttr panels = packed::panelsOf(heavy->getOperand(1));
  hx::Dims dims = shapes.dims(heavy->getOperand(1));
  size_t axis = panels.getConv()         ? 0
                : panels.getTransposed() ? dims.size() - 2
                                         : dims.size() - 1;
  std::optional<int64_t> columns = hx::SymbolTable::constantValue(dims[axis]);
  if (columns && panels.getConv())
    *columns /= panels.getGroups();
  return columns;
}

tiled::ProductSize sizeOf(Operation *heavy, hx::SymbolicShapes &shapes) {
  hx::SymbolTable &table = shapes.symbols();
  hx::PanelsAttr panels = packed::panelsOf(heavy->getOperand(1));
  hx::Dims lhs = shapes.dims(heavy->getOperand(0));
  hx::Dims rhs = shapes.dims(heavy->getOperand(1));
  hx::Dims result = shapes.dims(heavy->getResult(0));
  auto countOf = [&](ArrayRef<hx::Dim> dims) {
    return hx::SymbolTable::constantValue(table.product(dims));
  };
  tiled::ProductSize size;
  size.columns = columnsOf(heavy, shapes);
  size.width = panels.getWidth();
  bool isBatched = llvm::any_of(ArrayRef(rhs).drop_back(2), [&](const hx::Dim &dim) {
    return hx::SymbolTable::constantValue(dim) != 1;
  });
  if (panels.getConv() || !isBatched) {
    size.rows = countOf(ArrayRef(result).drop_back());
    size.products = panels.getConv() ? panels.getGroups() : 1;
    return size;
  }
  size.rows = hx::SymbolTable::constantValue(lhs[lhs.size() - 2]);
  size.products =
      std::max<int64_t>(1, countOf(ArrayRef(result).drop_back(2)).value_or(1));
  return size;
}

/// The loop over tiles: emitTile(item, the tile's first row, its first column).
template <typename Shape>
LogicalResult emitTiles(ElementEmitter &emitter, const packed::Problem &problem,
                        const Shape &shape,
                        function_ref<void(const packed::Item &, Value, Value)> emitTile) {
  KernelBuilder &k = emitter.kernel();
  KExpr rowTiles = k.exprs().ceilDiv(problem.rows, k.constantExpr(shape.rows()));
  KExpr columnTiles = k.exprs().ceilDiv(problem.columns, k.constantExpr(shape.columns()));
  SmallVector<KExpr> space{problem.outer, rowTiles, columnTiles};
  Value number = k.beginTeamItems(k.exprs().product(space), shape.threads());
  SmallVector<Value> at = k.delinearize(number, space);
  packed::Item item(emitter, problem, /*outerIndex=*/at[0], /*panel=*/k.index(0));
  emitTile(item, k.mul(at[1], k.index(shape.rows())),
           k.mul(at[2], k.index(shape.columns())));
  return success();
}

LogicalResult emitTiled(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  Operation *heavy = heavyOp(emitter.groupOp());
  packed::Problem problem(emitter, heavy);
  problem.sumType = problem.accType; // integers are summed as such
  packed::Epilogue epilogue(emitter, problem, heavy);
  tiled::ProductSize size = sizeOf(heavy, k.shapes());
  size.hasWindow = tiled::hasWindow(problem);
  size.isByElements = !tiled::hasWholeChunks(problem);
  if (tiled::isOfHalfs(problem))
    if (std::optional<HalfShape> shape = tiled::chooseHalfTile(k.traits().team, size))
      return emitTiles(emitter, problem, *shape,
                       [&](const packed::Item &item, Value row, Value column) {
                         tiled::emitHalfTile(item, epilogue, *shape, row, column);
                       });
  if (tiled::isOfBytes(problem))
    if (std::optional<ByteShape> shape = tiled::chooseByteTile(k.traits().team, size))
      return emitTiles(emitter, problem, *shape,
                       [&](const packed::Item &item, Value row, Value column) {
                         tiled::emitByteTile(item, epilogue, *shape, row, column);
                       });
  std::optional<TileShape> shape = tiled::chooseTile(k.traits().team, size);
  if (!shape)
    return failure();
  return emitTiles(emitter, problem, *shape,
                   [&](const packed::Item &item, Value row, Value column) {
                     tiled::emitBlockTile(item, epilogue, *shape, row, column);
                   });
}

/// Multiply-adds of `heavy`, where that is known.
std::optional<int64_t> workOf(Operation *heavy, hx::SymbolicShapes &shapes) {
  hx::SymbolTable &table = shapes.symbols();
  hx::Dims factors = shapes.dims(heavy->getResult(0));
  hx::Dims lhs = shapes.dims(heavy->getOperand(0));
  hx::Dims rhs = shapes.dims(heavy->getOperand(1));
  if (packed::panelsOf(heavy->getOperand(1)).getConv())
    factors.append(rhs.begin() + 1, rhs.end());
  else
    factors.push_back(lhs.back());
  return hx::SymbolTable::constantValue(table.product(factors));
}

int64_t groupsOf(Operation *conv) {
  if (auto op = dyn_cast<hx::ConvOp>(conv))
    return op.getGroups();
  return cast<hx::ConvIntegerOp>(conv).getGroups();
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  if (std::string reason = packedSchedule.refusal(group, shapes); !reason.empty())
    return reason;
  constexpr int64_t littleWork = 1 << 18, fewColumns = 8, manySteps = INT32_MAX;
  Operation *heavy = heavyOp(group);
  if (isa<hx::MatMulFewBitsOp>(heavy))
    return "weights of few bits";
  hx::PanelsAttr panels = packed::panelsOf(heavy->getOperand(1));
  hx::Dims rhs = shapes.dims(heavy->getOperand(1));
  std::optional<int64_t> columns = columnsOf(heavy, shapes);
  if (computeType(elementType(heavy->getResult(0))).isF64())
    return "of 64 bits";
  if (columns && *columns <= fewColumns)
    return "few columns";
  // The least that a team may have to offer.
  if (!tiled::chooseTile({256, 16384}, sizeOf(heavy, shapes)))
    return "no tile is whole panels";
  if (panels.getConv()) {
    hx::Dim steps = shapes.symbols().product(ArrayRef(rhs).drop_front());
    std::optional<int64_t> number = hx::SymbolTable::constantValue(steps);
    if (!number || *number > manySteps)
      return "many taps";
    if (hx::SymbolTable::constantValue(rhs[1]) == 1 && groupsOf(heavy) > 1)
      return "one channel a group";
  }
  std::optional<int64_t> work = workOf(heavy, shapes);
  return work && *work < littleWork ? "little work" : "";
}

} // namespace

const Schedule tiledSchedule = {"tiled", refusal, emitTiled, 1};

} // namespace hexin::codegen
