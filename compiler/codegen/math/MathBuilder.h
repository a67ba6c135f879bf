//===- MathBuilder.h - arithmetic on one float type -----------------------------===//
//
// Short names for arith and math ops on one float type, scalar or vector, so
// that the functions beside it read like formulas. Constants are doubles and are
// rounded to the type; `both(a, b)` picks a constant per precision.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_MATH_MATHBUILDER_H
#define HEXIN_COMPILER_CODEGEN_MATH_MATHBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace hexin {

class MathBuilder {
public:
  /// `type`: f32, f64 or a vector of them. `slowUnderflow`: multiplications whose result
  /// is below the normal range are to be avoided.
  MathBuilder(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type,
              bool slowUnderflow = false);

  mlir::OpBuilder &builder() { return b; }
  mlir::Location location() const { return loc; }
  mlir::Type type() const { return floatType; }
  bool isF64() const { return f64; }
  bool hasSlowUnderflow() const { return slowUnderflow; }
  double both(double forF32, double forF64) const { return f64 ? forF64 : forF32; }

  mlir::Value constant(double value);
  mlir::Value constant(double forF32, double forF64) {
    return constant(both(forF32, forF64));
  }
  /// An integer as wide as the float type.
  mlir::Value integer(int64_t value);

  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, double y) { return mul(x, constant(y)); }
  mlir::Value div(mlir::Value x, mlir::Value y);
  mlir::Value neg(mlir::Value x);
  mlir::Value abs(mlir::Value x);
  mlir::Value sqrt(mlir::Value x);
  mlir::Value trunc(mlir::Value x);
  mlir::Value copySign(mlir::Value magnitude, mlir::Value sign);
  /// x * y + z; may be rounded once or twice.
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z);
  /// x * y + z, rounded once.
  mlir::Value exactFma(mlir::Value x, mlir::Value y, mlir::Value z);
  /// coefficients[0] + x * (coefficients[1] + x * ...).
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<double> coefficients);

  mlir::Value compare(mlir::arith::CmpFPredicate p, mlir::Value x, mlir::Value y);
  mlir::Value lt(mlir::Value x, double y);
  mlir::Value gt(mlir::Value x, double y);
  mlir::Value eq(mlir::Value x, double y);
  mlir::Value isNan(mlir::Value x);
  mlir::Value select(mlir::Value c, mlir::Value x, mlir::Value y);
  mlir::Value logicalAnd(mlir::Value x, mlir::Value y);
  mlir::Value logicalOr(mlir::Value x, mlir::Value y);
  /// x inside [low, high]; NaN stays NaN.
  mlir::Value clamp(mlir::Value x, double low, double high);

  mlir::Value toBits(mlir::Value x);
  mlir::Value fromBits(mlir::Value bits);
  mlir::Value addInt(mlir::Value x, mlir::Value y);
  mlir::Value subInt(mlir::Value x, mlir::Value y);
  mlir::Value andInt(mlir::Value x, mlir::Value y);
  mlir::Value xorInt(mlir::Value x, mlir::Value y);
  mlir::Value shl(mlir::Value x, unsigned bits);
  mlir::Value shrArith(mlir::Value x, unsigned bits);
  mlir::Value isNonZeroInt(mlir::Value x);

  /// 2^n for an integer n with |n| below the exponent bias.
  mlir::Value powerOfTwo(mlir::Value n);
  /// The nearest integer to x * scale (|result| < 2^22 or 2^51) as a float, and
  /// as an integer. For NaN the float is NaN, the integer anything.
  struct Rounded {
    mlir::Value value;
    mlir::Value integer;
  };
  Rounded roundScaled(mlir::Value x, double scale);
  /// A small integer as a float.
  mlir::Value toFloat(mlir::Value smallInteger);

private:
  double magic() const { return both(0x1.8p23, 0x1.8p52); }

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type floatType;
  mlir::Type intType;
  bool f64, slowUnderflow;
};

} // namespace hexin

#endif // HEXIN_COMPILER_CODEGEN_MATH_MATHBUILDER_H
