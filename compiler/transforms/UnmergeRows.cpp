//===- UnmergeRows.cpp - statistics over merged axes, over the axes themselves -===//
//
// Models normalise groups of channels in rows: they reshape [N, C, H, W] to [N, G, r],
// reduce r, scale the rows, and reshape back. Where the image is stored with channels
// last that would move it there and back. It need not: the pixels are reduced for each
// channel, the channels of a group then, as [N, G, C/G]; and what scales rows, [N, G],
// is repeated for each channel.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/LayoutPatterns.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// The coarsest sizes that both `a` and `b` are merged from, each of the same number of
/// elements; nothing where there are none. At most one size of each is unknown: then it
/// stands in front of or behind the others in both.
std::optional<SmallVector<int64_t>> commonParts(ArrayRef<int64_t> a,
                                                ArrayRef<int64_t> b) {
  SmallVector<int64_t> parts;
  while (!a.empty() && !b.empty()) {
    int64_t left = a.front(), right = b.front();
    a = a.drop_front(), b = b.drop_front();
    while (left != right) {
      bool isLeftLess =
          ShapedType::isDynamic(right) || (!ShapedType::isDynamic(left) && left < right);
      int64_t &more = isLeftLess ? right : left, less = isLeftLess ? left : right;
      ArrayRef<int64_t> &rest = isLeftLess ? a : b;
      if (less <= 0 || rest.empty() || (!ShapedType::isDynamic(more) && more % less != 0))
        return std::nullopt;
      parts.push_back(less);
      more = ShapedType::isDynamic(more) ? more : more / less;
      (isLeftLess ? left : right) = rest.front();
      rest = rest.drop_front();
    }
    parts.push_back(left);
  }
  bool hasRest = llvm::any_of(a, [](int64_t size) { return size != 1; }) ||
                 llvm::any_of(b, [](int64_t size) { return size != 1; });
  return hasRest ? std::nullopt : std::optional(parts);
}

SmallVector<int64_t> withoutOnes(RankedTensorType type) {
  SmallVector<int64_t> sizes(type.getShape());
  llvm::erase(sizes, 1);
  return sizes;
}

/// `value` repeated to `sizes`, of which the value's unknown one is unknown, too.
Value broadcast(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> sizes) {
  auto type = tensorTypeOf(value);
  Value shape = shapeConstant(b, loc, sizes);
  if (const int64_t *unknown = llvm::find(sizes, ShapedType::kDynamic);
      unknown != sizes.end()) {
    int64_t axis = unknown - sizes.begin();
    auto vectorOf = [&](int64_t length) {
      return RankedTensorType::get({length}, b.getI64Type());
    };
    Value all = ShapeOfOp::create(b, loc, vectorOf(type.getRank()), value);
    Value one = SliceOp::create(b, loc, vectorOf(1), all, shapeConstant(b, loc, {axis}),
                                shapeConstant(b, loc, {1}), ArrayRef<int64_t>{1});
    Value pieces[] = {shapeConstant(b, loc, sizes.take_front(axis)), one,
                      shapeConstant(b, loc, sizes.drop_front(axis + 1))};
    shape = ConcatOp::create(b, loc, vectorOf(type.getRank()), pieces, 0);
  }
  return BroadcastToOp::create(b, loc, type.clone(sizes), value, shape);
}

bool hasManyUnknown(RankedTensorType type) { return type.getNumDynamicDims() > 1; }

/// The operations between a reshape to rows and those back from them.
class Region {
public:
  explicit Region(ReshapeOp toRows)
      : toRows(toRows), source(tensorTypeOf(toRows.getInput())),
        rows(tensorTypeOf(toRows.getResult())) {}

