#include "compiler/codegen/schedules/MovedAxes.h"

using namespace mlir;

namespace hexin::codegen {

hx::TransposeOp onlyTranspose(hx::GroupOp group) {
  hx::TransposeOp found;
  for (Operation &op : group.getBody().front().without_terminator()) {
    if (op.hasTrait<hx::HxElementwise>() || isa<hx::ConstantOp>(op))
      continue;
    if (found || !isa<hx::TransposeOp>(op))
      return {};
    found = cast<hx::TransposeOp>(op);
  }
  return found;
}

MovedAxes::MovedAxes(ArrayRef<int64_t> perm) : perm(perm) {
  for (size_t axis = 0; axis < perm.size(); ++axis)
    if (axis > 0 && perm[axis] == perm[axis - 1] + 1)
      ++runs.back().end;
    else
      runs.push_back({axis, axis + 1});
  while (far < runs.size() &&
         perm[runs[far].end - 1] != static_cast<int64_t>(perm.size()) - 1)
    ++far;
}

KExpr MovedAxes::extent(KernelBuilder &k, ArrayRef<KExpr> sizes, size_t run) const {
  auto [first, end] = runs[run];
  return k.exprs().product(sizes.slice(first, end - first));
}

std::optional<int64_t> MovedAxes::knownExtent(hx::SymbolicShapes &shapes, hx::Dims dims,
                                              size_t run) const {
  auto [first, end] = runs[run];
  return hx::SymbolTable::constantValue(
      shapes.symbols().product(ArrayRef(dims).slice(first, end - first)));
}

SmallVector<Value> MovedAxes::indexAt(KernelBuilder &k, ArrayRef<KExpr> sizes,
                                      ArrayRef<Value> places) const {
  SmallVector<Value> index;
  for (auto [run, place] : llvm::zip_equal(runs, places))
    llvm::append_range(index,
                       k.delinearize(place, sizes.slice(run.first, run.end - run.first)));
  return index;
}

SmallVector<Value> MovedAxes::sourceOf(ArrayRef<Value> index) const {
  SmallVector<Value> source(index.size());
  for (auto [axis, from] : llvm::enumerate(perm))
    source[from] = index[axis];
  return source;
}

} // namespace hexin::codegen
