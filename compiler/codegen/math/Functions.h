//===- Functions.h - the functions, one per math op ------------------------------===//
//
// Each takes and returns values of m.type(). Only LowerMath.cpp calls them.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_MATH_FUNCTIONS_H
#define HEXIN_COMPILER_CODEGEN_MATH_FUNCTIONS_H

#include "compiler/codegen/math/MathBuilder.h"

namespace hexin::mathfn {

// Exponential.cpp
mlir::Value exp(MathBuilder &m, mlir::Value x);
mlir::Value exp2(MathBuilder &m, mlir::Value x);
mlir::Value expm1(MathBuilder &m, mlir::Value x);
/// exp(high + low), |low| a rounding error of high; high may be infinite.
mlir::Value expOfSum(MathBuilder &m, mlir::Value high, mlir::Value low);

// Hyperbolic.cpp
mlir::Value sinh(MathBuilder &m, mlir::Value x);
mlir::Value cosh(MathBuilder &m, mlir::Value x);
mlir::Value tanh(MathBuilder &m, mlir::Value x);
mlir::Value asinh(MathBuilder &m, mlir::Value x);
mlir::Value acosh(MathBuilder &m, mlir::Value x);
mlir::Value atanh(MathBuilder &m, mlir::Value x);

// Logarithm.cpp
mlir::Value log(MathBuilder &m, mlir::Value x);
mlir::Value log2(MathBuilder &m, mlir::Value x);
mlir::Value log10(MathBuilder &m, mlir::Value x);
mlir::Value log1p(MathBuilder &m, mlir::Value x);
/// positive x = 2^exponent * (1 + fraction), 1 + fraction in [sqrt(1/2), sqrt(2)).
struct Decomposed {
  mlir::Value exponent;
  mlir::Value fraction;
};
Decomposed decompose(MathBuilder &m, mlir::Value x);

// Power.cpp
mlir::Value pow(MathBuilder &m, mlir::Value x, mlir::Value y);
mlir::Value cbrt(MathBuilder &m, mlir::Value x);

// Trigonometric.cpp
mlir::Value sin(MathBuilder &m, mlir::Value x);
mlir::Value cos(MathBuilder &m, mlir::Value x);
mlir::Value tan(MathBuilder &m, mlir::Value x);

// HugeArguments.cpp
/// x = n pi/2 + r, |r| <= pi/4. Only the two low bits of n, an integer as wide as the
/// float, are right.
struct Reduced {
  mlir::Value r;
  mlir::Value quadrant;
};
/// For finite |x| >= 2^21 (f32) or 2^49 (f64); any pair of numbers for other x.
Reduced reduceHuge(MathBuilder &m, mlir::Value x);

// ArcTrigonometric.cpp
mlir::Value asin(MathBuilder &m, mlir::Value x);
mlir::Value acos(MathBuilder &m, mlir::Value x);
mlir::Value atan(MathBuilder &m, mlir::Value x);
mlir::Value atan2(MathBuilder &m, mlir::Value y, mlir::Value x);

// Erf.cpp
mlir::Value erf(MathBuilder &m, mlir::Value x);

} // namespace hexin::mathfn

#endif // HEXIN_COMPILER_CODEGEN_MATH_FUNCTIONS_H
