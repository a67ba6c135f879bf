#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

bool isArithmeticFloat(Type type) {
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type);
}

bool isArithmeticInteger(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return integer && integer.getWidth() >= 8;
}

LogicalResult checkAxis(Operation *op, int64_t axis, size_t rank, StringRef name) {
  if (axis >= 0 && axis < static_cast<int64_t>(rank))
    return success();
  return emitNodeError(op) << name << "=" << axis
                           << " is not an axis of a tensor of rank " << rank;
}

LogicalResult checkRank(Operation *op, ArrayRef<Dim> dims, size_t rank,
                        const Twine &what) {
  if (dims.size() == rank)
    return success();
  return emitNodeError(op) << what << " must have rank " << rank << ", got rank "
                           << dims.size();
}

LogicalResult checkCount(Operation *op, size_t count, size_t expected,
                         const Twine &what) {
  if (count == expected)
    return success();
  return emitNodeError(op) << what << " must have " << expected << " entries, got "
                           << count;
}

LogicalResult checkSameElementType(Operation *op, Value a, const Twine &whatA, Value b,
                                   const Twine &whatB) {
  if (elementType(a) == elementType(b))
    return success();
  return emitNodeError(op) << whatA << " and " << whatB
                           << " must have the same element type, got " << elementType(a)
                           << " and " << elementType(b);
}

LogicalResult checkElementType(Operation *op, Value value, bool isRight,
                               const Twine &what, const Twine &expected) {
  if (isRight)
    return success();
  return emitNodeError(op) << what << " must be " << expected << ", got "
                           << elementType(value);
}

std::optional<SmallVector<int64_t>> staticSizes(ArrayRef<Dim> dims) {
  SmallVector<int64_t> sizes;
  for (Dim dim : dims) {
    auto size = SymbolTable::constantValue(dim);
    if (!size || *size < 0)
      return std::nullopt;
    sizes.push_back(*size);
  }
  return sizes;
}

std::optional<int64_t> smallCount(ArrayRef<Dim> dims) {
  auto sizes = staticSizes(dims);
  if (!sizes)
    return std::nullopt;
  int64_t count = 1;
  for (int64_t size : *sizes) {
    if (size == 0)
      return 0;
    if (size > ShapeContext::maxContents || (count *= size) > ShapeContext::maxContents)
      return std::nullopt;
  }
  return count;
}

SmallVector<int64_t> coordinatesOf(int64_t index, ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> coordinates(sizes.size());
  for (size_t axis = sizes.size(); axis-- > 0;) {
    coordinates[axis] = index % sizes[axis];
    index /= sizes[axis];
  }
  return coordinates;
}

int64_t broadcastIndex(ArrayRef<int64_t> coordinates, ArrayRef<int64_t> sizes) {
  int64_t index = 0;
  for (size_t axis = 0; axis < sizes.size(); ++axis) {
    int64_t coordinate = coordinates[coordinates.size() - sizes.size() + axis];
    index = index * sizes[axis] + (sizes[axis] == 1 ? 0 : coordinate);
  }
  return index;
}

} // namespace hexin::hx
