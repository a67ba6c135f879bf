#include "compiler/artifact/PortTypes.h"

#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/Dialect.h"
#include "compiler/ir/ValueTypes.h"
#include "runtime/artifact/Format.h"

using namespace mlir;

namespace hexin {

ValueKind valueKind(Type type) {
  if (isa<hx::SequenceType>(type))
    return ValueKind::sequence;
  if (isa<hx::OptionalType>(type))
    return ValueKind::optional;
  if (isa<hx::MapType>(type))
    return ValueKind::map;
  return hx::isHostType(type) ? ValueKind::strings : ValueKind::tensor;
}

static Result<uint8_t> storedDType(Type elementType) {
  std::optional<DType> dtype = hx::toDType(elementType);
  if (!dtype)
    return unsupported("it has an element type that no artifact holds");
  return static_cast<uint8_t>(*dtype);
}

/// `innermost`: the element type of the tensors in it.
static Result<std::unique_ptr<fmt::TypeDefT>> toTypeDef(Type type, uint8_t &innermost,
                                                        uint32_t depth = 0) {
  if (depth > fmt::maxTypeDepth)
    return unsupported("it holds values of values more than " +
                       std::to_string(fmt::maxTypeDepth) + " deep");
  auto def = std::make_unique<fmt::TypeDefT>();
  def->kind =
      static_cast<uint8_t>(isa<NoneType>(type) ? ValueKind::tensor : valueKind(type));
  if (Type held = hx::heldType(type)) {
    HEXIN_ASSIGN_OR_RETURN(def->held, toTypeDef(held, innermost, depth + 1));
    return def;
  }
  if (auto map = dyn_cast<hx::MapType>(type)) {
    HEXIN_ASSIGN_OR_RETURN(def->dtype, storedDType(map.getKeyType()));
    HEXIN_ASSIGN_OR_RETURN(def->held,
                           toTypeDef(map.getValueType(), innermost, depth + 1));
    return def;
  }
  auto tensor = dyn_cast<TensorType>(type);
  if (!tensor && !isa<NoneType>(type))
    return unsupported("it holds values of a type that no artifact has");
  if (tensor) {
    HEXIN_ASSIGN_OR_RETURN(def->dtype, storedDType(tensor.getElementType()));
    if (tensor.hasRank()) {
      def->rank = static_cast<int32_t>(tensor.getRank());
      for (int64_t size : tensor.getShape())
        def->dims.push_back(ShapedType::isDynamic(size) ? -1 : size);
    }
  }
  innermost = def->dtype;
  return def;
}

Status setPortType(Type type, fmt::PortT &port) {
  port.kind = static_cast<uint8_t>(valueKind(type));
  if (auto tensor = dyn_cast<RankedTensorType>(type)) {
    HEXIN_ASSIGN_OR_RETURN(port.dtype, storedDType(tensor.getElementType()));
    return Status::success();
  }
  if (isa<TensorType>(type) || port.kind < static_cast<uint8_t>(ValueKind::sequence))
    return unsupported("it has a type that no artifact has");
  HEXIN_ASSIGN_OR_RETURN(port.type, toTypeDef(type, port.dtype));
  return Status::success();
}

} // namespace hexin