  /// Whether they all are and may be done on the tensor that is not merged.
  bool find();
  void rewrite();

private:
  bool findParts();
  /// Whether `axis` of the rows is merged from several axes.
  bool isMerged(int64_t axis) const;
  bool isRows(Value value) const {
    return tensorTypeOf(value).getShape() == rows.getShape();
  }
  bool isInside(Value value) const {
    return value == toRows->getResult(0) ||
           (value.getDefiningOp() && ops.contains(value.getDefiningOp()));
  }
  bool isCheap(Value value) const;
  bool takes(Operation *op) const;

  Value spread(OpBuilder &b, Value value) const;
  Value reduced(OpBuilder &b, ReduceOp op, Value input) const;

  ReshapeOp toRows;
  RankedTensorType source, rows;
  SmallVector<int64_t> parts;    ///< what the axes of both are merged from
  SmallVector<int64_t> rowOf;    ///< for each part, the axis of the rows
  SmallVector<int64_t> sourceOf; ///< and that of the tensor
  llvm::SetVector<Operation *> ops;
};

bool Region::findParts() {
  auto common = commonParts(source.getShape(), rows.getShape());
  if (!common)
    return false;
  auto ofRows = partsOf(rows.getShape(), *common);
  auto ofSource = partsOf(source.getShape(), *common);
  if (!ofRows || !ofSource)
    return false;
  parts = *common, rowOf = *ofRows, sourceOf = *ofSource;
  return true;
}

bool Region::isMerged(int64_t axis) const {
  int64_t count = 0;
  for (auto [part, row] : llvm::enumerate(rowOf))
    count += row == axis && parts[part] != 1;
  return count > 1;
}

/// Whether `value` is the same along the merged axes, or is stored anew at no cost.
bool Region::isCheap(Value value) const {
  ArrayRef<int64_t> sizes = tensorTypeOf(value).getShape();
  int64_t missing = rows.getRank() - static_cast<int64_t>(sizes.size());
  return isConstantData(value) ||
         llvm::all_of(llvm::seq<int64_t>(0, sizes.size()), [&](int64_t axis) {
           return sizes[axis] == 1 || !isMerged(axis + missing);
         });
}

/// `op` reads rows.
bool Region::takes(Operation *op) const {
  if (op->getBlock() != toRows->getBlock() || op->getNumResults() != 1)
    return false;
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return llvm::all_of(llvm::seq<int64_t>(0, rows.getRank()), [&](int64_t axis) {
      return !isMerged(axis) || llvm::is_contained(reduce.getAxes(), axis);
    });
  return op->hasTrait<HxElementwise>() && isRows(op->getResult(0)) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isInside(operand) || isCheap(operand);
         });
}

bool Region::find() {
  if (!toRows.getInput().getDefiningOp<TransposeOp>() || hasManyUnknown(source) ||
      hasManyUnknown(rows) || !findParts() ||
      llvm::none_of(rowOf, [&](int64_t axis) { return isMerged(axis); }))
    return false;
  bool hasReduce = false, comesBack = false;
  SmallVector<Value> open{toRows.getResult()};
  while (!open.empty()) {
    Value value = open.pop_back_val();
    for (Operation *user : value.getUsers()) {
      if (auto back = dyn_cast<ReshapeOp>(user);
          back && withoutOnes(tensorTypeOf(back.getResult())) == withoutOnes(source)) {
        comesBack = true;
        continue;
      }
      if (!takes(user))
        return false;
      if (isa<ReduceOp>(user))
        hasReduce = true;
      else if (!ops.contains(user))
        open.push_back(user->getResult(0));
      ops.insert(user);
    }
  }
  return hasReduce && comesBack;
}

