#include "compiler/codegen/schedules/tiled/HalfTile.h"

#include "compiler/codegen/AsyncCopy.h"
#include "compiler/codegen/schedules/tiled/Chunks.h"
#include "compiler/codegen/schedules/tiled/Steps.h"

using namespace mlir;

namespace hexin::codegen::tiled {
namespace {

class HalfTile {
public:
  HalfTile(const packed::Item &item, packed::Epilogue &epilogue, const HalfShape &shape,
           const TilePlace &place)
      : k(item.k), item(item), epilogue(epilogue), shape(shape), place(place),
        type(elementType(item.problem.lhs)), warp(k, shape) {
    local = k.local(shape.stages * shape.stageElements(), type);
    slab = k.local(shape.slabRows() * shape.slabPitch(), item.problem.sumType);
  }

  void emit() { writeWarpTile(item, epilogue, shape, warp, place, slab, sums()); }

private:
  SmallVector<Value> sums() {
    LhsChunks lhs(item, shape, local, place.firstRow);
    RhsChunks rhs(item, shape, local, place.firstColumn);
    auto fetch = [&](Value step, Value stage) {
      lhs.fetch(step, stage);
      rhs.fetch(step, stage);
    };
    auto sum = [&](Value stage, ValueRange acc) { return sumSlices(stage, acc); };
    SmallVector<Value> zeros(HalfShape::matricesDown * shape.matricesAcross(),
                             packed::zeros(k, item.problem.sumType, 4));
    Steps steps{k.value(stepsOf(k, item.problem)), HalfShape::depth, shape.stages,
                shape.stageElements()};
    return sumSteps(k, steps, zeros, fetch, sum);
  }

  SmallVector<Value> sumSlices(Value stage, ValueRange acc) {
    // Where the thread finds its row of 16 x 16 elements (HalfMatrices.h).
    Value row = k.rem(warp.lane, k.index(16)),
          column = k.mul(k.div(warp.lane, k.index(16)), k.index(8));
    Value leftAt = k.add(k.mul(warp.warpDown, k.index(HalfShape::warpRows)), row);
    leftAt = k.add(k.add(k.mul(leftAt, k.index(shape.lhsPitch())), column), stage);
    Value rightAt = k.add(k.mul(row, k.index(shape.rhsPitch())), column);
    rightAt =
        k.add(k.add(rightAt, warp.warpColumn), k.add(stage, k.index(shape.rhsStart())));
    SmallVector<Value> left, next(acc);
    for (unsigned i = 0; i < HalfShape::matricesDown; ++i)
      left.push_back(loadLeftMatrix(
          k, local,
          k.add(leftAt, k.index(i * HalfShape::matrixRows * shape.lhsPitch()))));
    for (unsigned j = 0; j < shape.matricesAcross(); j += 2) {
      auto right = loadRightMatrices(
          k, local, k.add(rightAt, k.index(j * HalfShape::matrixColumns)));
      for (unsigned i = 0; i < HalfShape::matricesDown; ++i)
        for (unsigned which : {0u, 1u}) {
          Value &sum = next[i * shape.matricesAcross() + j + which];
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
  WarpPlace warp;
  Value local, slab;
};

} // namespace

bool isOfHalfs(const packed::Problem &problem) {
  Type lhs = elementType(problem.lhs), rhs = elementType(problem.rhs);
  return !problem.isInteger && lhs == rhs && (lhs.isF16() || lhs.isBF16()) &&
         problem.sumType.isF32();
}

std::optional<HalfShape> chooseHalfTile(const TeamTraits &team, const ProductSize &size) {
  std::optional<WarpTiling> tiling = chooseWarpTiling(team, size, 128);
  if (!tiling || size.width % HalfShape::chunk != 0)
    return std::nullopt;
  HalfShape shape{*tiling};
  if (shape.localBytes() > team.localBytes)
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
