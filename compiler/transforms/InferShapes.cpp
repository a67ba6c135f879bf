//===- InferShapes.cpp - sizes that follow from the arguments' --------------===//

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/transforms/Passes.h"

namespace hexin::hx {
#define GEN_PASS_DEF_INFERSHAPESPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {

static std::string toString(SymbolTable &symbols, ArrayRef<Dim> dims) {
  std::string text = "[";
  for (auto [i, dim] : llvm::enumerate(dims))
    text += (i ? ", " : "") + symbols.toString(dim);
  return text + "]";
}

static void annotateOp(Operation *op, SymbolicShapes &shapes) {
  SmallVector<std::string> sizes, contents;
  for (Value result : op->getResults()) {
    if (!isa<RankedTensorType>(result.getType()))
      continue;
    sizes.push_back(toString(shapes.symbols(), shapes.dims(result)));
    if (auto elements = shapes.contents(result))
      contents.push_back(toString(shapes.symbols(), *elements));
  }
  Builder builder(op->getContext());
  auto asAttribute = [&](ArrayRef<std::string> texts) {
    return builder.getStrArrayAttr(SmallVector<StringRef>(texts.begin(), texts.end()));
  };
  if (!sizes.empty())
    op->setAttr("hx.sizes", asAttribute(sizes));
  if (!contents.empty())
    op->setAttr("hx.contents", asAttribute(contents));
}

static std::string toString(SymbolTable &symbols, const SymbolConstraint &constraint) {
  std::string lhs = symbols.toString(constraint.lhs);
  if (constraint.rhs)
    return lhs + " == " + symbols.toString(constraint.rhs);
  std::string text = lhs + " >= " + std::to_string(constraint.lower);
  if (constraint.upper != INT64_MAX)
    text += ", " + lhs + " <= " + std::to_string(constraint.upper);
  return text;
}

static void annotateFunction(func::FuncOp func, SymbolicShapes &shapes) {
  func.walk([&](Operation *op) {
    if (isa<ShapeOpInterface>(op) && !isa<ConstantOp, WeightOp>(op))
      annotateOp(op, shapes);
  });
  SmallVector<Attribute> constraints;
  for (const SymbolConstraint &constraint : shapes.symbols().constraints())
    constraints.push_back(
        StringAttr::get(func.getContext(), toString(shapes.symbols(), constraint)));
  if (!constraints.empty())
    func->setAttr("hx.constraints", ArrayAttr::get(func.getContext(), constraints));
}

namespace {
struct InferShapesPass : public impl::InferShapesPassBase<InferShapesPass> {
  using InferShapesPassBase::InferShapesPassBase;

  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SymbolicShapes shapes(&getContext());
      if (failed(shapes.run(func)))
        return signalPassFailure();
      if (annotate && !func.isExternal())
        annotateFunction(func, shapes);
    }
  }
};
} // namespace

} // namespace hexin::hx
