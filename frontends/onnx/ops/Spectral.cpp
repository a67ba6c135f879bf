// STFT, as a convolution with the rows of the Fourier matrix.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Fourier.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// The table has 2 * bins * length numbers: 32 MiB in f32.
constexpr int64_t maxFrameLength = 4096;

/// The point at i / n of a turn. Where a coordinate is 0 it is exactly that: bins whose
/// imaginary part vanishes have a phase of 0 or pi, not of either sign by chance.
std::pair<float, float> onCircle(int64_t i, int64_t n) {
  double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n);
  bool isHalfTurn = 2 * i % n == 0, isQuarterTurn = !isHalfTurn && 4 * i % n == 0;
  return {isQuarterTurn ? 0.0f : static_cast<float>(std::cos(angle)),
          isHalfTurn ? 0.0f : static_cast<float>(std::sin(angle))};
}

/// Filters [2 * bins, channels, length]: what real (and, with two channels, imaginary)
/// samples add to the real and to the imaginary part of each bin.
Value fourierFilters(OpBinder &b, int64_t bins, int64_t channels, int64_t length) {
  const int64_t dims[] = {2 * bins, channels, length};
  Result<Tensor> table = Tensor::allocate(DType::f32, dims);
  if (!table.ok()) {
    b.error(table.status().message());
    return {};
  }
  auto at = [&](int64_t row, int64_t channel, int64_t sample) -> float & {
    return table->as<float>()[(row * channels + channel) * length + sample];
  };
  for (int64_t bin = 0; bin < bins; ++bin)
    for (int64_t sample = 0; sample < length; ++sample) {
      auto [cosine, sine] = onCircle(bin * sample % length, length);
      at(bin, 0, sample) = cosine;
      at(bins + bin, 0, sample) = 0.0f - sine; // no -0
      if (channels == 2) {
        at(bin, 1, sample) = sine;
        at(bins + bin, 1, sample) = cosine;
      }
    }
  Value value = b.importer().addConstant(*std::move(table), "fourier");
  if (!value)
    b.markFailed();
  return value;
}

/// The number of samples of a frame: frame_length, or else the window's.
std::optional<int64_t> frameLength(OpBinder &b) {
  if (b.has(3)) {
    SmallVector<int64_t> given = b.constantInts(3, "frame_length");
    return given.size() == 1 ? std::optional(given[0]) : std::nullopt;
  }
  if (b.has(2))
    return hx::SymbolTable::constantValue(b.shapes.numElements(b.input(2)));
  b.error("neither window nor frame_length is given");
  return std::nullopt;
}

/// Where only a run knows the frames: gathered, and transformed each.
void importStftOfFrames(OpBinder &b, Value signal) {
  Dims step = b.readInts(1), length;
  if (b.has(3))
    length = b.readInts(3);
  else if (b.has(2))
    length.push_back(b.shapes.numElements(b.input(2)));
  if (b.failed() || step.size() != 1 || length.size() != 1)
    return b.failed() ? void()
                      : b.error("frame_step must be one number, and so must "
                                "frame_length, or else there must be a window");
  hx::SymbolTable &symbols = b.symbols();
  Dim one = symbols.constant(1);
  Dims dims = b.dims(signal);
  checkRange(b, step[0], 1, INT64_MAX, "frame_step");
  checkRange(b, length[0], 1, INT64_MAX, "frame_length");
  if (b.failed())
    return;
  Dim count =
      symbols.add(symbols.floorDiv(symbols.sub(dims[1], length[0]), step[0]), one);
  Type i64 = b.builder.getI64Type(), f64 = b.builder.getF64Type();
  Value starts =
      b.mul(b.shape.iota({count, one}, 0, i64), b.shape.buildScalar(step[0], i64));
  Value positions = b.add(starts, b.shape.iota({one, length[0]}, 1, i64));
  Value window = b.has(2) ? b.cast(b.input(2), f64) : Value();
  bool isComplex = HxBuilder::rank(signal) == 3 && dims[2] == symbols.constant(2);
  auto part = [&](int64_t index) {
    Value samples = signal;
    if (HxBuilder::rank(signal) == 3)
      samples = b.shape.squeeze(
          b.shape.sliceAxis(signal, 2, symbols.constant(index), one), {2});
    Value frames = b.cast(b.gather(samples, positions, 1), f64);
    return window ? b.mul(frames, window) : frames;
  };
  FourierTransform transform{length[0], false, b.intAttr("onesided", 1) != 0};
  Value result = fourierTransform(b, part(0), isComplex ? part(1) : Value(), transform);
  b.result(0, b.failed() ? Value() : b.cast(result, HxBuilder::elementType(signal)));
}

