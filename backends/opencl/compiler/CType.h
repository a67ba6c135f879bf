//===- CType.h - kernel-module types as OpenCL C types -----------------------===//
//
// How an SSA value of a kernel is kept in C:
//   i8..i64, index   the unsigned C type of that width, where + - * and << wrap
//                    as arith says; operations that read a sign cast first
//   f16, bf16        their bits in a ushort; arithmetic goes through float
//   f32, f64         float, double
//   i1               scalar: int, 0 or 1; vector: char lanes, 0 or -1
//   vector<1xT>      as T
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_COMPILER_CTYPE_H
#define HEXIN_BACKENDS_OPENCL_COMPILER_CTYPE_H

#include "mlir/IR/Attributes.h"
#include "mlir/IR/Types.h"

#include <optional>
#include <string>

namespace hexin::opencl {

enum class Scalar : uint8_t { i1, i8, i16, i32, i64, f16, bf16, f32, f64 };

struct CType {
  Scalar scalar = Scalar::i32;
  unsigned lanes = 1;

  bool isVector() const { return lanes > 1; }
  bool isMask() const { return scalar == Scalar::i1; }
  bool isInt() const { return scalar >= Scalar::i8 && scalar <= Scalar::i64; }
  bool isFloat() const { return scalar >= Scalar::f16; }
  /// Kept as bits and computed in float.
  bool isNarrowFloat() const { return scalar == Scalar::f16 || scalar == Scalar::bf16; }
  unsigned bits() const; ///< 1 for i1

  CType withScalar(Scalar other) const { return {other, lanes}; }
  CType withLanes(unsigned count) const { return {scalar, count}; }
  /// The type arithmetic is done in: float for narrow floats, else itself.
  CType computeType() const { return isNarrowFloat() ? withScalar(Scalar::f32) : *this; }

  std::string name() const;       ///< "uint16", "float", "char4", "int" (i1)
  std::string signedName() const; ///< of integers: "int16"
  std::string intName() const;    ///< unsigned integer of the same width and lanes
  /// What a vector comparison of this type gives: "int16" for float16.
  std::string compareName() const;
  /// "f32x16", "i8": used in helper names.
  std::string tag() const;

  bool operator==(const CType &) const = default;
};

/// nullopt for types no kernel may have (other lengths than 1, 2, 4, 8, 16,
/// other element types, more than one dimension).
std::optional<CType> getCType(mlir::Type type);

/// The literal of a constant, exact, safe as an operand of any operator.
/// nullopt when the attribute is no number of this type.
std::optional<std::string> printLiteral(mlir::Attribute value, CType type);

/// The literal of a small integer, e.g. 1 in every lane.
std::string intLiteral(int64_t value, CType type);

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_COMPILER_CTYPE_H
