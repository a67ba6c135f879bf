#include "frontends/onnx/StringMoves.h"

#include "compiler/ir/ValueTypes.h"

using namespace mlir;

namespace hexin::onnx {

StringMoves::StringMoves(OpBinder &b, ArrayRef<Value> inputs) : operands(inputs) {
  SmallVector<Value> all{b.strings({""}, {1})};
  hx::Dim next = b.shape.constant(1);
  Type i64 = b.builder.getI64Type();
  for (Value &operand : operands) {
    if (!operand || !hx::isHostType(operand.getType()) || b.failed())
      continue;
    hx::Dims dims = b.dims(operand);
    hx::Dim count = b.shape.product(dims);
    all.push_back(b.shape.reshape(operand, {count}));
    Value positions =
        b.add(b.shape.iota({count}, 0, i64), b.shape.buildScalar(next, i64));
    operand = b.shape.reshape(positions, dims);
    next = b.symbols().add(next, count);
  }
  words = b.failed() ? Value() : b.concat(all, 0);
}

Value StringMoves::at(OpBinder &b, Value positions) const {
  return b.failed() ? Value() : b.gather(words, positions, 0);
}

} // namespace hexin::onnx
