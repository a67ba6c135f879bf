#include "compiler/codegen/schedules/attention/AttentionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen {

AttentionParts attentionPartsOf(hx::GroupOp group) {
  AttentionParts parts;
  Block &body = group.getBody().front();
  parts.output = body.getTerminator()->getOperand(0).getDefiningOp<hx::MatMulOp>();
  for (Operation &op : body.without_terminator()) {
    if (auto softmax = dyn_cast<hx::SoftmaxOp>(op))
      parts.softmax = softmax;
    if (auto product = dyn_cast<hx::MatMulOp>(op); product && product != parts.output)
      parts.scores = product;
  }
  if (!parts.output || !parts.scores || !parts.softmax)
    return {};
  parts.seen = parts.scores.getResult();
  for (Operation *user : parts.scores->getUsers())
    if (auto reshape = dyn_cast<hx::ReshapeOp>(user))
      parts.seen = reshape.getResult();
  for (Operation *op = parts.output.getLhs().getDefiningOp();
       op && op != parts.softmax;) {
    parts.hiddenRows = dyn_cast<hx::SelectOp>(op);
    if (parts.hiddenRows)
      break;
    op = op->getOperand(0).getDefiningOp(); // of a cast, of a reshape
  }
  return parts;
}

AttentionEmitter::AttentionEmitter(ElementEmitter &emitter)
    : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()),
      parts(attentionPartsOf(emitter.groupOp())),
      numKeys(emitter.sizes(parts.softmax.getInput()).back()), f32(b.getF32Type()),
      lowest(k.floatConstant(-std::numeric_limits<double>::infinity(), f32, 1)),
      zero(k.floatConstant(0, f32, 1)) {}

Value AttentionEmitter::exp(Value x) { return math::ExpOp::create(b, loc, x); }

Value AttentionEmitter::multiplyAdd(Value x, Value y, Value sum) {
  return math::FmaOp::create(b, loc, x, y, sum);
}

Value AttentionEmitter::baseOf(Value largest) {
  Value isLowest =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, largest, lowest);
  return arith::SelectOp::create(b, loc, isLowest, zero, largest);
}

Value AttentionEmitter::inverse(Value sum) {
  Value hasKeys = inRange(k.index(0), numKeys);
  Value factor = op<arith::DivFOp>(k.floatConstant(1, f32, 1), sum);
  return arith::SelectOp::create(b, loc, hasKeys, factor, zero);
}

int64_t AttentionEmitter::lastSize(Value value) {
  return *hx::SymbolTable::constantValue(emitter.dims(value).back());
}

SmallVector<Value> AttentionEmitter::with(ArrayRef<Value> batch, Value row,
                                          Value column) {
  SmallVector<Value> at(batch);
  at.append({row, column});
  return at;
}

SmallVector<Value> AttentionEmitter::seenRow(ArrayRef<Value> batch, Value row) {
  SmallVector<Value> at(batch);
  at.push_back(row);
  if (parts.seen == parts.scores.getResult())
    return at;
  SmallVector<KExpr> from = emitter.sizes(parts.scores.getResult()),
                     to = emitter.sizes(parts.seen);
  Value position = at.front();
  for (size_t axis = 1; axis < at.size(); ++axis)
    position = k.add(k.mul(position, k.value(from[axis])), at[axis]);
  return k.delinearize(position, ArrayRef(to).drop_back());
}

Value AttentionEmitter::weighed(ArrayRef<Value> seenRow, Value key, Value product,
                                unsigned lanes) {
  score = product;
  emitter.provide(parts.seen, [this](ArrayRef<Value>, unsigned) { return score; });
  SmallVector<Value> at(seenRow);
  at.push_back(key);
  return emitter.emit(parts.softmax.getInput(), at, lanes);
}

Value AttentionEmitter::shown(ArrayRef<Value> seenRow, Value value) {
  if (!parts.hiddenRows)
    return value;
  SmallVector<Value> at(seenRow);
  at.push_back(k.index(0));
  Value isHidden = emitter.readBroadcast(parts.hiddenRows.getCondition(),
                                         parts.hiddenRows.getResult(), at, 1);
  auto vector = dyn_cast<VectorType>(value.getType());
  unsigned lanes = vector ? vector.getNumElements() : 1;
  return arith::SelectOp::create(b, loc, isHidden, k.splat(zero, lanes), value);
}

} // namespace hexin::codegen
