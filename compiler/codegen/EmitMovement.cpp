//===- EmitMovement.cpp - movement and gathers as index arithmetic -----------------===//

#include "compiler/codegen/ElementEmitter.h"
#include "compiler/codegen/Positions.h"
#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

Type elementType(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

/// The contents of a shape operand as kernel scalars.
SmallVector<KExpr> hostScalars(KernelBuilder &k, Value operand) {
  SmallVector<KExpr> result;
  std::optional<hx::Dims> contents = k.shapes().contents(operand);
  if (!contents)
    return result;
  for (hx::Dim dim : *contents)
    result.push_back(k.size(dim));
  return result;
}

/// `i` mirrored or wrapped into [0, n); n >= 1.
Value foldOutside(KernelBuilder &k, hx::PadMode mode, Value i, Value n) {
  OpBuilder &b = k.builder();
  Value zero = k.index(0), one = k.index(1);
  auto floorMod = [&](Value x, Value m) -> Value {
    Value r = arith::RemSIOp::create(b, k.loc(), x, m);
    Value isNegative = k.less(r, zero);
    return arith::SelectOp::create(b, k.loc(), isNegative, k.add(r, m), r);
  };
  if (mode == hx::PadMode::edge)
    return k.min(k.max(i, zero), k.sub(n, one));
  if (mode == hx::PadMode::wrap)
    return floorMod(i, n);
  // reflect: period 2(n-1), or everything is 0 when n is 1.
  Value period = k.max(k.mul(k.index(2), k.sub(n, one)), one);
  Value r = floorMod(i, period);
  Value mirrored = k.sub(period, r);
  Value isBeyond = k.less(k.sub(n, one), r);
  Value folded = arith::SelectOp::create(b, k.loc(), isBeyond, mirrored, r);
  return k.min(folded, k.sub(n, one));
}

} // namespace

Value ElementEmitter::emitMovement(OpResult result, ArrayRef<Value> index,
                                   unsigned lanes) {
  OpBuilder &b = k.builder();
  Location loc = k.loc();
  Operation *op = result.getOwner();
  Type resultType = computeType(elementType(result));
  Type laneType = lanes > 1 ? Type(VectorType::get({lanes}, resultType)) : resultType;

  return TypeSwitch<Operation *, Value>(op)
      .Case([&](hx::TransposeOp transpose) {
        SmallVector<Value> at(index.size());
        for (auto [axis, source] : llvm::enumerate(transpose.getPerm()))
          at[source] = index[axis];
        return emit(transpose.getInput(), at, lanes);
      })
      .Case([&](hx::ReshapeOp reshape) {
        Value position = linearize(result, index);
        return emit(reshape.getInput(),
                    k.delinearize(position, sizes(reshape.getInput())), lanes);
      })
      .Case([&](hx::BitcastOp bitcast) -> Value {
        Value x = emit(bitcast.getInput(), index, lanes);
        if (x.getType() == laneType)
          return x;
        if (lanes > 1)
          return vector::BitCastOp::create(b, loc, cast<VectorType>(laneType), x);
        return arith::BitcastOp::create(b, loc, laneType, x);
      })
      .Case([&](hx::SliceOp slice) {
        SmallVector<KExpr> starts = hostScalars(k, slice.getStarts());
        SmallVector<Value> at;
        for (auto [axis, step] : llvm::enumerate(slice.getSteps())) {
          Value scaled = index[axis];
          if (step != 1)
            scaled = k.mul(scaled, k.index(step));
          at.push_back(k.add(scaled, k.value(starts[axis])));
        }
        return emit(slice.getInput(), at, lanes);
      })
      .Case([&](hx::BroadcastToOp broadcast) {
        return readBroadcast(broadcast.getInput(), result, index, lanes);
      })
      .Case([&](hx::IotaOp iota) -> Value {
        size_t axis = iota.getAxis();
        Type type = elementType(result);
        Value i = arith::IndexCastOp::create(b, loc, b.getI64Type(), index[axis]);
        if (lanes > 1) {
          i = k.splat(i, lanes);
          if (axis + 1 == index.size()) {
            SmallVector<int64_t> steps(lanes);
            for (unsigned lane = 0; lane < lanes; ++lane)
              steps[lane] = lane;
            Value offsets = arith::ConstantOp::create(
                b, loc,
                DenseElementsAttr::get(VectorType::get({lanes}, b.getI64Type()),
                                       ArrayRef<int64_t>(steps)));
            i = arith::AddIOp::create(b, loc, i, offsets);
          }
        }
        return emitCast(k, i, b.getI64Type(), type);
      })
      .Case([&](hx::ConcatOp concat) -> Value {
        // A chain of ifs along the axis; each operand is read at its own offset.
        size_t axis = concat.getAxis();
        Value offset = k.index(0);
        SmallVector<Value> offsets;
        for (Value input : concat.getInputs()) {
          offsets.push_back(offset);
          offset = k.add(offset, k.value(sizes(input)[axis]));
        }
        std::function<Value(size_t)> from = [&](size_t i) -> Value {
          auto read = [&]() -> Value {
            SmallVector<Value> at(index);
            at[axis] = k.sub(at[axis], offsets[i]);
            return emit(concat.getInputs()[i], at, lanes);
          };
          if (i + 1 == concat.getInputs().size())
            return read();
          return k.ifElse(
              k.less(index[axis], offsets[i + 1]), laneType,
              [&] { return SmallVector<Value>{read()}; },
              [&] { return SmallVector<Value>{from(i + 1)}; })[0];
        };
        return from(0);
      })
      .Case([&](hx::PadOp pad) -> Value {
        SmallVector<KExpr> low = hostScalars(k, pad.getLow());
        SmallVector<KExpr> in = sizes(pad.getInput());
        SmallVector<Value> at;
        Value isInside;
        for (size_t axis = 0; axis < index.size(); ++axis) {
          bool isUnpadded = dims(pad.getInput())[axis] == dims(result)[axis];
          if (isUnpadded) {
            at.push_back(index[axis]);
            continue;
          }
          Value i = k.sub(index[axis], k.value(low[axis]));
          Value n = k.value(in[axis]);
          if (pad.getMode() != hx::PadMode::constant) {
            at.push_back(foldOutside(k, pad.getMode(), i, n));
            continue;
          }
          // One unsigned compare says 0 <= i < n.
          Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, i, n);
          isInside =
              isInside ? Value(arith::AndIOp::create(b, loc, isInside, inside)) : inside;
          at.push_back(i);
        }
        if (!isInside)
          return emit(pad.getInput(), at, lanes);
        return k.ifElse(
            isInside, laneType,
            [&] { return SmallVector<Value>{emit(pad.getInput(), at, lanes)}; },
            [&] {
              return SmallVector<Value>{k.splat(emit(pad.getValue(), {}, 1), lanes)};
            })[0];
      })
      .Default(Value());
}

