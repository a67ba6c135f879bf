#include "compiler/codegen/Positions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {

bool areInside(hx::SymbolicShapes &shapes, Value indices, hx::Dim size) {
  std::optional<hx::Dims> contents = shapes.contents(indices);
  int64_t atLeast = shapes.symbols().lowerBound(size);
  return contents && llvm::all_of(*contents, [&](hx::Dim element) {
           auto index = hx::SymbolTable::constantValue(element);
           return index && *index >= -atLeast && *index < atLeast;
         });
}

Value position(KernelBuilder &k, Value stored, KExpr size, bool isInside,
               bool countsFromEnd) {
  OpBuilder &b = k.builder();
  Value i = arith::IndexCastOp::create(b, k.loc(), b.getIndexType(), stored);
  Value n = k.value(size);
  Value counted = i;
  if (countsFromEnd)
    counted = arith::SelectOp::create(b, k.loc(), k.less(i, k.index(0)), k.add(i, n), i);
  if (isInside)
    return counted;
  // One unsigned compare says 0 <= counted < n.
  Value isOutside =
      arith::CmpIOp::create(b, k.loc(), arith::CmpIPredicate::uge, counted, n);
  k.ifThen(isOutside, [&] {
    k.reportFault(i, n,
                  countsFromEnd ? KernelBuilder::FaultKind::index
                                : KernelBuilder::FaultKind::indexFromStart);
  });
  return k.max(k.index(0), k.min(counted, k.sub(n, k.index(1))));
}

Value length(KernelBuilder &k, Value stored, KExpr limit) {
  OpBuilder &b = k.builder();
  Value given = arith::IndexCastOp::create(b, k.loc(), b.getIndexType(), stored);
  Value most = k.value(limit);
  Value isOutside =
      arith::CmpIOp::create(b, k.loc(), arith::CmpIPredicate::ugt, given, most);
  k.ifThen(isOutside,
           [&] { k.reportFault(given, most, KernelBuilder::FaultKind::length); });
  return k.max(k.index(0), k.min(given, most));
}

} // namespace hexin::codegen
