#include "compiler/codegen/ElementEmitter.h"

#include "compiler/codegen/Positions.h"
#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/elements/Rules.h"
#include "compiler/ir/CheckOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace hexin::codegen {

static bool isStaticOne(hx::Dim dim) { return hx::SymbolTable::constantValue(dim) == 1; }

ElementEmitter::ElementEmitter(KernelBuilder &kernel, hx::GroupOp group)
    : k(kernel), group(group) {}

Value ElementEmitter::yielded(unsigned result) const {
  return group.getBody().front().getTerminator()->getOperand(result);
}

hx::Dims ElementEmitter::dims(Value value) const {
  auto it = virtualDims.find(value);
  return it != virtualDims.end() ? it->second : k.shapes().dims(value);
}

SmallVector<KExpr> ElementEmitter::sizes(Value value) {
  SmallVector<KExpr> result;
  for (hx::Dim dim : dims(value))
    result.push_back(k.size(dim));
  return result;
}

//===----------------------------------------------------------------------===//
// Virtual axes and lanes
//===----------------------------------------------------------------------===//

void ElementEmitter::collapse(Operation *heavy, bool keepLast) {
  Value root = yielded();
  hx::Dims full = dims(root);
  size_t rank = full.size();
  Block &body = group.getBody().front();
  for (Operation &op : body.without_terminator())
    if (&op != heavy && !op.hasTrait<hx::HxElementwise>() &&
        !isa<hx::ConstantOp, hx::RandomBitsOp>(op))
      return;
  for (Value result : body.getTerminator()->getOperands())
    if (dims(result) != full)
      return;

  // Two neighbouring axes merge when every value has both as the root has them,
  // or both as 1 (missing leading axes count as 1). Axes that are 1 in the root
  // merge with any, and are looked through: in [N, 1, S] it is N and S that count.
  SmallVector<Value> values;
  for (Value argument : body.getArguments()) {
    auto users = argument.getUsers();
    auto readsApart = [](Operation *user) { return isa<hx::RandomBitsOp>(user); };
    auto counts = [&](Operation *user) { return user != heavy && !readsApart(user); };
    if (!llvm::any_of(users, counts))
      continue;
    if (llvm::any_of(users, readsApart))
      return;
    values.push_back(argument);
  }
  for (Operation &op : body.without_terminator()) {
    if (isa<hx::QuantizeOp, hx::DequantizeOp>(op))
      return; // their scales name an axis
    llvm::append_range(values, op.getResults());
  }
  enum Kind { one, whole, other };
  auto kindOf = [&](Value value, size_t axis) {
    hx::Dims d = dims(value);
    size_t missing = rank - d.size();
    if (axis < missing)
      return isStaticOne(full[axis]) ? whole : one;
    hx::Dim dim = d[axis - missing];
    if (dim == full[axis])
      return whole;
    return isStaticOne(dim) ? one : other;
  };
  for (Value value : values)
    if (dims(value).size() > rank)
      return;
  SmallVector<bool> mergesWithPrevious(rank, false);
  std::optional<size_t> anchor; // the last axis of the run at hand that is not 1
  for (size_t axis = 0; axis < rank; ++axis) {
    bool mayMerge = axis > 0 && axis + (keepLast ? 1 : 0) < rank;
    mergesWithPrevious[axis] =
        mayMerge && llvm::all_of(values, [&](Value value) {
          Kind kind = kindOf(value, axis);
          return kind != other &&
                 (isStaticOne(full[axis]) || !anchor || kindOf(value, *anchor) == kind);
        });
    if (!mergesWithPrevious[axis])
      anchor.reset();
    if (!isStaticOne(full[axis]))
      anchor = axis;
  }
  hx::SymbolTable &table = k.shapes().symbols();
  for (Value value : values) {
    hx::Dims d = dims(value), merged;
    size_t missing = rank - d.size();
    for (size_t axis = 0; axis < rank; ++axis) {
      hx::Dim dim = axis < missing ? table.constant(1) : d[axis - missing];
      if (axis > 0 && mergesWithPrevious[axis])
        merged.back() = table.mul(merged.back(), dim);
      else
        merged.push_back(dim);
    }
    virtualDims[value] = merged;
  }
}

