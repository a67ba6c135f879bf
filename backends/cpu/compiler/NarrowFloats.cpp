#include "backends/cpu/compiler/NarrowFloats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace hexin::cpu {
namespace {

using arith::CmpFPredicate;
using arith::CmpIPredicate;

Type withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

/// Builds conversions of one shape (scalar or vector) on bit patterns.
class BitConverter {
public:
  BitConverter(OpBuilder &b, Location loc, Type shape)
      : b(b), loc(loc), i16(withElement(shape, b.getI16Type())),
        i32(withElement(shape, b.getI32Type())), f16(withElement(shape, b.getF16Type())),
        bf16(withElement(shape, b.getBF16Type())),
        f32(withElement(shape, b.getF32Type())), f64(withElement(shape, b.getF64Type())) {
  }

  Value extendBF16(Value x) { return fromBits(f32, shl(zeroExtend(x), 16)); }

  // An f16 exponent field moved into an f32 is 112 too small; multiplying by 2^112
  // mends that for denormals too.
  Value extendF16(Value x) {
    Value bits = zeroExtend(x);
    Value magnitude = shl(bitAnd(bits, 0x7fff), 13);
    Value scaled = arith::MulFOp::create(b, loc, fromBits(f32, magnitude), real(0x1p112));
    Value isSpecial = compare(CmpIPredicate::uge, magnitude, 0x7c00 << 13);
    Value special = bitOr(magnitude, constant(0x7f800000));
    Value result = select(isSpecial, special, toBits(i32, scaled));
    return fromBits(f32, bitOr(result, shl(bitAnd(bits, 0x8000), 16)));
  }

  Value truncateBF16(Value x) {
    Value bits = toBits(i32, x);
    Value odd = bitAnd(shr(bits, 16), 1);
    Value rounded = shr(add(bits, add(odd, constant(0x7fff))), 16);
    Value quietNan = bitOr(shr(bits, 16), constant(0x40));
    return narrow(bf16, select(isNan(x), quietNan, rounded));
  }

  Value truncateF16(Value x) {
    Value bits = toBits(i32, x);
    Value sign = bitAnd(shr(bits, 16), 0x8000);
    Value magnitude = bitAnd(bits, 0x7fffffff);
    // Normal: rebias by -112, round the 13 lost bits. Denormal: adding 1/2, whose
    // last bit is the smallest f16, rounds it into place.
    Value odd = bitAnd(shr(magnitude, 13), 1);
    Value rebias = constant(int64_t(0xfff) - (int64_t(112) << 23));
    Value normal = shr(add(add(magnitude, rebias), odd), 13);
    Value sum = arith::AddFOp::create(b, loc, fromBits(f32, magnitude), real(0.5));
    Value denormal =
        arith::SubIOp::create(b, loc, toBits(i32, sum), toBits(i32, real(0.5)));
    Value result =
        select(compare(CmpIPredicate::ult, magnitude, 113 << 23), denormal, normal);
    Value overflows = compare(CmpIPredicate::uge, magnitude, 0x477ff000);
    result = select(overflows, constant(0x7c00), result);
    return narrow(f16, bitOr(select(isNan(x), constant(0x7e00), result), sign));
  }

  /// f64 to f32, rounded to odd: an inexact result gets an odd last bit, which no
  /// later rounding to fewer bits mistakes for a tie or an exact value.
  Value truncateToOdd(Value x) {
    Value nearest = arith::TruncFOp::create(b, loc, f32, x);
    Value back = arith::ExtFOp::create(b, loc, f64, nearest);
    Value bits = toBits(i32, nearest);
    Value isInexact = cmpf(CmpFPredicate::ONE, back, x);
    Value isEven = compare(CmpIPredicate::eq, bitAnd(bits, 1), 0);
    Value signMask = withSign64(x, back);
    Value step = select(signMask, constant(1), constant(-1));
    Value moved = add(bits, step);
    Value take = arith::AndIOp::create(b, loc, isInexact, isEven);
    return fromBits(f32, select(take, moved, bits));
  }

