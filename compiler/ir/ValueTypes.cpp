#include "compiler/ir/ValueTypes.h"

#include "compiler/ir/Dialect.h"

using namespace mlir;

namespace hexin::hx {

bool isHostType(Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  return !tensor || isa<StringType>(tensor.getElementType());
}

Type heldType(Type type) {
  if (auto sequence = dyn_cast<SequenceType>(type))
    return sequence.getElementType();
  if (auto optional = dyn_cast<OptionalType>(type))
    return optional.getElementType();
  return {};
}

static Type joinTensors(TensorType a, TensorType b) {
  if (a.getElementType() != b.getElementType())
    return {};
  if (!a.hasRank() || !b.hasRank() || a.getRank() != b.getRank())
    return UnrankedTensorType::get(a.getElementType());
  SmallVector<int64_t> sizes(a.getShape());
  for (auto [size, other] : llvm::zip(sizes, b.getShape()))
    if (size != other)
      size = ShapedType::kDynamic;
  return RankedTensorType::get(sizes, a.getElementType());
}

Type joinTypes(Type a, Type b) {
  if (a == b)
    return a;
  if (isa<NoneType>(a) || isa<NoneType>(b))
    return isa<NoneType>(a) ? b : a;
  if (auto tensorA = dyn_cast<TensorType>(a)) {
    auto tensorB = dyn_cast<TensorType>(b);
    return tensorB ? joinTensors(tensorA, tensorB) : Type();
  }
  Type heldA = heldType(a), heldB = heldType(b);
  if (heldA && heldB && a.getTypeID() == b.getTypeID()) {
    Type held = joinTypes(heldA, heldB);
    if (!held)
      return {};
    return isa<SequenceType>(a) ? Type(SequenceType::get(a.getContext(), held))
                                : Type(OptionalType::get(a.getContext(), held));
  }
  auto mapA = dyn_cast<MapType>(a), mapB = dyn_cast<MapType>(b);
  if (!mapA || !mapB || mapA.getKeyType() != mapB.getKeyType())
    return {};
  Type value = joinTypes(mapA.getValueType(), mapB.getValueType());
  return value ? MapType::get(a.getContext(), mapA.getKeyType(), value) : Type();
}

bool areCompatible(Type a, Type b) {
  auto tensorA = dyn_cast<RankedTensorType>(a), tensorB = dyn_cast<RankedTensorType>(b);
  if (tensorA && tensorB)
    return tensorA.getElementType() == tensorB.getElementType() &&
           tensorA.getRank() == tensorB.getRank();
  return static_cast<bool>(joinTypes(a, b));
}

} // namespace hexin::hx