bool ElementEmitter::keepsLanes(Operation &op) const {
  if (isa<hx::ConstantOp>(op))
    return true;
  if (isa<hx::RandomBitsOp>(op))
    return !dims(op.getResult(0)).empty();
  Value result = op.getResult(0);
  hx::Dims out = dims(result);
  if (out.empty())
    return false;
  if (op.hasTrait<hx::HxElementwise>())
    return true; // a last axis that may turn out to be 1 is asked for at run time
  return TypeSwitch<Operation *, bool>(&op)
      .Case([&](hx::QuantizeOp quantize) { return quantize.getBlock() == 0; })
      .Case([&](hx::DequantizeOp dequantize) { return dequantize.getBlock() == 0; })
      .Case([&](hx::TransposeOp transpose) {
        return transpose.getPerm().back() == static_cast<int64_t>(out.size()) - 1;
      })
      .Case([&](hx::SliceOp slice) { return slice.getSteps().back() == 1; })
      .Case([&](hx::ConcatOp concat) {
        return static_cast<int64_t>(concat.getAxis()) !=
               static_cast<int64_t>(out.size()) - 1;
      })
      .Case([&](hx::PadOp pad) { return dims(pad.getInput()).back() == out.back(); })
      .Case([&](hx::BroadcastToOp) { return true; })
      .Case([&](hx::GatherOp gather) {
        return static_cast<int64_t>(gather.getAxis()) + 1 <
               cast<RankedTensorType>(gather.getInput().getType()).getRank();
      })
      .Case([&](hx::PoolOp pool) { return pool.getLayout() == hx::Layout::nhwc; })
      .Case([&](hx::ResizeOp resize) {
        return dims(resize.getInput()).back() == out.back() &&
               !isStretched(resize, out.size() - 1);
      })
      .Default(false);
}

unsigned ElementEmitter::lanes() const {
  unsigned result = k.traits().vectorLanes;
  for (Value value : group.getBody().front().getTerminator()->getOperands())
    result = std::min(result, lanesOf(value));
  return result;
}