  Type f32Type() const { return f32; }

private:
  Value constant(int64_t v) { return splat(i32, b.getI32IntegerAttr(int32_t(v))); }
  Value real(double v) { return splat(f32, b.getF32FloatAttr(float(v))); }
  Value splat(Type type, TypedAttr attr) {
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(b, loc,
                                       DenseElementsAttr::get(vector, Attribute(attr)));
    return arith::ConstantOp::create(b, loc, attr);
  }
  Value toBits(Type type, Value x) { return arith::BitcastOp::create(b, loc, type, x); }
  Value fromBits(Type type, Value x) { return arith::BitcastOp::create(b, loc, type, x); }
  Value zeroExtend(Value x) {
    return arith::ExtUIOp::create(b, loc, i32, toBits(i16, x));
  }
  Value narrow(Type type, Value bits) {
    return fromBits(type, arith::TruncIOp::create(b, loc, i16, bits));
  }
  Value shl(Value x, int n) { return arith::ShLIOp::create(b, loc, x, constant(n)); }
  Value shr(Value x, int n) { return arith::ShRUIOp::create(b, loc, x, constant(n)); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value bitOr(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value bitAnd(Value x, int64_t mask) {
    return arith::AndIOp::create(b, loc, x, constant(mask));
  }
  Value select(Value c, Value x, Value y) {
    return arith::SelectOp::create(b, loc, c, x, y);
  }
  Value compare(CmpIPredicate p, Value x, int64_t y) {
    return arith::CmpIOp::create(b, loc, p, x, constant(y));
  }
  Value cmpf(CmpFPredicate p, Value x, Value y) {
    return arith::CmpFOp::create(b, loc, p, x, y);
  }
  Value isNan(Value x) { return cmpf(CmpFPredicate::UNO, x, x); }
  /// |nearest| < |x|: as bits, the odd neighbour towards x is one up, else one down.
  Value withSign64(Value x, Value nearest) {
    Value xx = magnitudeBits(x), nn = magnitudeBits(nearest);
    return arith::CmpIOp::create(b, loc, CmpIPredicate::ult, nn, xx);
  }
  Value magnitudeBits(Value x) {
    Type i64 = withElement(f64, b.getI64Type());
    Value mask = splat(i64, b.getI64IntegerAttr(INT64_MAX));
    return arith::AndIOp::create(b, loc, toBits(i64, x), mask);
  }

  OpBuilder &b;
  Location loc;
  Type i16, i32, f16, bf16, f32, f64;
};

void lowerExtension(arith::ExtFOp op, NarrowConversions has) {
  Type from = getElementTypeOrSelf(op.getIn().getType());
  bool isF16 = from.isF16();
  if (!from.isBF16() && !isF16)
    return;
  OpBuilder b(op);
  BitConverter convert(b, op.getLoc(), op.getType());
  bool isNative = isF16 && has.f16;
  Value wide;
  if (!isNative)
    wide = isF16 ? convert.extendF16(op.getIn()) : convert.extendBF16(op.getIn());
  else if (getElementTypeOrSelf(op.getType()).isF32())
    return;
  else
    wide = arith::ExtFOp::create(b, op.getLoc(), convert.f32Type(), op.getIn());
  if (wide.getType() != op.getType())
    wide = arith::ExtFOp::create(b, op.getLoc(), op.getType(), wide);
  op.replaceAllUsesWith(wide);
  op.erase();
}

/// By the instruction; null where it has no vectors of this shape. What is subnormal
/// counts as 0 there.
Value truncatedByInstruction(OpBuilder &b, Location loc, Value source) {
  auto type = dyn_cast<VectorType>(source.getType());
  if (!type || (type.getNumElements() != 16 && type.getNumElements() != 8))
    return {};
  StringRef name = type.getNumElements() == 16 ? "llvm.x86.avx512bf16.cvtneps2bf16.512"
                                               : "llvm.x86.avx512bf16.cvtneps2bf16.256";
  return LLVM::CallIntrinsicOp::create(b, loc, type.clone(b.getBF16Type()),
                                       b.getStringAttr(name), source)
      .getResult(0);
}

void lowerTruncation(arith::TruncFOp op, NarrowConversions has) {
  Type to = getElementTypeOrSelf(op.getType());
  bool isF16 = to.isF16();
  if (!to.isBF16() && !isF16)
    return;
  OpBuilder b(op);
  BitConverter convert(b, op.getLoc(), op.getType());
  Value source = op.getIn();
  bool isNative = isF16 && has.f16;
  if (getElementTypeOrSelf(source.getType()).isF64())
    source = convert.truncateToOdd(source);
  else if (isNative)
    return;
  Value result;
  if (isNative)
    result = arith::TruncFOp::create(b, op.getLoc(), op.getType(), source);
  else if (!isF16 && has.bf16)
    result = truncatedByInstruction(b, op.getLoc(), source);
  if (!result)
    result = isF16 ? convert.truncateF16(source) : convert.truncateBF16(source);
  op.replaceAllUsesWith(result);
  op.erase();
}

} // namespace

LogicalResult lowerNarrowFloats(ModuleOp module, NarrowConversions has) {
  PassManager passes(module.getContext());
  arith::ArithEmulateUnsupportedFloatsOptions options;
  options.sourceTypeStrs = {"f16", "bf16"};
  options.targetTypeStr = "f32";
  passes.addNestedPass<func::FuncOp>(arith::createArithEmulateUnsupportedFloats(options));
  if (failed(passes.run(module)))
    return failure();
  SmallVector<arith::ExtFOp> extensions;
  SmallVector<arith::TruncFOp> truncations;
  module.walk([&](Operation *op) {
    if (auto extension = dyn_cast<arith::ExtFOp>(op))
      extensions.push_back(extension);
    else if (auto truncation = dyn_cast<arith::TruncFOp>(op))
      truncations.push_back(truncation);
  });
  for (arith::ExtFOp op : extensions)
    lowerExtension(op, has);
  for (arith::TruncFOp op : truncations)
    lowerTruncation(op, has);
  return success();
}

/// Instructions for bf16 read vectors of them, which kernels have as words, and give
/// some, which kernels have as integers.
static void giveBfloatsToInstructions(ModuleOp module) {
  module.walk([](LLVM::CallIntrinsicOp call) {
    if (!call.getIntrin().starts_with("llvm.x86.avx512bf16."))
      return;
    OpBuilder b(call);
    Type bf16 = b.getBF16Type();
    for (OpOperand &operand : call->getOpOperands().drop_front()) {
      auto words = cast<VectorType>(operand.get().getType());
      auto type = VectorType::get({2 * words.getNumElements()}, bf16);
      operand.set(LLVM::BitcastOp::create(b, call.getLoc(), type, operand.get()));
    }
    Value result = call.getResult(0);
    auto type = cast<VectorType>(result.getType());
    if (!type.getElementType().isInteger(16))
      return;
    result.setType(type.clone(bf16));
    b.setInsertionPointAfter(call);
    auto bits = LLVM::BitcastOp::create(b, call.getLoc(), type, result);
    result.replaceAllUsesExcept(bits, bits);
  });
}

void storeNarrowFloatsAsIntegers(ModuleOp module, NarrowConversions has) {
  Type i16 = IntegerType::get(module.getContext(), 16);
  auto isStored = [=](Type type) { return type.isBF16() || (type.isF16() && !has.f16); };
  AttrTypeReplacer replacer;
  replacer.addReplacement([=](FloatType type) -> std::optional<Type> {
    return isStored(type) ? std::optional(i16) : std::nullopt;
  });
  replacer.addReplacement([=](FloatAttr value) -> std::optional<Attribute> {
    if (!isStored(value.getType()))
      return std::nullopt;
    return IntegerAttr::get(i16, value.getValue().bitcastToAPInt());
  });
  replacer.addReplacement([=](DenseElementsAttr values) -> std::optional<Attribute> {
    if (!isStored(values.getElementType()))
      return std::nullopt;
    return values.bitcast(i16);
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false, /*replaceTypes=*/true);
  giveBfloatsToInstructions(module);
}

} // namespace hexin::cpu
