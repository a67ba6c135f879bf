// Windows and the mel filter bank: tables that follow from a few numbers.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// The one element of integer input `index`.
std::optional<Dim> readNumber(OpBinder &b, unsigned index) {
  Dims elements = b.readInts(index);
  if (!b.failed() && elements.size() != 1)
    b.error("input #" + Twine(index) + " must be one number");
  return b.failed() ? std::nullopt : std::optional(elements[0]);
}

/// a0 - a1 cos(2 pi i / N) + a2 cos(4 pi i / N), N = size, or size - 1 when symmetric.
/// In half angles, 1 - cos t = 2 sin^2(t / 2), so that ends of 0 are exactly that.
template <typename Coefficients> void importWindow(OpBinder &b) {
  constexpr double a0 = Coefficients::a0, a1 = Coefficients::a1, a2 = Coefficients::a2;
  std::optional<Dim> size = readNumber(b, 0);
  Type type = b.toType(b.intAttr("output_datatype", 1));
  if (b.failed())
    return;
  Type wide = type.isF64() ? type : b.builder.getF32Type();
  hx::SymbolTable &symbols = b.symbols();
  Dim period = *size;
  if (b.intAttr("periodic", 1) == 0) // a window of one sample has no period
    period = symbols.max(symbols.sub(*size, symbols.constant(1)), symbols.constant(1));
  Value halfTurn =
      b.div(b.scalar(wide, std::numbers::pi), b.shape.buildScalar(period, wide));
  Value angle = b.mul(b.shape.iota({*size}, 0, wide), halfTurn);
  auto raised = [&](Value halfAngle) { // 1 - cos
    Value sine = b.unary(UnaryFn::sin, halfAngle);
    return b.mul(b.scalar(wide, 2), b.mul(sine, sine));
  };
  Value window = b.mul(b.scalar(wide, a1), raised(angle));
  if (a2 != 0)
    window =
        b.sub(window, b.mul(b.scalar(wide, a2), raised(b.mul(angle, b.scalar(wide, 2)))));
  if (constexpr double floor = a0 - a1 + a2; std::abs(floor) > 1e-12)
    window = b.add(window, b.scalar(wide, floor));
  b.result(0, b.cast(window, type));
}

struct Hann {
  static constexpr double a0 = 0.5, a1 = 0.5, a2 = 0;
};
struct Hamming {
  static constexpr double a0 = 25.0 / 46, a1 = 1 - 25.0 / 46, a2 = 0;
};
struct Blackman {
  static constexpr double a0 = 0.42, a1 = 0.5, a2 = 0.08;
};

/// [bins, mels]: triangles between neighbouring centres, which stand at equal
/// distances on the mel scale and are rounded down to whole bins. Computed in f64, as
/// the rounding would show.
void importMelWeightMatrix(OpBinder &b) {
  std::optional<Dim> mels = readNumber(b, 0), length = readNumber(b, 1),
                     rate = readNumber(b, 2);
  Type type = b.toType(b.intAttr("output_datatype", 1));
  if (b.failed())
    return;
  hx::SymbolTable &symbols = b.symbols();
  Type f64 = b.builder.getF64Type();
  Dim one = symbols.constant(1), two = symbols.constant(2);
  Dim numCentres = symbols.add(*mels, two);
  Dim numBins = symbols.add(symbols.floorDiv(*length, two), one);
  auto c = [&](double value) { return b.scalar(f64, value); };
  double perMel = 2595 / std::log(10.0); // mel = 2595 log10(1 + hertz / 700)
  auto toMel = [&](unsigned input) {
    Value hertz = b.cast(b.shape.toScalar(b.input(input)), f64);
    return b.mul(c(perMel), b.unary(UnaryFn::log1p, b.div(hertz, c(700))));
  };
  Value low = toMel(3);
  Value step = b.div(b.sub(toMel(4), low), b.shape.buildScalar(numCentres, f64));
  Value mel = b.add(b.mul(b.shape.iota({numCentres}, 0, f64), step), low);
  Value hertz = b.mul(c(700), b.unary(UnaryFn::expm1, b.div(mel, c(perMel))));
  Value lengthPlusOne = b.shape.buildScalar(symbols.add(*length, one), f64);
  Value centres = b.unary(UnaryFn::floor, b.div(b.mul(lengthPlusOne, hertz),
                                                b.shape.buildScalar(*rate, f64)));
  auto from = [&](int64_t first) {
    return b.shape.sliceAxis(centres, 0, symbols.constant(first), *mels);
  };
  Value lower = from(0), centre = from(1), upper = from(2);
  Value bin = b.shape.iota({numBins, one}, 0, f64);
  auto isWithin = [&](Value first, Value last) { // first <= bin <= last
    return b.binary(BinaryFn::bit_and, b.compare(ComparePredicate::le, first, bin),
                    b.compare(ComparePredicate::le, bin, last));
  };
  Value zero = c(0), unit = c(1);
  Value rise = b.sub(centre, lower), fall = b.sub(upper, centre);
  Value isSteep = b.compare(ComparePredicate::eq, rise, zero);
  Value rising =
      b.select(isSteep, unit, b.div(b.sub(bin, lower), b.select(isSteep, unit, rise)));
  Value isFlat = b.compare(ComparePredicate::eq, fall, zero);
  Value falling = b.div(b.sub(upper, bin), b.select(isFlat, unit, fall));
  Value isFalling = b.binary(BinaryFn::bit_and, isWithin(centre, upper),
                             b.binary(BinaryFn::bit_and, b.logicalNot(isFlat),
                                      b.compare(ComparePredicate::lt, bin, upper)));
  Value weights = b.select(isWithin(lower, centre), rising, zero);
  b.result(0, b.cast(b.select(isFalling, falling, weights), type));
}

} // namespace

void registerSpectralTableOps(OpTable &table) {
  table.add("", {
                    {"HannWindow", 17, 1, 1, importWindow<Hann>},
                    {"HammingWindow", 17, 1, 1, importWindow<Hamming>},
                    {"BlackmanWindow", 17, 1, 1, importWindow<Blackman>},
                    {"MelWeightMatrix", 17, 5, 5, importMelWeightMatrix},
                });
}

} // namespace hexin::onnx
