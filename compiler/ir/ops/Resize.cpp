#include "compiler/ir/ops/Checks.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace hexin::hx {

bool ResizeOp::isHostRead(unsigned index) { return index != 0; }

LogicalResult ResizeOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput());
  auto sizes = context.hostElements(*this, getSizes());
  if (failed(sizes) || failed(checkCount(*this, sizes->size(), input.size(), "sizes")))
    return failure();
  Dims scales = context.dims(getScales());
  if (failed(checkRank(*this, scales, 1, "scales")) ||
      failed(context.requireEqual(*this, scales[0], context.constant(input.size()),
                                  "number of scales and rank")))
    return failure();
  if (getRoi()) {
    Dims roi = context.dims(getRoi());
    if (failed(checkRank(*this, roi, 1, "roi")) ||
        failed(context.requireEqual(*this, roi[0], context.constant(2 * input.size()),
                                    "entries of roi and twice the rank")))
      return failure();
  }
  for (auto [axis, size] : llvm::enumerate(*sizes)) {
    if (failed(context.requireAtLeast(*this, size, 0, "sizes[" + Twine(axis) + "]")))
      return failure();
    if (size != input[axis] && SymbolTable::constantValue(size) != 0 &&
        failed(context.requireAtLeast(*this, input[axis], 1,
                                      "the size to resize of axis " + Twine(axis))))
      return failure();
  }
  context.setDims(0, *sizes);
  return success();
}

static LogicalResult checkWord(Operation *op, StringRef name, StringRef word,
                               ArrayRef<StringRef> known) {
  if (llvm::is_contained(known, word))
    return success();
  return emitNodeError(op) << name << "=\"" << word << "\" is unknown, expected one of "
                           << llvm::join(known, ", ");
}

LogicalResult ResizeOp::verify() {
  if (failed(checkWord(*this, "coordinates", getCoordinates(),
                       {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                        "align_corners", "asymmetric", "tf_crop_and_resize",
                        "tf_half_pixel_for_nn"})) ||
      failed(checkWord(*this, "nearest", getNearest(),
                       {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})))
    return failure();
  Type type = elementType(getInput());
  if (failed(checkElementType(*this, getInput(),
                              isArithmeticFloat(type) || isArithmeticInteger(type) ||
                                  (type.isInteger(1) && getMode() == ResizeMode::nearest),
                              "the input", "a number")))
    return failure();
  return checkSameElementType(*this, getInput(), "the input", getResult(), "the result");
}

} // namespace hexin::hx
