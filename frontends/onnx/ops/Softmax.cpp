// Softmax and kin.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;

namespace hexin::onnx {
namespace {

/// Before opset 13 the input is taken as [before axis, from axis on].
template <typename Fn> void alongAxis(OpBinder &b, Fn &&compute) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  bool isCoerced = b.sinceVersion() < 13;
  int64_t given = b.intAttr("axis", isCoerced ? 1 : -1);
  if (isCoerced && given == rank) { // [all, 1]
    Dims dims = b.dims(x);
    Value y =
        compute(b.shape.reshape(x, {b.shape.product(dims), b.shape.constant(1)}), 1);
    return b.result(0, b.shape.reshape(y, dims));
  }
  int64_t axis = b.normalizeAxis(given, rank);
  if (b.failed())
    return;
  if (!isCoerced || axis == rank - 1)
    return b.result(0, compute(x, axis));
  Dims dims = b.dims(x);
  ArrayRef<Dim> all(dims);
  Value y = compute(b.shape.reshape(x, {b.shape.product(all.take_front(axis)),
                                        b.shape.product(all.drop_front(axis))}),
                    1);
  b.result(0, b.shape.reshape(y, dims));
}

template <typename OpT> void importSoftmax(OpBinder &b) {
  alongAxis(b, [&](Value x, int64_t axis) {
    return b.failed() ? Value() : b.make<OpT>(HxBuilder::elementType(x), x, axis);
  });
}

/// 1 at the first maximum, 0 elsewhere.
void importHardmax(OpBinder &b) {
  alongAxis(b, [&](Value x, int64_t axis) {
    if (b.failed())
      return Value();
    Type i64 = b.builder.getI64Type();
    Value searched = x;
    // An axis that may be empty has a first maximum when something stands behind it.
    Dims low(b.dims(x).size(), b.shape.constant(0)), high = low;
    high[axis] = b.shape.constant(1);
    if (b.symbols().lowerBound(b.dims(x)[axis]) < 1)
      searched = b.pad(hx::PadMode::constant, x, b.shape.build(low), b.shape.build(high),
                       b.scalarLike(x, -std::numeric_limits<double>::infinity()));
    Value first = b.make<hx::ArgReduceOp>(i64, ReduceFn::max, searched, axis,
                                          /*keepDims=*/true, /*last=*/false);
    Value position = b.shape.iota(b.dims(x), axis, i64);
    return b.cast(b.compare(ComparePredicate::eq, position, first),
                  HxBuilder::elementType(x));
  });
}

} // namespace

void registerSoftmaxOps(OpTable &table) {
  table.add("", {
                    {"Softmax", 1, 1, 1, importSoftmax<hx::SoftmaxOp>},
                    {"Softmax", 13, 1, 1, importSoftmax<hx::SoftmaxOp>},
                    {"LogSoftmax", 1, 1, 1, importSoftmax<hx::LogSoftmaxOp>},
                    {"LogSoftmax", 13, 1, 1, importSoftmax<hx::LogSoftmaxOp>},
                    {"Hardmax", 1, 1, 1, importHardmax},
                    {"Hardmax", 13, 1, 1, importHardmax},
                });
}

} // namespace hexin::onnx
