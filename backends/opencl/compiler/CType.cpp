#include "backends/opencl/compiler/CType.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace hexin::opencl {

unsigned CType::bits() const {
  switch (scalar) {
  case Scalar::i1:
    return 1;
  case Scalar::i8:
    return 8;
  case Scalar::i16:
  case Scalar::f16:
  case Scalar::bf16:
    return 16;
  case Scalar::i32:
  case Scalar::f32:
    return 32;
  case Scalar::i64:
  case Scalar::f64:
    return 64;
  }
  return 0;
}

static std::string spell(llvm::StringRef base, unsigned lanes) {
  return lanes > 1 ? (base + llvm::Twine(lanes)).str() : base.str();
}

/// The signed integer type of `bits`.
static llvm::StringRef signedBase(unsigned bits) {
  return bits == 64 ? "long" : bits == 32 ? "int" : bits == 16 ? "short" : "char";
}

std::string CType::name() const {
  if (isMask())
    return isVector() ? spell("char", lanes) : "int";
  if (scalar == Scalar::f32)
    return spell("float", lanes);
  if (scalar == Scalar::f64)
    return spell("double", lanes);
  return intName();
}

std::string CType::signedName() const { return spell(signedBase(bits()), lanes); }
std::string CType::intName() const { return "u" + signedName(); }
std::string CType::compareName() const { return isVector() ? signedName() : "int"; }

std::string CType::tag() const {
  static constexpr llvm::StringLiteral names[] = {"i1",  "i8",   "i16", "i32", "i64",
                                                  "f16", "bf16", "f32", "f64"};
  std::string base = names[static_cast<unsigned>(scalar)].str();
  return isVector() ? base + "x" + std::to_string(lanes) : base;
}

static std::optional<Scalar> getScalar(Type type) {
  if (type.isIndex())
    return Scalar::i64;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    if (!integer.isSignless())
      return std::nullopt;
    switch (integer.getWidth()) {
    case 1:
      return Scalar::i1;
    case 8:
      return Scalar::i8;
    case 16:
      return Scalar::i16;
    case 32:
      return Scalar::i32;
    case 64:
      return Scalar::i64;
    default:
      return std::nullopt;
    }
  }
  if (type.isF16())
    return Scalar::f16;
  if (type.isBF16())
    return Scalar::bf16;
  if (type.isF32())
    return Scalar::f32;
  if (type.isF64())
    return Scalar::f64;
  return std::nullopt;
}

std::optional<CType> getCType(Type type) {
  unsigned lanes = 1;
  if (auto vector = dyn_cast<VectorType>(type)) {
    if (vector.getRank() != 1 || vector.isScalable())
      return std::nullopt;
    int64_t length = vector.getDimSize(0);
    if (length != 1 && length != 2 && length != 4 && length != 8 && length != 16)
      return std::nullopt;
    lanes = static_cast<unsigned>(length);
    type = vector.getElementType();
  }
  std::optional<Scalar> scalar = getScalar(type);
  if (!scalar)
    return std::nullopt;
  return CType{*scalar, lanes};
}

/// One element; `bits` is its bit pattern.
static std::string integerText(const llvm::APInt &bits, CType type) {
  if (type.isMask())
    return bits.isZero() ? "0" : type.isVector() ? "(char)-1" : "1";
  // Small negative numbers read better as what they mean.
  bool asNegative = bits.isNegative() && bits.getSignificantBits() <= 16;
  llvm::SmallString<24> digits;
  bits.toString(digits, 10, /*Signed=*/asNegative);
  std::string element = type.withLanes(1).name();
  if (asNegative || type.bits() < 32)
    return "(" + element + ")" + digits.str().str();
  return digits.str().str() + (type.bits() == 64 ? "ul" : "u");
}

static std::string floatText(llvm::APFloat value, CType type) {
  llvm::APInt bits = value.bitcastToAPInt();
  if (type.isNarrowFloat())
    return "(ushort)0x" + llvm::utohexstr(bits.getZExtValue(), /*LowerCase=*/true) + "u";
  bool isDouble = type.scalar == Scalar::f64;
  if (!value.isFinite())
    return std::string(isDouble ? "as_double(0x" : "as_float(0x") +
           llvm::utohexstr(bits.getZExtValue(), true) + (isDouble ? "ul)" : "u)");
  char digits[64];
  value.convertToHexString(digits, 0, /*UpperCase=*/false,
                           llvm::RoundingMode::NearestTiesToEven);
  std::string text = digits;
  if (!isDouble)
    text += "f";
  return value.isNegative() ? "(" + text + ")" : text;
}

static std::optional<std::string> elementText(Attribute value, CType type) {
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return type.isMask() || type.isInt()
               ? std::optional(integerText(integer.getValue(), type))
               : std::nullopt;
  if (auto real = dyn_cast<FloatAttr>(value))
    return type.isFloat() ? std::optional(floatText(real.getValue(), type))
                          : std::nullopt;
  return std::nullopt;
}

std::optional<std::string> printLiteral(Attribute value, CType type) {
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return type.isVector() ? std::nullopt : elementText(value, type);
  if (dense.getNumElements() != type.lanes)
    return std::nullopt;
  if (!type.isVector())
    return elementText(*dense.getValues<Attribute>().begin(), type);
  std::string text = "((" + type.name() + ")(";
  unsigned count = dense.isSplat() ? 1 : type.lanes;
  unsigned index = 0;
  for (Attribute element : dense.getValues<Attribute>()) {
    if (index == count)
      break;
    std::optional<std::string> item = elementText(element, type);
    if (!item)
      return std::nullopt;
    text += (index++ ? ", " : "") + *item;
  }
  return text + "))";
}

std::string intLiteral(int64_t value, CType type) {
  std::string element = integerText(
      llvm::APInt(type.bits(), static_cast<uint64_t>(value), false, true), type);
  return type.isVector() ? "((" + type.name() + ")(" + element + "))" : element;
}

} // namespace hexin::opencl
