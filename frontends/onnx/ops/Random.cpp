// Random numbers, and Dropout while training: arithmetic on hx.random_bits.
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include <bit>
#include <cmath>
#include <numbers>

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

Value bits(OpBinder &b, Value stream, ArrayRef<Dim> sizes, int64_t node, int64_t word,
           std::optional<int64_t> seed) {
  if (b.failed())
    return {};
  return b.make<hx::RandomBitsOp>(
      b.builder.getIntegerType(32, /*isSigned=*/false), stream, b.shape.build(sizes),
      node, word, seed ? b.builder.getI64IntegerAttr(*seed) : IntegerAttr());
}

/// What one operator draws: independent words per element. In the body of a loop each
/// iteration has a stream of its own, whose key is drawn from the one around it.
class Draw {
public:
  Draw(OpBinder &b, Dims sizes, std::optional<int64_t> seed)
      : b(b), sizes(std::move(sizes)), seed(seed), stream(b.importer().randomStream()) {
    for (const RandomLoop &loop : b.importer().randomLoops())
      enter(loop);
    node = b.importer().nextRandomNode();
  }

  Value word(int64_t index) { return bits(b, stream, sizes, node, index, seed); }

  /// In [0, 1) at steps of 2^-digits, which `type` holds exactly: f32 from word `first`,
  /// f64 from it and the next.
  Value uniform(Type type, int64_t digits, int64_t first = 0) {
    if (type.isF64())
      return scaled(mantissa53(first), -53);
    return scaled(b.cast(shifted(word(first), 32 - digits), type), -digits);
  }

  /// In (0, 1]: never 0, and fine where it is small.
  Value positive(Type type, int64_t first) {
    bool isDouble = type.isF64();
    Value number = isDouble ? mantissa53(first) : b.cast(word(first), type);
    if (b.failed())
      return {};
    return scaled(b.add(number, b.scalarLike(number, 0.5)), isDouble ? -53 : -32);
  }

private:
  void enter(const RandomLoop &loop) {
    Type i64 = b.builder.getI64Type();
    Dims one{b.shape.constant(1)};
    auto half = [&](int64_t word) {
      return b.cast(bits(b, stream, one, loop.node, word, seed), i64);
    };
    Value high = b.binary(BinaryFn::shl, half(1), b.scalar(i64, 32));
    Value key = b.binary(BinaryFn::bit_or, high, half(0));
    stream = b.concat({key, b.shape.reshape(loop.iteration, one)}, 0);
    seed.reset();
  }

  /// The upper 27 and 26 bits of two words as an f64.
  Value mantissa53(int64_t first) {
    Type f64 = b.builder.getF64Type();
    Value high = b.cast(shifted(word(first), 5), f64);
    Value low = b.cast(shifted(word(first + 1), 6), f64);
    return b.failed() ? Value() : b.add(scaled(high, 26), low);
  }
  Value shifted(Value x, int64_t count) {
    return b.failed() ? Value() : b.binary(BinaryFn::shr, x, b.scalarLike(x, count));
  }
  Value scaled(Value x, int exponent) {
    return b.failed() ? Value() : b.mul(x, b.scalarLike(x, std::ldexp(1.0, exponent)));
  }

  OpBinder &b;
  Dims sizes;
  std::optional<int64_t> seed;
  Value stream;
  int64_t node;
};

/// A `seed` is a float in all of these operators; its bits are the key.
std::optional<int64_t> floatSeed(OpBinder &b) {
  if (!b.hasAttribute("seed"))
    return std::nullopt;
  return std::bit_cast<uint32_t>(static_cast<float>(b.floatAttr("seed", 0)));
}

/// The type that numbers of `type` are computed in.
Type wideType(OpBinder &b, Type type) {
  return type.isF64() ? type : Type(b.builder.getF32Type());
}

int64_t digitsOf(Type type) {
  return isa<FloatType>(type) ? std::min(24u, cast<FloatType>(type).getFPMantissaWidth())
                              : 24;
}

Dims shapeAttr(OpBinder &b) {
  if (!b.hasAttribute("shape"))
    b.error("attribute 'shape' is missing");
  Dims dims;
  for (int64_t size : b.intsAttr("shape")) {
    if (size < 0)
      b.error("attribute 'shape': " + Twine(size) + " is no size");
    dims.push_back(b.shape.constant(size));
  }
  return dims;
}

