#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/scalars/Lanes.h"

using namespace mlir;

namespace hexin::codegen {

Value emitCompare(KernelBuilder &k, hx::ComparePredicate predicate, Value x, Value y,
                  Type type) {
  Lanes l(k, x);
  using hx::ComparePredicate;
  if (isa<FloatType>(type)) {
    auto p = predicate == ComparePredicate::eq   ? arith::CmpFPredicate::OEQ
             : predicate == ComparePredicate::lt ? arith::CmpFPredicate::OLT
                                                 : arith::CmpFPredicate::OLE;
    return l.cmpf(p, x, y);
  }
  bool isUnsigned = isUnsignedInt(type);
  using P = arith::CmpIPredicate;
  auto p = predicate == ComparePredicate::eq   ? P::eq
           : predicate == ComparePredicate::lt ? (isUnsigned ? P::ult : P::slt)
                                               : (isUnsigned ? P::ule : P::sle);
  return l.cmpi(p, x, y);
}

} // namespace hexin::codegen
