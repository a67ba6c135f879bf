#include "compiler/target/Operations.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace hexin {
namespace {

using mlir::Value; // not hexin::Value, a model's input or output

/// Multiply-adds of one op, or null.
class Products {
public:
  explicit Products(hx::SymbolicShapes &shapes) : shapes(shapes) {}

  hx::Dim of(Operation *op) {
    return TypeSwitch<Operation *, hx::Dim>(op)
        .Case([&](hx::MatMulOp matmul) {
          hx::Dims lhs = shapes.dims(matmul.getLhs());
          return perResult(op, lhs[lhs.size() - (matmul.getTransposeLhs() ? 2 : 1)]);
        })
        .Case<hx::MatMulIntegerOp, hx::MatMulFewBitsOp>([&](auto matmul) {
          return perResult(op, shapes.dims(matmul.getLhs()).back());
        })
        .Case<hx::ConvOp, hx::ConvIntegerOp>(
            [&](auto conv) { return perResult(op, productOfTail(conv.getWeights())); })
        .Case([&](hx::ConvTransposeOp conv) {
          // Each input element goes into M/groups channels at every tap.
          return multiply(shapes.numElements(conv.getInput()),
                          productOfTail(conv.getWeights()));
        })
        .Case([&](hx::LstmOp lstm) {
          hx::Dims input = shapes.dims(lstm.getInput()); // [T, B, I]
          hx::Dim weights = shapes.numElements(lstm.getRecurrence());
          if (lstm.getWeights())
            weights = symbols().add(weights, shapes.numElements(lstm.getWeights()));
          return symbols().product({input[0], input[1], weights});
        })
        .Case([&](hx::RecurrenceOp layer) {
          hx::Dims input = shapes.dims(layer.getInput());
          return symbols().product(
              {input[0], input[1], shapes.numElements(layer.getRecurrence())});
        })
        .Default([](Operation *) { return hx::Dim(); });
  }

  hx::SymbolTable &symbols() { return shapes.symbols(); }

private:
  hx::Dim multiply(hx::Dim a, hx::Dim b) { return symbols().product({a, b}); }
  hx::Dim perResult(Operation *op, hx::Dim depth) {
    return multiply(shapes.numElements(op->getResult(0)), depth);
  }
  hx::Dim productOfTail(Value value) {
    hx::Dims dims = shapes.dims(value);
    return symbols().product(ArrayRef(dims).drop_front());
  }

  hx::SymbolicShapes &shapes;
};

} // namespace

hx::Dim operationsOf(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  Products products(shapes);
  hx::Dim sum;
  for (Operation &op : group.getBody().front())
    if (hx::Dim count = products.of(&op))
      sum = sum ? products.symbols().add(sum, count) : count;
  return sum ? products.symbols().mul(sum, products.symbols().constant(2)) : hx::Dim();
}

} // namespace hexin