/// The type of attribute `dtype`, or `fallback`; a float.
Type floatResult(OpBinder &b, Type fallback) {
  Type type = b.hasAttribute("dtype") ? b.toType(b.intAttr("dtype", 1)) : fallback;
  if (!b.failed() && !(type.isF16() || type.isBF16() || type.isF32() || type.isF64()))
    b.error("random numbers of this type: expected attribute 'dtype' to be float16, "
            "bfloat16, float or double");
  return type;
}

/// low + u * (high - low)
void setUniform(OpBinder &b, const Dims &dims, Type type) {
  double low = b.floatAttr("low", 0), high = b.floatAttr("high", 1);
  std::optional<int64_t> seed = floatSeed(b);
  if (b.failed())
    return;
  Value u = Draw(b, dims, seed).uniform(wideType(b, type), digitsOf(type));
  if (b.failed())
    return;
  if (low != 0 || high != 1)
    u = b.add(b.mul(u, b.scalarLike(u, high - low)), b.scalarLike(u, low));
  b.result(0, b.cast(u, type));
}

/// mean + scale * z, z by Box and Muller: sqrt(-2 ln u) cos(2 pi v)
void setNormal(OpBinder &b, const Dims &dims, Type type) {
  double mean = b.floatAttr("mean", 0), scale = b.floatAttr("scale", 1);
  std::optional<int64_t> seed = floatSeed(b);
  if (b.failed())
    return;
  Draw draw(b, dims, seed);
  Type wide = wideType(b, type);
  Value logarithm = b.unary(UnaryFn::log, draw.positive(wide, 0));
  Value turn = draw.uniform(wide, 24, wide.isF64() ? 2 : 1);
  if (b.failed())
    return;
  Value radius = b.unary(UnaryFn::sqrt, b.mul(logarithm, b.scalarLike(logarithm, -2)));
  Value z = b.mul(radius, b.unary(UnaryFn::cos,
                                  b.mul(turn, b.scalarLike(turn, 2 * std::numbers::pi))));
  if (b.failed())
    return;
  if (scale != 1)
    z = b.mul(z, b.scalarLike(z, scale));
  if (mean != 0)
    z = b.add(z, b.scalarLike(z, mean));
  b.result(0, b.cast(z, type));
}

using SetNumbers = void (*)(OpBinder &, const Dims &, Type);

template <SetNumbers set> void importOfShape(OpBinder &b) {
  Dims dims = shapeAttr(b);
  Type type = floatResult(b, b.builder.getF32Type());
  if (!b.failed())
    set(b, dims, type);
}

template <SetNumbers set> void importLike(OpBinder &b) {
  Type type = floatResult(b, HxBuilder::elementType(b.input(0)));
  if (!b.failed())
    set(b, b.dims(b.input(0)), type);
}

/// 1 where u < p; NaN is no probability: 0.
void importBernoulli(OpBinder &b) {
  Value p = b.input(0);
  Type type = HxBuilder::elementType(p);
  if (b.hasAttribute("dtype"))
    type = b.toType(b.intAttr("dtype", 1));
  std::optional<int64_t> seed = floatSeed(b);
  if (b.failed())
    return;
  Type wide = wideType(b, HxBuilder::elementType(p));
  Value u = Draw(b, b.dims(p), seed).uniform(wide, 24);
  b.result(0, b.cast(b.compare(ComparePredicate::lt, u, b.cast(p, wide)), type));
}

/// [batch, classes] logarithms of weights -> [batch, samples]: the class with the largest
/// sum of its logarithm and Gumbel noise, -ln(-ln(1 - u)).
void importMultinomial(OpBinder &b) {
  Value logits = b.input(0);
  int64_t count = b.intAttr("sample_size", 1);
  Type type = b.toType(b.intAttr("dtype", 6));
  std::optional<int64_t> seed = floatSeed(b);
  if (b.failed())
    return;
  if (HxBuilder::rank(logits) != 2)
    return b.error("the input must be [batch, classes], got rank " +
                   Twine(HxBuilder::rank(logits)));
  if (count < 1)
    return b.error("sample_size=" + Twine(count) + " must be at least 1");
  if (!type.isSignlessInteger(32) && !type.isSignlessInteger(64))
    return b.error("attribute 'dtype' must be int32 or int64");
  Dims dims = b.dims(logits);
  Type f32 = b.builder.getF32Type();
  Value u = Draw(b, {dims[0], b.shape.constant(count), dims[1]}, seed).positive(f32, 0);
  if (b.failed())
    return;
  u = b.binary(BinaryFn::min, u, b.scalarLike(u, 1 - std::ldexp(1.0, -24)));
  auto negative = [&](Value x) { return b.unary(UnaryFn::neg, x); };
  Value waiting = negative(b.unary(UnaryFn::log1p, negative(u)));
  Value noise = negative(b.unary(UnaryFn::log, waiting));
  Type wide = wideType(b, HxBuilder::elementType(logits));
  Value score = b.add(b.shape.unsqueeze(b.cast(logits, wide), {1}), b.cast(noise, wide));
  Value chosen = b.make<hx::ArgReduceOp>(b.builder.getI64Type(), ReduceFn::max, score,
                                         /*axis=*/2, /*keepDims=*/false,
                                         /*selectLast=*/false);
  b.result(0, b.cast(chosen, type));
}

