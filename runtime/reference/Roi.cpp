// roi_pool: boxes of an image, each pooled to one size.

#include "runtime/base/DType.h"
#include "runtime/reference/Window.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hexin::reference {
namespace {

/// Beyond this, positions and counts along an axis are out of any image.
constexpr int64_t farAway = int64_t(1) << 30;

struct RoiAttributes {
  bool isAlign = false, isMax = false, isHalfPixel = false;
  double scale = 1;
  int64_t ratio = 0;
  int64_t size[2]; ///< bins along y and x
};

Result<RoiAttributes> readAttributes(const Call &call) {
  RoiAttributes a;
  std::string_view fn = call.attributes.getString("fn");
  if (fn != "align_avg" && fn != "align_max" && fn != "bin_max")
    return unknownKeyword("fn", fn);
  a.isAlign = fn != "bin_max";
  a.isMax = fn != "align_avg";
  a.isHalfPixel = call.attributes.getInt("halfPixel") != 0;
  a.scale = call.attributes.getFloat("scale");
  a.ratio = call.attributes.getInt("ratio");
  std::vector<int64_t> size = call.attributes.getInts("size");
  if (size.size() != 2 || size[0] < 1 || size[1] < 1)
    return invalidArgument("size must be two numbers of at least 1");
  if (a.ratio < 0 || a.ratio > 1024)
    return invalidArgument("ratio=" + std::to_string(a.ratio) + " must be 0 to 1024");
  std::ranges::copy(size, a.size);
  return a;
}

/// A box along one axis, cut into bins of samples. G is the type that boxes are computed
/// in: the order of its operations decides how many samples there are.
template <typename G> struct SampledAxis {
  G start, bin;
  G grid; ///< samples of a bin
  int64_t ratio, inSize;

  SampledAxis(const RoiAttributes &a, G low, G high, int64_t bins, int64_t inSize)
      : ratio(a.ratio), inSize(inSize) {
    G scale = G(a.scale), offset = a.isHalfPixel ? G(0.5) : G(0);
    start = low * scale - offset;
    G end = high * scale - offset;
    G length = end - start;
    if (!a.isHalfPixel)
      length = length > 1 ? length : 1;
    bin = length / G(bins);
    grid = ratio > 0 ? G(ratio) : std::ceil(bin);
    grid = grid > 0 ? grid : 0; // NaN too
  }

  G position(int64_t inBin, int64_t sample) const {
    G first = start + G(inBin) * bin;
    return first + (G(sample) + G(0.5)) * bin / grid;
  }

  /// The samples of a bin that may be in the image, all others being 0. Without a ratio
  /// they are at least 1/2 apart, and a box may have more of them than memory.
  std::pair<int64_t, int64_t> samples(int64_t inBin) const {
    if (ratio > 0)
      return {0, ratio};
    G first = start + G(inBin) * bin, step = bin / grid;
    int64_t from = count(std::floor((G(-1) - first) / step - G(0.5)));
    int64_t to = count(std::ceil((G(inSize) - first) / step + G(0.5)));
    return {from, std::min({to, from + 2 * inSize + 8, count(grid)})};
  }

private:
  static int64_t count(G x) {
    x = x > 0 ? x : 0;
    return int64_t(x < G(farAway) ? x : G(farAway));
  }
};

/// Where a position reads along an axis: two elements and the weight of the second.
template <typename G> struct Corners {
  int64_t low, high;
  G fraction;

  /// Inside of the image or at most one element before it.
  static bool contains(G at, int64_t size) { return at >= G(-1) && at <= G(size); }
  Corners(G at, int64_t size) {
    at = at > 0 ? at : 0;
    low = std::min(int64_t(at), size - 1);
    high = std::min(low + 1, size - 1);
    fraction = low == size - 1 ? 0 : at - G(low);
  }
};

double nanMax(double a, double b) { return std::isnan(a) || a >= b ? a : b; }

template <typename G>
double poolSamples(const RoiAttributes &a, const Image &image, const double *channel,
                   const SampledAxis<G> &y, const SampledAxis<G> &x, int64_t binY,
                   int64_t binX) {
  double sum = 0, largest = -std::numeric_limits<double>::infinity();
  int64_t numInside = 0;
  auto [fromY, toY] = y.samples(binY);
  auto [fromX, toX] = x.samples(binX);
  for (int64_t sy = fromY; sy < toY; ++sy)
    for (int64_t sx = fromX; sx < toX; ++sx) {
      G atY = y.position(binY, sy), atX = x.position(binX, sx);
      if (!Corners<G>::contains(atY, y.inSize) || !Corners<G>::contains(atX, x.inSize))
        continue;
      ++numInside;
      Corners<G> cy(atY, y.inSize), cx(atX, x.inSize);
      for (int i = 0; i < 4; ++i) {
        double wy = i < 2 ? 1 - double(cy.fraction) : double(cy.fraction);
        double wx = i % 2 ? double(cx.fraction) : 1 - double(cx.fraction);
        double value = wy * wx *
                       channel[(i < 2 ? cy.low : cy.high) * image.spatialStrides[0] +
                               (i % 2 ? cx.high : cx.low) * image.spatialStrides[1]];
        sum += value;
        largest = nanMax(largest, value);
      }
    }
  G total = y.grid * x.grid;
  if (!a.isMax)
    return sum / double(total > 1 ? total : 1);
  return numInside > 0 && G(numInside) == total ? largest : nanMax(largest, 0);
}

/// A box along one axis, cut into bins of whole elements.
struct ElementAxis {
  int64_t start, length, bins, inSize;

