#include "compiler/ir/AttributeConversion.h"

#include "compiler/ir/Ops.h"

#include "llvm/ADT/TypeSwitch.h"

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// The keyword of an hx enum attribute.
static std::optional<std::string> keywordOf(mlir::Attribute attribute) {
  return llvm::TypeSwitch<mlir::Attribute, std::optional<std::string>>(attribute)
      .Case([](UnaryFnAttr a) { return stringifyUnaryFn(a.getValue()).str(); })
      .Case([](BinaryFnAttr a) { return stringifyBinaryFn(a.getValue()).str(); })
      .Case([](ComparePredicateAttr a) {
        return stringifyComparePredicate(a.getValue()).str();
      })
      .Case([](ActivationKindAttr a) {
        return stringifyActivationKind(a.getValue()).str();
      })
      .Case([](ReduceFnAttr a) { return stringifyReduceFn(a.getValue()).str(); })
      .Case([](PadModeAttr a) { return stringifyPadMode(a.getValue()).str(); })
      .Case([](PadPolicyAttr a) { return stringifyPadPolicy(a.getValue()).str(); })
      .Case([](ScatterFnAttr a) { return stringifyScatterFn(a.getValue()).str(); })
      .Case([](PoolFnAttr a) { return stringifyPoolFn(a.getValue()).str(); })
      .Case(
          [](RecurrentCellAttr a) { return stringifyRecurrentCell(a.getValue()).str(); })
      .Case([](RoiPoolFnAttr a) { return stringifyRoiPoolFn(a.getValue()).str(); })
      .Case([](LayoutAttr a) { return stringifyLayout(a.getValue()).str(); })
      .Case([](ResizeModeAttr a) { return stringifyResizeMode(a.getValue()).str(); })
      .Case([](RecurrentDirectionAttr a) {
        return stringifyRecurrentDirection(a.getValue()).str();
      })
      .Default(std::nullopt);
}

static std::optional<Attribute> convertArray(mlir::ArrayAttr array) {
  std::vector<std::string> strings;
  for (mlir::Attribute element : array) {
    auto string = mlir::dyn_cast<mlir::StringAttr>(element);
    if (!string)
      return std::nullopt;
    strings.push_back(string.getValue().str());
  }
  return strings;
}

template <typename ElementT, typename ArrayT>
static Attribute convertDense(ArrayT array) {
  return std::vector<ElementT>(array.asArrayRef().begin(), array.asArrayRef().end());
}

static std::optional<Attribute> convert(mlir::Attribute attribute) {
  if (auto keyword = keywordOf(attribute))
    return *keyword;
  return llvm::TypeSwitch<mlir::Attribute, std::optional<Attribute>>(attribute)
      .Case([](mlir::BoolAttr a) { return Attribute(int64_t(a.getValue())); })
      .Case([](mlir::IntegerAttr a) -> std::optional<Attribute> {
        if (a.getValue().getSignificantBits() > 64)
          return std::nullopt;
        return Attribute(a.getValue().getSExtValue());
      })
      .Case([](mlir::FloatAttr a) { return Attribute(a.getValueAsDouble()); })
      .Case([](mlir::StringAttr a) { return Attribute(a.getValue().str()); })
      .Case([](mlir::DenseI64ArrayAttr a) { return convertDense<int64_t>(a); })
      .Case([](mlir::DenseI32ArrayAttr a) { return convertDense<int64_t>(a); })
      .Case([](mlir::DenseF64ArrayAttr a) { return convertDense<double>(a); })
      .Case([](mlir::ArrayAttr a) { return convertArray(a); })
      .Case([](mlir::TypeAttr a) -> std::optional<Attribute> {
        auto dtype = toDType(a.getValue());
        return dtype ? std::optional<Attribute>(std::string(toString(*dtype)))
                     : std::nullopt;
      })
      .Default(std::nullopt);
}