/// `value`, which broadcasts to the rows, so that it broadcasts to the tensor.
Value Region::spread(OpBuilder &b, Value value) const {
  Location loc = toRows->getLoc();
  ArrayRef<int64_t> own = tensorTypeOf(value).getShape();
  int64_t missing = rows.getRank() - static_cast<int64_t>(own.size());
  auto numParts = llvm::seq<int64_t>(0, parts.size());
  SmallVector<int64_t> apart, repeated, sizes(source.getRank(), 1);
  for (int64_t part : numParts) {
    bool isWhole = rowOf[part] >= missing && own[rowOf[part] - missing] != 1;
    apart.push_back(isWhole ? parts[part] : 1);
    if (apart.back() != 1)
      sizes[sourceOf[part]] = source.getDimSize(sourceOf[part]);
  }
  for (int64_t part : numParts)
    repeated.push_back(sizes[sourceOf[part]] == 1 ? 1 : parts[part]);
  value = reshaped(b, loc, value, apart);
  if (apart != repeated)
    value = broadcast(b, loc, value, repeated);
  return reshaped(b, loc, value, sizes);
}

/// Axes of the tensor that are reduced as a whole come first, then parts of others.
Value Region::reduced(OpBuilder &b, ReduceOp op, Value input) const {
  auto isKept = [&](int64_t part) {
    return parts[part] != 1 && !llvm::is_contained(op.getAxes(), rowOf[part]);
  };
  SmallVector<int64_t> axes, sizes(source.getShape()), apart, axesOfParts;
  llvm::SmallBitVector keeps(source.getRank());
  for (int64_t part : llvm::seq<int64_t>(0, parts.size()))
    if (isKept(part))
      keeps.set(sourceOf[part]);
  for (int64_t axis : llvm::seq<int64_t>(0, source.getRank()))
    if (!keeps[axis]) {
      axes.push_back(axis);
      sizes[axis] = 1;
    }
  for (int64_t part : llvm::seq<int64_t>(0, parts.size())) {
    apart.push_back(keeps[sourceOf[part]] ? parts[part] : 1);
    if (apart.back() != 1 && !isKept(part))
      axesOfParts.push_back(part);
  }
  auto type = tensorTypeOf(op.getResult());
  auto reduce = [&](ArrayRef<int64_t> sizes, ArrayRef<int64_t> axes) {
    if (!axes.empty())
      input = ReduceOp::create(b, op.getLoc(), type.clone(sizes), op.getFn(), input, axes,
                               true);
  };
  reduce(sizes, axes);
  input = reshaped(b, op.getLoc(), input, apart);
  for (int64_t part : axesOfParts)
    apart[part] = 1;
  reduce(apart, axesOfParts);
  return reshaped(b, op.getLoc(), input, type.getShape());
}

void Region::rewrite() {
  SmallVector<Operation *> inOrder = ops.takeVector();
  llvm::sort(inOrder, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  IRMapping whole; // rows to the tensor that is not merged
  whole.map(toRows->getResult(0), toRows->getOperand(0));
  for (Operation *op : inOrder) {
    OpBuilder b(op);
    if (auto reduce = dyn_cast<ReduceOp>(op)) {
      Value input = whole.lookup(reduce.getInput());
      op->getResult(0).replaceAllUsesWith(reduced(b, reduce, input));
      continue;
    }
    for (Value operand : op->getOperands())
      if (!whole.contains(operand))
        whole.map(operand, spread(b, operand));
    Operation *moved = b.clone(*op, whole);
    moved->getResult(0).setType(tensorTypeOf(op->getResult(0)).clone(source.getShape()));
  }
  for (Operation *op : inOrder) {
    if (isa<ReduceOp>(op))
      continue;
    Value result = op->getResult(0), made = whole.lookup(result);
    OpBuilder b(op->getContext());
    b.setInsertionPointAfterValue(made);
    result.replaceAllUsesWith(reshaped(b, op->getLoc(), made, rows.getShape()));
  }
  for (Operation *op : llvm::reverse(inOrder))
    op->erase();
}

} // namespace

bool unmergeRows(func::FuncOp func) {
  SmallVector<ReshapeOp> found;
  func.walk([&](ReshapeOp op) { found.push_back(op); });
  bool hasChanged = false;
  for (ReshapeOp op : found) {
    Region region(op);
    if (region.find()) {
      region.rewrite();
      hasChanged = true;
    }
  }
  return hasChanged;
}

} // namespace hexin::hx