/// The number that a scalar is known to be.
std::optional<double> knownNumber(OpBinder &b, Value scalar) {
  if (auto numbers = b.constantFloats(scalar); numbers && numbers->size() == 1)
    return numbers->front();
  auto contents = b.shapes.contents(scalar);
  if (!contents || contents->size() != 1)
    return std::nullopt;
  return hx::SymbolTable::constantValue(contents->front());
}

/// y = x / (1 - ratio) where kept, else 0 * x; kept where u >= ratio. `ratio` is of the
/// type that x is computed in.
void setDropped(OpBinder &b, Value ratio, std::optional<int64_t> seed) {
  Value x = b.input(0);
  Type wide = HxBuilder::elementType(ratio);
  Value u = Draw(b, b.dims(x), seed).uniform(wide, 24);
  Value isKept = b.compare(ComparePredicate::le, ratio, u);
  // With a ratio of 1 nothing is kept that could be scaled.
  Value one = b.scalar(wide, 1);
  Value keepsAny = b.compare(ComparePredicate::lt, ratio, one);
  Value scale = b.select(keepsAny, b.div(one, b.sub(one, ratio)), b.scalar(wide, 0));
  Value y = b.mul(b.cast(x, wide), b.mul(b.cast(isKept, wide), scale));
  b.result(0, b.cast(y, HxBuilder::elementType(x)));
  if (b.wants(1))
    b.result(1, isKept);
}

/// x, and a mask that is true, before opset 10 in the type of x.
void setKept(OpBinder &b) {
  b.result(0, b.input(0));
  if (!b.wants(1))
    return;
  Type type =
      b.sinceVersion() >= 10 ? b.builder.getI1Type() : HxBuilder::elementType(b.input(0));
  b.result(1, b.shape.broadcastTo(b.scalar(type, 1), b.dims(b.input(0))));
}

/// Before opset 12 for inference only; since then x, ratio?, training_mode?
void importDropout(OpBinder &b) {
  if (b.sinceVersion() < 12 || !b.has(2))
    return setKept(b);
  Value training = b.shape.toScalar(b.input(2));
  Value ratio = b.has(1) ? b.shape.toScalar(b.input(1)) : Value();
  std::optional<int64_t> seed;
  if (b.hasAttribute("seed"))
    seed = b.intAttr("seed", 0);
  if (b.failed())
    return;
  std::optional<double> isTraining = knownNumber(b, b.input(2));
  std::optional<double> known = ratio ? knownNumber(b, b.input(1)) : 0.5;
  if (isTraining == 0.0 || known == 0.0)
    return setKept(b);
  if (known && !(*known > 0 && *known < 1))
    return b.error("ratio is " + std::to_string(*known) + ", expected 0 to below 1");
  Type wide = wideType(b, HxBuilder::elementType(b.input(0)));
  Value wanted = ratio ? b.cast(ratio, wide) : b.scalar(wide, 0.5);
  if (!isTraining)
    wanted = b.select(training, wanted, b.scalar(wide, 0));
  setDropped(b, wanted, seed);
}

} // namespace

void registerRandomOps(OpTable &table) {
  table.add("", {
                    {"RandomNormal", 1, 0, 0, importOfShape<setNormal>},
                    {"RandomUniform", 1, 0, 0, importOfShape<setUniform>},
                    {"RandomNormalLike", 1, 1, 1, importLike<setNormal>},
                    {"RandomUniformLike", 1, 1, 1, importLike<setUniform>},
                    {"Bernoulli", 15, 1, 1, importBernoulli},
                    {"Multinomial", 7, 1, 1, importMultinomial},
                    {"Dropout", 6, 1, 1, importDropout},
                    {"Dropout", 10, 1, 1, importDropout},
                    {"Dropout", 12, 1, 3, importDropout},
                });
}

} // namespace hexin::onnx
