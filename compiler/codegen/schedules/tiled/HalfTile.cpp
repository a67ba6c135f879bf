#include "compiler/codegen/schedules/tiled/HalfTile.h"

#include "compiler/codegen/AsyncCopy.h"
#include "compiler/codegen/schedules/tiled/Chunks.h"
#include "compiler/codegen/schedules/tiled/Results.h"
#include "compiler/codegen/schedules/tiled/Steps.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen::tiled {
namespace {

constexpr unsigned matrixRows = 16, matrixColumns = 8;
constexpr unsigned matricesDown = HalfShape::warpRows / matrixRows;

class HalfTile {
public:
  HalfTile(const packed::Item &item, packed::Epilogue &epilogue, const HalfShape &shape,
           const TilePlace &place)
      : k(item.k), item(item), epilogue(epilogue), shape(shape), place(place),
        type(elementType(item.problem.lhs)) {
    local = k.local(shape.stages * shape.stageElements(), type);
    slab = k.local(shape.slabRows() * shape.slabPitch(), item.problem.sumType);
    lane = k.rem(k.thread(), k.index(warpThreads));
    Value warp = k.div(k.thread(), k.index(warpThreads));
    warpDown = k.div(warp, k.index(shape.warpsAcross));
    warpColumn =
        k.mul(k.rem(warp, k.index(shape.warpsAcross)), k.index(shape.warpColumns));
  }

  void emit() {
    SmallVector<Value> acc = sums();
    // Slab i has rows 8 (i % 2) .. of the matrices of row i / 2.
    Value to = k.mul(k.add(k.mul(warpDown, k.index(8)), k.div(lane, k.index(4))),
                     k.index(shape.slabPitch()));
    to = k.add(to, k.add(warpColumn, k.mul(k.rem(lane, k.index(4)), k.index(2))));
    auto store = [&](unsigned which) {
      for (unsigned i = 0; i < matricesAcross(); ++i) {
        int64_t first = which % 2 * 2;
        Value pair = vector::ShuffleOp::create(
            k.builder(), k.loc(), acc[which / 2 * matricesAcross() + i],
            acc[which / 2 * matricesAcross() + i], ArrayRef<int64_t>{first, first + 1});
        storeLocal(k, slab, k.add(to, k.index(i * matrixColumns)), pair);
      }
    };
    auto rowOf = [&](Value inSlab, Value which) {
      Value row = k.mul(k.div(inSlab, k.index(8)), k.index(HalfShape::warpRows));
      row = k.add(row, k.rem(inSlab, k.index(8)));
      return k.add(row, k.mul(which, k.index(8)));
    };
    writeResults(item, epilogue, place, slab,
                 {matricesDown * 2, shape.slabRows(), shape.columns(), shape.slabPitch(),
                  store, rowOf});
  }

private:
  unsigned matricesAcross() const { return shape.warpColumns / matrixColumns; }

  SmallVector<Value> sums() {
    LhsChunks lhs(item, shape, local, place.firstRow);
    RhsChunks rhs(item, shape, local, place.firstColumn);
    auto fetch = [&](Value step, Value stage) {
      lhs.fetch(step, stage);
      rhs.fetch(step, stage);
    };
    auto sum = [&](Value stage, ValueRange acc) { return sumSlices(stage, acc); };
    SmallVector<Value> zeros(matricesDown * matricesAcross(),
                             packed::zeros(k, item.problem.sumType, 4));
    Steps steps{k.value(stepsOf(k, item.problem)), HalfShape::depth, shape.stages,
                shape.stageElements()};
    return sumSteps(k, steps, zeros, fetch, sum);
  }

  SmallVector<Value> sumSlices(Value stage, ValueRange acc) {
    // Where the thread finds its row of 16 x 16 elements (HalfMatrices.h).
    Value row = k.rem(lane, k.index(16)),
          column = k.mul(k.div(lane, k.index(16)), k.index(8));
    Value leftAt = k.add(k.mul(warpDown, k.index(HalfShape::warpRows)), row);
    leftAt = k.add(k.add(k.mul(leftAt, k.index(shape.lhsPitch())), column), stage);
    Value rightAt = k.add(k.mul(row, k.index(shape.rhsPitch())), column);
    rightAt = k.add(k.add(rightAt, warpColumn), k.add(stage, k.index(shape.rhsStart())));
    SmallVector<Value> left, next(acc);
    for (unsigned i = 0; i < matricesDown; ++i)
      left.push_back(loadLeftMatrix(
          k, local, k.add(leftAt, k.index(i * matrixRows * shape.lhsPitch()))));
    for (unsigned j = 0; j < matricesAcross(); j += 2) {
      auto right =
          loadRightMatrices(k, local, k.add(rightAt, k.index(j * matrixColumns)));
      for (unsigned i = 0; i < matricesDown; ++i)
        for (unsigned which : {0u, 1u}) {
          Value &sum = next[i * matricesAcross() + j + which];
          sum = multiplyMatrices(k, type, left[i], right[which], sum);
        }
    }
    return next;
  }

  KernelBuilder &k;
  const packed::Item &item;
  packed::Epilogue &epilogue;
  const HalfShape &shape;
  TilePlace place;
  Type type; ///< f16 or bf16
  Value local, slab;
  Value lane;                 ///< the thread's number in its warp
  Value warpDown, warpColumn; ///< the warp's number, its first column in the tile
};

} // namespace

bool isOfHalfs(const packed::Problem &problem) {
  Type lhs = elementType(problem.lhs), rhs = elementType(problem.rhs);
  return !problem.isInteger && lhs == rhs && (lhs.isF16() || lhs.isBF16()) &&
         problem.sumType.isF32();
}

std::optional<HalfShape> chooseHalfTile(const TeamTraits &team, const ProductSize &size) {
  if (!team.halfMatrices)
    return std::nullopt;
  std::optional<TileSize> tile = chooseTileSize(size, 128);
  if (!tile || tile->columns % 16 != 0 || size.width % HalfShape::chunk != 0)
    return std::nullopt;
  HalfShape shape;
  shape.stages = team.stages;
  shape.warpsDown = tile->rows / HalfShape::warpRows;
  shape.warpsAcross = tile->columns >= 64 ? 2 : 1;
  shape.warpColumns = tile->columns / shape.warpsAcross;
  if (shape.threads() > team.threads || shape.localBytes() > team.localBytes)
    return std::nullopt;
  return shape;
}

void emitHalfTile(const packed::Item &item, packed::Epilogue &epilogue,
                  const HalfShape &shape, Value firstRow, Value firstColumn) {
  // Tensor cores cut sums off where other units round them.
  item.k.use.errorConstant = 2;
  HalfTile(item, epilogue, shape, {firstRow, firstColumn, shape.threads()}).emit();
}

} // namespace hexin::codegen::tiled