  /// `low`, `high`: corners in elements, rounded.
  ElementAxis(double low, double high, int64_t bins, int64_t inSize)
      : start(clamped(low)), length(std::max<int64_t>(clamped(high) - start + 1, 1)),
        bins(bins), inSize(inSize) {}

  std::pair<int64_t, int64_t> elements(int64_t bin) const {
    int64_t from = start + bin * length / bins,
            to = start + ((bin + 1) * length + bins - 1) / bins;
    return {std::clamp<int64_t>(from, 0, inSize), std::clamp<int64_t>(to, 0, inSize)};
  }

private:
  static int64_t clamped(double x) {
    x = x > double(-farAway) ? x : double(-farAway); // NaN too
    return int64_t(std::min(x, double(farAway)));
  }
};

double poolElements(const Image &image, const double *channel, const ElementAxis &y,
                    const ElementAxis &x, int64_t binY, int64_t binX) {
  auto [fromY, toY] = y.elements(binY);
  auto [fromX, toX] = x.elements(binX);
  if (fromY >= toY || fromX >= toX)
    return 0;
  double largest = -std::numeric_limits<double>::infinity();
  for (int64_t at = fromY; at < toY; ++at)
    for (int64_t in = fromX; in < toX; ++in)
      largest = nanMax(
          largest, channel[at * image.spatialStrides[0] + in * image.spatialStrides[1]]);
  return largest;
}

/// The bins of one box and one channel, in order.
template <typename G, typename Emit>
void poolBox(const RoiAttributes &a, const Image &image, const double *channel,
             const double *box, Emit emit) {
  auto bins = [&](auto y, auto x, auto pool) {
    for (int64_t binY = 0; binY < a.size[0]; ++binY)
      for (int64_t binX = 0; binX < a.size[1]; ++binX)
        emit(binY, binX, pool(y, x, binY, binX));
  };
  int64_t height = image.spatial[0], width = image.spatial[1];
  if (a.isAlign)
    return bins(SampledAxis<G>(a, G(box[1]), G(box[3]), a.size[0], height),
                SampledAxis<G>(a, G(box[0]), G(box[2]), a.size[1], width),
                [&](auto &y, auto &x, int64_t binY, int64_t binX) {
                  return poolSamples<G>(a, image, channel, y, x, binY, binX);
                });
  auto rounded = [&](double corner) { return std::round(G(corner) * G(a.scale)); };
  bins(ElementAxis(rounded(box[1]), rounded(box[3]), a.size[0], height),
       ElementAxis(rounded(box[0]), rounded(box[2]), a.size[1], width),
       [&](auto &y, auto &x, int64_t binY, int64_t binX) {
         return poolElements(image, channel, y, x, binY, binX);
       });
}

Status checkOperands(const Call &call) {
  const Tensor &input = call.operand(0), &rois = call.operand(1),
               &batch = call.operand(2);
  if (input.dims().size() != 4 || rois.dims().size() != 2 || rois.dims()[1] != 4 ||
      batch.dims().size() != 1 || batch.dims()[0] != rois.dims()[0])
    return invalidArgument(
        "expected an image of rank 4, rois [R, 4] and batch [R], got sizes " +
        formatDims(input.dims()) + ", " + formatDims(rois.dims()) + " and " +
        formatDims(batch.dims()));
  if (domainOf(input.dtype()) != Domain::floating || rois.dtype() != input.dtype())
    return unsupported("regions of elements of type " +
                       std::string(toString(input.dtype())) + ", boxes of type " +
                       std::string(toString(rois.dtype())));
  return checkSameDomain(call, input);
}

} // namespace

Results runRoiPool(const Call &call) {
  HEXIN_RETURN_IF_ERROR(checkOperands(call));
  HEXIN_ASSIGN_OR_RETURN(RoiAttributes attributes, readAttributes(call));
  HEXIN_ASSIGN_OR_RETURN(bool isChannelsLast, readIsChannelsLast(call));
  const Tensor &input = call.operand(0);
  HEXIN_ASSIGN_OR_RETURN(Image image, makeImage(input.dims(), isChannelsLast));
  HEXIN_ASSIGN_OR_RETURN(Dims batch, readIntegers(call.operand(2), "batch"));
  for (int64_t index : batch)
    if (index < 0 || index >= image.batch)
      return outOfRange("index " + std::to_string(index) + " in batch is none of " +
                        std::to_string(image.batch) + " images");
  Dims dims =
      imageDims(int64_t(batch.size()), image.channels, attributes.size, isChannelsLast);
  HEXIN_ASSIGN_OR_RETURN(Image out, makeImage(dims, isChannelsLast));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  if (input.numElements() == 0) {
    std::fill_n(static_cast<std::byte *>(result.data()), result.byteLength(),
                std::byte(0));
    return single(std::move(result));
  }
  Wide<double> x(input), boxes(call.operand(1));
  for (size_t r = 0; r < batch.size(); ++r)
    for (int64_t c = 0; c < image.channels; ++c) {
      const double *channel =
          x.data() + batch[r] * image.batchStride + c * image.channelStride;
      auto emit = [&](int64_t binY, int64_t binX, double value) {
        int64_t at = int64_t(r) * out.batchStride + c * out.channelStride +
                     binY * out.spatialStrides[0] + binX * out.spatialStrides[1];
        storeElements(result.dtype(), result.data(), at, 1, &value);
      };
      const double *box = boxes.data() + 4 * r;
      if (input.dtype() == DType::f64)
        poolBox<double>(attributes, image, channel, box, emit);
      else
        poolBox<float>(attributes, image, channel, box, emit);
    }
  return single(std::move(result));
}

} // namespace hexin::reference