Attributes toAttributes(mlir::Operation *op) {
  Attributes attributes;
  for (mlir::NamedAttribute named : op->getAttrDictionary()) {
    llvm::StringRef name = named.getName();
    if (name.contains('.'))
      continue;
    if (auto value = convert(named.getValue()))
      attributes.set(name.str(), std::move(*value));
  }
  return attributes;
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

static std::optional<DType> integerDType(mlir::IntegerType type) {
  bool isUnsigned = type.isUnsigned();
  switch (type.getWidth()) {
  case 1:
    return DType::boolean;
  case 2:
    return isUnsigned ? DType::u2 : DType::i2;
  case 4:
    return isUnsigned ? DType::u4 : DType::i4;
  case 8:
    return isUnsigned ? DType::u8 : DType::i8;
  case 16:
    return isUnsigned ? DType::u16 : DType::i16;
  case 32:
    return isUnsigned ? DType::u32 : DType::i32;
  case 64:
    return isUnsigned ? DType::u64 : DType::i64;
  default:
    return std::nullopt;
  }
}

std::optional<DType> toDType(mlir::Type elementType) {
  return llvm::TypeSwitch<mlir::Type, std::optional<DType>>(elementType)
      .Case([](mlir::IntegerType type) { return integerDType(type); })
      .Case([](mlir::Float16Type) { return DType::f16; })
      .Case([](mlir::BFloat16Type) { return DType::bf16; })
      .Case([](mlir::Float32Type) { return DType::f32; })
      .Case([](mlir::Float64Type) { return DType::f64; })
      .Case([](mlir::Float8E4M3FNType) { return DType::f8e4m3fn; })
      .Case([](mlir::Float8E4M3FNUZType) { return DType::f8e4m3fnuz; })
      .Case([](mlir::Float8E5M2Type) { return DType::f8e5m2; })
      .Case([](mlir::Float8E5M2FNUZType) { return DType::f8e5m2fnuz; })
      .Case([](mlir::Float8E8M0FNUType) { return DType::f8e8m0; })
      .Case([](mlir::Float4E2M1FNType) { return DType::f4e2m1; })
      .Case([](mlir::ComplexType type) -> std::optional<DType> {
        if (type.getElementType().isF32())
          return DType::c64;
        return type.getElementType().isF64() ? std::optional(DType::c128) : std::nullopt;
      })
      .Case([](StringType) { return DType::string; })
      .Default(std::nullopt);
}

mlir::Type toElementType(DType dtype, mlir::MLIRContext *context) {
  mlir::Builder builder(context);
  auto unsignedType = [&](unsigned width) {
    return builder.getIntegerType(width, false);
  };
  switch (dtype) {
  case DType::boolean:
    return builder.getI1Type();
  case DType::i2:
    return builder.getIntegerType(2);
  case DType::i4:
    return builder.getIntegerType(4);
  case DType::i8:
    return builder.getI8Type();
  case DType::i16:
    return builder.getI16Type();
  case DType::i32:
    return builder.getI32Type();
  case DType::i64:
    return builder.getI64Type();
  case DType::u2:
    return unsignedType(2);
  case DType::u4:
    return unsignedType(4);
  case DType::u8:
    return unsignedType(8);
  case DType::u16:
    return unsignedType(16);
  case DType::u32:
    return unsignedType(32);
  case DType::u64:
    return unsignedType(64);
  case DType::f16:
    return builder.getF16Type();
  case DType::bf16:
    return builder.getBF16Type();
  case DType::f32:
    return builder.getF32Type();
  case DType::f64:
    return builder.getF64Type();
  case DType::c64:
    return mlir::ComplexType::get(builder.getF32Type());
  case DType::c128:
    return mlir::ComplexType::get(builder.getF64Type());
  case DType::string:
    return StringType::get(context);
  case DType::f8e4m3fn:
    return mlir::Float8E4M3FNType::get(context);
  case DType::f8e4m3fnuz:
    return mlir::Float8E4M3FNUZType::get(context);
  case DType::f8e5m2:
    return mlir::Float8E5M2Type::get(context);
  case DType::f8e5m2fnuz:
    return mlir::Float8E5M2FNUZType::get(context);
  case DType::f8e8m0:
    return mlir::Float8E8M0FNUType::get(context);
  case DType::f4e2m1:
    return mlir::Float4E2M1FNType::get(context);
  }
  return {};
}

} // namespace hexin::hx
