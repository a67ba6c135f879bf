//===- InputTransform.cpp - V of a block of tiles ---------------------------------===//
//
// For each tile and vector of channels: rows first, into a buffer, then columns. The
// loops over rows and columns have a param as their bound. With a constant the compiler
// would make one block of them, whose 36 values no machine has registers for.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/winograd/Blocks.h"
#include "compiler/codegen/schedules/winograd/Points.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen::winograd {
namespace {

class InputTransform {
public:
  InputTransform(const packed::Item &item, const Blocks &blocks, Block block,
                 Value workspace)
      : item(item), blocks(blocks), block(block), workspace(workspace), k(item.k),
        b(k.builder()), loc(k.loc()), numPoints(blocks.tile + 2),
        lanes(blocks.vectors.lanes) {
    buffer = k.scratch(numPoints * numPoints * lanes, b.getF32Type());
  }

  void emit() {
    forEach(k.index(0), block.count, [&](Value t) {
      TilePlace place = placeOf(item, blocks, k.add(block.first, t));
      const packed::Problem &p = item.problem;
      y = k.sub(place.y, k.value(p.beginPad[0]));
      x = k.sub(place.x, k.value(p.beginPad[1]));
      imageRow = k.mul(place.image, k.value(p.inSizes[1]));
      inside.clear();
      for (unsigned j = 0; j < numPoints; ++j)
        inside.push_back(
            packed::isInside(k, k.add(x, k.index(j)), k.value(p.inSizes[2])));
      auto emitTile = [&](bool isMasked) {
        return [this, t, isMasked] {
          forEachVector(t, isMasked);
          return SmallVector<Value>();
        };
      };
      k.ifElse(packed::allOf(k, inside), {}, emitTile(false), emitTile(true));
    });
  }

private:
  void forEach(Value lower, Value upper, function_ref<void(Value)> body) {
    k.forLoop(lower, upper, k.index(1), {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }

  void forEachVector(Value t, bool isMasked) {
    masks.clear();
    if (isMasked)
      for (Value isIn : inside)
        masks.push_back(maskOf(isIn));
    const packed::Problem &p = item.problem;
    Value points = k.value(blocks.points);
    forEach(k.index(0), k.value(blocks.channelVectors), [&](Value c) {
      Value channel =
          k.min(k.mul(c, k.index(lanes)), k.sub(k.value(p.depth), k.index(lanes)));
      forEach(k.index(0), points, [&](Value i) { transformRow(i, channel, isMasked); });
      Value tileAt = k.add(k.mul(c, k.value(blocks.maxTiles)), t);
      tileAt = k.mul(tileAt, k.index(lanes));
      forEach(k.index(0), points, [&](Value j) { transformColumn(j, tileAt); });
    });
  }

  /// Row i of the tile's inputs to row i of the buffer.
  void transformRow(Value i, Value channel, bool isMasked) {
    const packed::Problem &p = item.problem;
    Value row = k.add(y, i);
    Value at = k.mul(i, k.index(numPoints * lanes));
    auto whenInside = [&] {
      Value line = k.mul(k.add(imageRow, row), k.value(p.inSizes[2]));
      Value first = k.add(item.lhsBase, channel);
      auto pixel = [&](Value number) {
        return k.add(k.mul(k.add(line, number), k.value(p.channels)), first);
      };
      SmallVector<Value> d;
      for (unsigned j = 0; j < numPoints; ++j) {
        Value number = k.add(x, k.index(j));
        if (isMasked)
          number = arith::SelectOp::create(b, loc, inside[j], number, k.index(0));
        Value value = item.loadLhs(pixel(number), lanes);
        d.push_back(isMasked ? masked(value, masks[j]) : value);
      }
      for (auto [j, value] : llvm::enumerate(transformInputs(k, blocks.tile, d)))
        packed::storeScratch(k, buffer, k.add(at, k.index(j * lanes)), value);
      return SmallVector<Value>();
    };
    auto whenOutside = [&] {
      Value zero = k.floatConstant(0, b.getF32Type(), lanes);
      for (unsigned j = 0; j < numPoints; ++j)
        packed::storeScratch(k, buffer, k.add(at, k.index(j * lanes)), zero);
      return SmallVector<Value>();
    };
    k.ifElse(packed::isInside(k, row, k.value(p.inSizes[1])), {}, whenInside,
             whenOutside);
  }

  /// Column j of the buffer to V's points in column j.
  void transformColumn(Value j, Value tileAt) {
    SmallVector<Value> d;
    for (unsigned i = 0; i < numPoints; ++i)
      d.push_back(packed::loadScratch(
          k, buffer, k.mul(k.add(k.index(i * numPoints), j), k.index(lanes)), lanes));
    Value pitch = k.value(blocks.inputPitch);
    Value at = k.add(k.mul(j, pitch), tileAt);
    Value rowPitch = k.mul(k.value(blocks.points), pitch);
    for (auto [i, value] : llvm::enumerate(transformInputs(k, blocks.tile, d)))
      packed::storeScratch(k, workspace, k.add(at, k.mul(rowPitch, k.index(i))), value);
  }

  /// All bits or none, in every lane.
  Value maskOf(Value condition) {
    Value mask = arith::ExtSIOp::create(b, loc, b.getI32Type(), condition);
    return k.splat(mask, lanes);
  }

  /// Not by a multiplication: what is masked out may be no number.
  Value masked(Value value, Value mask) {
    Type bits = mask.getType();
    auto cast = [&](Value v, Type type) -> Value {
      if (lanes > 1)
        return vector::BitCastOp::create(b, loc, type, v);
      return arith::BitcastOp::create(b, loc, type, v);
    };
    Value kept = arith::AndIOp::create(b, loc, cast(value, bits), mask);
    return cast(kept, value.getType());
  }

  const packed::Item &item;
  const Blocks &blocks;
  Block block;
  Value workspace;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  unsigned numPoints, lanes;
  Value buffer;
  Value y, x, imageRow; ///< of the tile's inputs; may be outside
  SmallVector<Value> inside, masks;
};

} // namespace

void emitInputTransform(const packed::Item &item, const Blocks &blocks, Block block,
                        Value workspace) {
  InputTransform(item, blocks, block, workspace).emit();
}

} // namespace hexin::codegen::winograd