unsigned ElementEmitter::lanesOf(Value root) const {
  unsigned result = k.traits().vectorLanes;
  if (hx::Dims out = dims(root); !out.empty() && isStaticOne(out.back()))
    return 1;
  SmallVector<Value> work{root};
  llvm::DenseSet<Value> seen;
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    if (computeType(elementType(value)).getIntOrFloatBitWidth() > 32)
      result = std::min(result, std::max(1u, k.traits().vectorLanes / 2));
    Operation *op = value.getDefiningOp();
    if (!op || providers.count(value))
      continue;
    if (!keepsLanes(*op))
      return 1;
    if (isa<hx::RandomBitsOp>(op))
      continue; // its operands are the same for all lanes
    llvm::append_range(work, op->getOperands());
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value ElementEmitter::linearize(Value value, ArrayRef<Value> index) {
  SmallVector<KExpr> extent = sizes(value);
  Value position = k.index(0);
  KExpr stride = k.constantExpr(1);
  for (size_t axis = extent.size(); axis-- > 0;) {
    if (getConstantIntValue(index[axis]) != 0)
      position = k.add(k.mul(index[axis], k.value(stride)), position);
    stride = k.exprs().mul(extent[axis], stride);
  }
  return position;
}

Value ElementEmitter::memrefOf(Value bodyValue) {
  auto argument = cast<BlockArgument>(bodyValue);
  return k.bind(group.getInputs()[argument.getArgNumber()],
                k.exprs().product(sizes(bodyValue)));
}

Value ElementEmitter::memrefOfResult(unsigned result) {
  return k.bind(group.getResult(result), k.exprs().product(sizes(yielded(result))),
                /*isWritten=*/true);
}

Value ElementEmitter::loadOuter(BlockArgument argument, ArrayRef<Value> index,
                                unsigned lanes) {
  // One number that the host computes is a param, not memory.
  Value outer = group.getInputs()[argument.getArgNumber()];
  Operation *source = outer.getDefiningOp();
  if (source && !isa<hx::GroupOp, hx::ConstantOp, hx::WeightOp>(source))
    if (auto known = k.shapes().contents(outer); known && known->size() == 1) {
      Type i64 = k.builder().getI64Type();
      Value number = arith::IndexCastOp::create(k.builder(), k.loc(), i64,
                                                k.value(k.scalar(known->front())));
      return k.splat(emitCast(k, number, i64, elementType(argument)), lanes);
    }
  return k.load(memrefOf(argument), linearize(argument, index), lanes,
                elementType(argument));
}

void ElementEmitter::store(unsigned result, ArrayRef<Value> index, Value value) {
  Value root = yielded(result);
  k.store(memrefOfResult(result), linearize(root, index), value, elementType(root));
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

bool ElementEmitter::isUsable(Value known) const {
  // A value is usable here when its block is the insertion block or encloses it.
  Block *home = known.getParentBlock();
  for (Block *block = k.builder().getInsertionBlock(); block;) {
    if (block == home)
      return true;
    Operation *parent = block->getParentOp();
    block = parent ? parent->getBlock() : nullptr;
  }
  return false;
}

Value ElementEmitter::emit(Value value, ArrayRef<Value> index, unsigned lanes) {
  if (auto it = providers.find(value); it != providers.end())
    return it->second(index, lanes);
  for (const Known &known : memo[value])
    if (known.lanes == lanes && llvm::equal(known.index, index) && isUsable(known.value))
      return known.value;
  Value result;
  if (auto argument = dyn_cast<BlockArgument>(value))
    result = loadOuter(argument, index, lanes);
  else
    result = emitOp(cast<OpResult>(value), index, lanes);
  if (!result) {
    // Go on with zeros, so that the caller need not check every value.
    if (!hasFailed)
      value.getDefiningOp()->emitOpError("cannot be computed element by element");
    hasFailed = true;
    Type type = computeType(elementType(value));
    result = isa<FloatType>(type) ? k.floatConstant(0, type, lanes)
                                  : k.intConstant(0, type, lanes);
  }
  memo[value].push_back({SmallVector<Value>(index), lanes, result});
  return result;
}

Value ElementEmitter::readBroadcast(Value operand, Value result, ArrayRef<Value> index,
                                    unsigned lanes) {
  hx::Dims in = dims(operand), out = dims(result);
  size_t missing = out.size() - in.size();
  SmallVector<Value> at;
  Value isOne; // whether the last axis is
  for (size_t axis = 0; axis < in.size(); ++axis) {
    Value i = index[axis + missing];
    if (isStaticOne(in[axis]) && !isStaticOne(out[axis + missing])) {
      i = k.index(0);
    } else if (in[axis] != out[axis + missing] && !isStaticOne(in[axis])) {
      // May turn out to be 1 at run time.
      Value size = k.value(k.size(in[axis]));
      isOne = arith::CmpIOp::create(k.builder(), k.loc(), arith::CmpIPredicate::eq, size,
                                    k.index(1));
      i = arith::SelectOp::create(k.builder(), k.loc(), isOne, k.index(0), i);
    }
    at.push_back(i);
  }
  bool isUniform = in.empty() || (isStaticOne(in.back()) && !isStaticOne(out.back()));
  if (isUniform || (lanes > 1 && isStaticOne(in.back())))
    return k.splat(emit(operand, at, 1), lanes);
  if (lanes == 1 || in.back() == out.back())
    return emit(operand, at, lanes);
  auto splat = [&] { return SmallVector<Value>{k.splat(emit(operand, at, 1), lanes)}; };
  auto all = [&] { return SmallVector<Value>{emit(operand, at, lanes)}; };
  Type type = withLanes(computeType(elementType(operand)), lanes);
  return k.ifElse(isOne, type, splat, all)[0];
}

static Value emitLength(ElementEmitter &emitter, hx::CheckLengthsOp op,
                        ArrayRef<Value> index) {
  KernelBuilder &k = emitter.kernel();
  Value stored = emitter.emit(op.getLengths(), index, 1);
  hx::Dim limit = k.shapes().contents(op.getLimit())->front();
  return arith::IndexCastOp::create(k.builder(), k.loc(), stored.getType(),
                                    length(k, stored, k.scalar(limit)));
}

Value ElementEmitter::emitOp(OpResult result, ArrayRef<Value> index, unsigned lanes) {
  return TypeSwitch<Operation *, Value>(result.getOwner())
      .Case<hx::UnaryOp, hx::BinaryOp, hx::CompareOp, hx::SelectOp, hx::CastOp,
            hx::ActivationOp, hx::ConstantOp, hx::QuantizeOp, hx::DequantizeOp,
            hx::TransposeOp, hx::ReshapeOp, hx::BitcastOp, hx::BroadcastToOp, hx::SliceOp,
            hx::ConcatOp, hx::IotaOp, hx::PadOp, hx::GatherOp, hx::GatherElementsOp,
            hx::GatherNdOp, hx::GatherSumOp, hx::ResizeOp, hx::RandomBitsOp>(
          [&](auto op) { return emitElement(*this, op, index, lanes); })
      .Case<hx::ConvOp, hx::ConvIntegerOp, hx::ConvTransposeOp, hx::MatMulOp,
            hx::MatMulIntegerOp, hx::RoiPoolOp, hx::SortedSearchOp, hx::CouplePairsOp>(
          [&](auto op) { return emitElement(*this, op, index); })
      .Case([&](hx::CheckLengthsOp check) { return emitLength(*this, check, index); })
      .Case([&](hx::PoolOp pool) {
        return result.getResultNumber() == 1 ? emitPoolIndex(*this, pool, index)
                                             : emitElement(*this, pool, index, lanes);
      })
      .Default(Value());
}

} // namespace hexin::codegen