/// signal [batch, samples], [batch, samples, 1] or, complex, [batch, samples, 2];
/// frame_step, window?, frame_length? -> [batch, frames, bins, 2].
void importStft(OpBinder &b) {
  Value signal = b.input(0);
  int64_t rank = HxBuilder::rank(signal);
  if (rank != 2 && rank != 3)
    return b.contradiction("the signal has rank " + Twine(rank) +
                           ", expected [batch, samples, 1 or 2]");
  bool isOneSided = b.intAttr("onesided", 1) != 0;
  if (rank == 3)
    signal = withKnownParts(b, signal, /*onlyReal=*/isOneSided);
  if (b.failed())
    return;
  int64_t channels = rank == 3 && b.dims(signal)[2] == b.shape.constant(2) ? 2 : 1;
  auto isKnown = [&](unsigned index) {
    Dims numbers = b.has(index) ? b.readInts(index) : Dims();
    return b.failed() || ShapeMath::constants(numbers).has_value();
  };
  bool isWindowKnown = b.has(3) || !b.has(2) || ShapeMath::constants(b.dims(b.input(2)));
  if (!isKnown(1) || !isKnown(3) || !isWindowKnown)
    return importStftOfFrames(b, signal);
  SmallVector<int64_t> step = b.constantInts(1, "frame_step");
  std::optional<int64_t> length = frameLength(b);
  if (b.failed())
    return;
  if (step.size() != 1 || step[0] < 1 || !length || *length < 1)
    return b.error("frame_step and frame_length must be one positive number each");
  if (*length > maxFrameLength)
    return b.unsupported("frames of " + Twine(*length) + " samples: at most " +
                         Twine(maxFrameLength) + " are supported");
  int64_t bins = isOneSided ? *length / 2 + 1 : *length;
  Type f32 = b.builder.getF32Type(), type = HxBuilder::elementType(signal);
  Value filters = fourierFilters(b, bins, channels, *length);
  if (b.has(2))
    filters = b.mul(filters, b.cast(b.input(2), f32));
  // [batch, channels, samples] with as many channels as parts of a sample.
  Value samples = rank == 2 ? b.shape.unsqueeze(b.cast(signal, f32), {1})
                            : b.transpose(b.cast(signal, f32), {0, 2, 1});
  if (b.failed())
    return;
  Value parts = b.make<hx::ConvOp>(f32, samples, filters, Value(), /*groups=*/1, step,
                                   ArrayRef<int64_t>{0, 0}, ArrayRef<int64_t>{1},
                                   hx::PadPolicy::explicit_pads, hx::Layout::nchw);
  if (b.failed())
    return;
  // [batch, 2 * bins, frames] -> [batch, 2, bins, frames] -> [batch, frames, bins, 2]
  Dims dims = b.dims(parts);
  parts = b.shape.reshape(
      parts, {dims[0], b.shape.constant(2), b.shape.constant(bins), dims[2]});
  b.result(0, b.cast(b.transpose(parts, {0, 3, 2, 1}), type));
}

} // namespace

void registerSpectralOps(OpTable &table) {
  table.add("", {
                    {"STFT", 17, 2, 4, importStft},
                });
}

} // namespace hexin::onnx
