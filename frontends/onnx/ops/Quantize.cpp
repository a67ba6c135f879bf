// To and from integers with a scale.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

struct Scaling {
  Value scale, zeroPoint;
  int64_t axis = 0;
  int64_t block = 0;
};

/// Per tensor (scalars), per axis (1-D) or per block (the input's rank).
Scaling readScaling(OpBinder &b) {
  Scaling s;
  s.scale = b.input(1);
  s.zeroPoint = b.input(2);
  s.block = b.intAttr("block_size", 0);
  int64_t rank = HxBuilder::rank(b.input(0));
  bool isOne = HxBuilder::rank(s.scale) <= 1 &&
               b.shapes.numElements(s.scale) == b.shape.constant(1);
  if (s.block == 0 && isOne) {
    s.scale = b.shape.toScalar(s.scale);
    s.zeroPoint = s.zeroPoint ? b.shape.toScalar(s.zeroPoint) : Value();
    return s;
  }
  if (b.node().domain == "com.microsoft" && !b.hasAttribute("axis"))
    b.error("a scale of more than one element needs attribute axis");
  s.axis = b.normalizeAxis(b.intAttr("axis", 1), rank);
  if (s.block < 0)
    b.error("block_size is negative");
  return s;
}

void importQuantizeLinear(OpBinder &b) {
  Scaling s = readScaling(b);
  int64_t outputType = b.intAttr("output_dtype", 0);
  Type type = s.zeroPoint && !b.failed() ? HxBuilder::elementType(s.zeroPoint)
              : outputType != 0          ? b.toType(outputType)
                                         : b.toType(2); // UINT8
  bool saturate = b.intAttr("saturate", 1) != 0;
  Value x = b.input(0);
  if (b.failed())
    return;
  if (!HxBuilder::isFloat(x)) // i32 is allowed: the division is in the scale's type
    x = b.cast(x, HxBuilder::elementType(s.scale));
  b.result(0, b.make<hx::QuantizeOp>(type, x, s.scale, s.zeroPoint, s.axis, s.block,
                                     saturate));
}

void importDequantizeLinear(OpBinder &b) {
  Scaling s = readScaling(b);
  int64_t outputType = b.intAttr("output_dtype", 0);
  if (b.failed())
    return;
  Type type = outputType != 0 ? b.toType(outputType) : HxBuilder::elementType(s.scale);
  b.result(0, b.make<hx::DequantizeOp>(type, b.input(0), s.scale, s.zeroPoint, s.axis,
                                       s.block));
}

void importDynamicQuantizeLinear(OpBinder &b) {
  Type u8 = b.toType(2);
  auto op = b.create<hx::DynamicQuantizeOp>({u8, b.builder.getF32Type(), u8}, b.input(0));
  if (b.failed())
    return;
  b.result(0, op.getResult());
  b.result(1, op.getScale());
  b.result(2, op.getZeroPoint());
}

} // namespace

void registerQuantizeOps(OpTable &table) {
  table.add("", {
                    {"QuantizeLinear", 10, 2, 3, importQuantizeLinear},
                    {"DequantizeLinear", 10, 2, 3, importDequantizeLinear},
                    {"DynamicQuantizeLinear", 11, 1, 1, importDynamicQuantizeLinear},
                });
  table.add("com.microsoft", {
                                 {"QuantizeLinear", 1, 2, 3, importQuantizeLinear},
                                 {"DequantizeLinear", 1, 2, 3, importDequantizeLinear},
                             });
}

} // namespace hexin::onnx
