#include "compiler/target/Recompute.h"

#include "compiler/ir/Ops.h"

using namespace mlir;

namespace hexin {
namespace {

using mlir::Value; // not hexin::Value, a model's input or output

bool isCheapFn(hx::BinaryFn fn) {
  return fn == hx::BinaryFn::add || fn == hx::BinaryFn::sub || fn == hx::BinaryFn::mul;
}

/// Known to repeat its elements over `sizes`.
bool broadcasts(Value value, ArrayRef<int64_t> sizes) {
  auto type = cast<RankedTensorType>(value.getType());
  ArrayRef<int64_t> own = type.getShape();
  for (auto [size, whole] : llvm::zip(own, sizes.take_back(own.size())))
    if (size == 1 && whole != 1)
      return true;
  return llvm::any_of(sizes.drop_back(own.size()),
                      [](int64_t size) { return size != 1; });
}

/// Whether a kernel that `user` becomes computes what it reads of `result` on the way.
bool absorbs(Operation *user, Value result, hx::SymbolicShapes &shapes) {
  if (auto reduce = dyn_cast<hx::ReduceOp>(user))
    return reduce.getInput() == result;
  return user->hasTrait<hx::HxElementwise>() && user->getNumResults() == 1 &&
         shapes.dims(user->getResult(0)) == shapes.dims(result);
}

bool isWorthIt(hx::BinaryOp op, hx::SymbolicShapes &shapes) {
  Value large = op.getLhs(), small = op.getRhs(), result = op.getResult();
  ArrayRef<int64_t> sizes = cast<RankedTensorType>(result.getType()).getShape();
  if (!isCheapFn(op.getFn()) || shapes.dims(large) != shapes.dims(result) ||
      !broadcasts(small, sizes))
    return false;
  auto isOther = [&](Operation *user) { return user != op && !isa<hx::ShapeOfOp>(user); };
  SmallPtrSet<Operation *, 4> readers(result.getUsers().begin(), result.getUsers().end());
  return readers.size() > 1 && llvm::any_of(large.getUsers(), isOther) &&
         llvm::all_of(readers, [&](Operation *user) {
           return user->getBlock() == op->getBlock() && absorbs(user, result, shapes);
         });
}

} // namespace

LogicalResult recomputeCheap(func::FuncOp func, hx::SymbolicShapes &shapes) {
  SmallVector<hx::BinaryOp> found;
  func.walk([&](hx::BinaryOp op) {
    if (isWorthIt(op, shapes))
      found.push_back(op);
  });
  for (hx::BinaryOp op : found) {
    SmallPtrSet<Operation *, 4> readers(op.getResult().getUsers().begin(),
                                        op.getResult().getUsers().end());
    readers.erase(*op.getResult().getUsers().begin()); // this one reads the original
    for (Operation *reader : readers) {
      Operation *copy = OpBuilder(reader).clone(*op);
      reader->replaceUsesOfWith(op.getResult(), copy->getResult(0));
      if (failed(shapes.infer(copy)))
        return failure();
    }
  }
  return success();
}

} // namespace hexin