Value ElementEmitter::emitGather(Operation *op, ArrayRef<Value> index, unsigned lanes) {
  hx::Dims axisSizes = dims(op->getOperand(0));
  auto position = [&](Value indices, ArrayRef<Value> at, size_t axis) -> Value {
    return codegen::position(k, emit(indices, at, 1), k.size(axisSizes[axis]),
                             areInside(k.shapes(), indices, axisSizes[axis]));
  };
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](hx::GatherOp gather) {
        size_t axis = gather.getAxis();
        size_t indexRank = dims(gather.getIndices()).size();
        size_t batch = gather.getBatchDims();
        // result axes: input[0..axis), indices[batch..), input(axis..]
        SmallVector<Value> indexAt(index.take_front(batch));
        llvm::append_range(indexAt, index.slice(axis, indexRank - batch));
        SmallVector<Value> at(index.take_front(axis));
        at.push_back(position(gather.getIndices(), indexAt, axis));
        llvm::append_range(at, index.drop_front(axis + indexRank - batch));
        return emit(gather.getInput(), at, lanes);
      })
      .Case([&](hx::GatherElementsOp gather) {
        SmallVector<Value> at(index);
        size_t axis = gather.getAxis();
        at[axis] = position(gather.getIndices(), index, axis);
        return emit(gather.getInput(), at, lanes);
      })
      .Case([&](hx::GatherNdOp gather) {
        size_t batch = gather.getBatchDims();
        size_t indexRank = dims(gather.getIndices()).size();
        hx::Dims indexDims = dims(gather.getIndices());
        int64_t coordinates =
            hx::SymbolTable::constantValue(indexDims.back()).value_or(0);
        SmallVector<Value> indexAt(index.take_front(indexRank - 1));
        indexAt.push_back(Value());
        SmallVector<Value> at(index.take_front(batch));
        for (int64_t c = 0; c < coordinates; ++c) {
          indexAt.back() = k.index(c);
          at.push_back(position(gather.getIndices(), indexAt, batch + c));
        }
        llvm::append_range(at, index.drop_front(indexRank - 1));
        return emit(gather.getInput(), at, lanes);
      })
      .Default(Value());
}

} // namespace hexin::codegen
