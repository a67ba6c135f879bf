#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/scalars/Lanes.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen {

Value emitReduceStep(KernelBuilder &k, hx::ReduceFn fn, Value accumulator, Value x,
                     Type type) {
  using hx::BinaryFn, hx::ReduceFn;
  BinaryFn binary = fn == ReduceFn::sum    ? BinaryFn::add
                    : fn == ReduceFn::prod ? BinaryFn::mul
                    : fn == ReduceFn::max  ? BinaryFn::max
                                           : BinaryFn::min;
  return emitBinary(k, binary, accumulator, x, type);
}

Value reduceIdentity(KernelBuilder &k, hx::ReduceFn fn, Type type, unsigned lanes) {
  using hx::ReduceFn;
  Type compute = computeType(type);
  if (isa<FloatType>(compute)) {
    double infinity = std::numeric_limits<double>::infinity();
    double value = fn == ReduceFn::sum    ? 0
                   : fn == ReduceFn::prod ? 1
                   : fn == ReduceFn::max  ? -infinity
                                          : infinity;
    return k.floatConstant(value, compute, lanes);
  }
  unsigned width = compute.getIntOrFloatBitWidth();
  bool isUnsigned = isUnsignedInt(type);
  int64_t highest =
      isUnsigned ? -1 : static_cast<int64_t>((uint64_t(1) << (width - 1)) - 1);
  int64_t lowest = isUnsigned ? 0 : -highest - 1;
  int64_t value = fn == ReduceFn::sum    ? 0
                  : fn == ReduceFn::prod ? 1
                  : fn == ReduceFn::max  ? lowest
                                         : highest;
  return k.intConstant(value, compute, lanes);
}

} // namespace hexin::codegen
