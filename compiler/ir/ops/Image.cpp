#include "compiler/ir/HostOps.h"
#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

LogicalResult DecodeImageOp::inferShapes(ShapeContext &context) {
  hx::SymbolTable &symbols = context.symbols();
  context.setDims(0,
                  {symbols.resultDim(getResult(), 0), symbols.resultDim(getResult(), 1),
                   context.constant(getPixelFormat() == "Grayscale" ? 1 : 3)});
  return success();
}

LogicalResult DecodeImageOp::verify() {
  if (llvm::is_contained({"RGB", "BGR", "Grayscale"}, getPixelFormat()))
    return success();
  return emitNodeError(*this) << "pixelFormat=\"" << getPixelFormat()
                              << "\" is unknown, expected RGB, BGR or Grayscale";
}

} // namespace hexin::hx
