// pool: max, sum or average over windows; max may also say where.

#include "runtime/base/DType.h"
#include "runtime/reference/Window.h"

#include <algorithm>
#include <limits>

namespace hexin::reference {
namespace {

template <typename W> W lowestOf() {
  return std::numeric_limits<W>::has_infinity ? -std::numeric_limits<W>::infinity()
                                              : std::numeric_limits<W>::lowest();
}

/// The taps of one output along one axis that lie inside the input.
struct TapRange {
  int64_t begin, end;
};

/// Taps at o * stride + tap * dilation - pad in [low, high).
TapRange tapsWithin(const Window &w, size_t axis, int64_t o, int64_t low, int64_t high) {
  int64_t start = o * w.strides[axis] - w.padBegin[axis], d = w.dilations[axis];
  int64_t begin = start >= low ? 0 : (low - start + d - 1) / d;
  int64_t end = start >= high ? 0 : (high - start + d - 1) / d;
  begin = std::min(begin, w.taps[axis]);
  return {begin, std::clamp(end, begin, w.taps[axis])};
}

template <typename W> struct PoolSums {
  W sum = 0, max = lowestOf<W>();
  int64_t count = 0, maxOffset = -1;

  void add(W x, int64_t offset) {
    sum += x;
    ++count;
    // The first of equals; the first NaN stays.
    if (maxOffset < 0 || (max == max && !(x <= max))) {
      max = x;
      maxOffset = offset;
    }
  }
};

class Pooling {
public:
  Pooling(const Image &image, const Window &window)
      : image_(image), w_(window), sizes_(window.rank()) {}

  /// Adds the elements of output `position` in row-major order of the window.
  template <typename W> PoolSums<W> collect(const W *channel, const Dims &position) {
    PoolSums<W> sums;
    int64_t start = 0;
    for (size_t i = 0; i < w_.rank(); ++i) {
      TapRange range = tapsWithin(w_, i, position[i], 0, w_.in[i]);
      sizes_[i] = range.end - range.begin;
      if (sizes_[i] == 0)
        return sums;
      start +=
          (position[i] * w_.strides[i] - w_.padBegin[i] + range.begin * w_.dilations[i]) *
          image_.spatialStrides[i];
    }
    addFrom(sums, channel, start, 0);
    return sums;
  }

  /// Taps inside input and pads: not those that ceilMode lets overhang.
  double countWithPads(const Dims &position) const {
    double count = 1; // window sizes have no tensor behind them: may exceed i64
    for (size_t i = 0; i < w_.rank(); ++i) {
      TapRange range =
          tapsWithin(w_, i, position[i], -w_.padBegin[i], w_.in[i] + w_.padEnd[i]);
      count *= double(range.end - range.begin);
    }
    return count;
  }

  /// Offset of an element within its plane in nchw order, or column-major.
  int64_t planeIndex(int64_t offset, bool isColumnMajor) const {
    int64_t index = 0, stride = 1;
    size_t rank = w_.rank();
    for (size_t k = 0; k < rank; ++k) {
      size_t i = isColumnMajor ? k : rank - 1 - k;
      index += offset / image_.spatialStrides[i] % w_.in[i] * stride;
      stride *= w_.in[i];
    }
    return index;
  }

private:
  /// The elements from `offset` on, along `axis` and those within it.
  template <typename W>
  void addFrom(PoolSums<W> &sums, const W *channel, int64_t offset, size_t axis) {
    if (axis == w_.rank()) // there are no spatial axes
      return sums.add(channel[offset], offset);
    int64_t step = w_.dilations[axis] * image_.spatialStrides[axis];
    for (int64_t i = 0; i < sizes_[axis]; ++i, offset += step) {
      if (axis + 1 == w_.rank())
        sums.add(channel[offset], offset);
      else
        addFrom(sums, channel, offset, axis + 1);
    }
  }

  const Image &image_;
  const Window &w_;
  Dims sizes_; ///< taps of the current output that lie inside, per axis
};

enum class PoolFn { max, sum, average, averageWithPads };

Result<PoolFn> readPoolFn(const Call &call) {
  std::string_view fn = call.attributes.getString("fn");
  DType dtype = call.operand(0).dtype();
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, call.operand(0)));
  if (fn == "max")
    return PoolFn::max;
  if (fn != "sum" && fn != "avg" && fn != "avg_include_pad")
    return unknownKeyword("fn", fn);
  if (domainOf(dtype) != Domain::floating)
    return unsupported("fn='" + std::string(fn) + "' on elements of type " +
                       std::string(toString(dtype)));
  if (call.resultTypes.size() > 1)
    return invalidArgument("only max has indices, not " + std::string(fn));
  return fn == "sum"   ? PoolFn::sum
         : fn == "avg" ? PoolFn::average
                       : PoolFn::averageWithPads;
}

Result<Window> readPoolWindow(const Call &call, const Image &image) {
  HEXIN_ASSIGN_OR_RETURN(Window window,
                         readForwardWindow(call, image.spatial,
                                           call.attributes.getInts("window"),
                                           call.attributes.getInt("ceilMode") != 0));
  for (size_t i = 0; i < window.rank(); ++i)
    if (std::max(window.padBegin[i], window.padEnd[i]) >= window.extent(i))
      return invalidArgument("pads of spatial axis " + std::to_string(i) +
                             " are not smaller than the window");
  return window;
}

template <typename W>
W valueOf(PoolFn fn, const PoolSums<W> &sums, const Pooling &pooling,
          const Dims &position) {
  switch (fn) {
  case PoolFn::max:
    return sums.max;
  case PoolFn::sum:
    return sums.sum;
  case PoolFn::average:
    return sums.sum / W(sums.count);
  case PoolFn::averageWithPads:
    break;
  }
  return sums.sum / W(pooling.countWithPads(position));
}

} // namespace

Results runPool(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_ASSIGN_OR_RETURN(PoolFn fn, readPoolFn(call));
  HEXIN_ASSIGN_OR_RETURN(bool isChannelsLast, readIsChannelsLast(call));
  HEXIN_ASSIGN_OR_RETURN(Image image, makeImage(input.dims(), isChannelsLast));
  HEXIN_ASSIGN_OR_RETURN(Window window, readPoolWindow(call, image));
  Dims dims = imageDims(image.batch, image.channels, window.out, isChannelsLast);
  HEXIN_ASSIGN_OR_RETURN(Image out, makeImage(dims, isChannelsLast));
  std::vector<Tensor> results; // values, then indices if they are wanted
  for (size_t i = 0; i < call.resultTypes.size(); ++i) {
    HEXIN_ASSIGN_OR_RETURN(Tensor tensor, call.allocate(i, dims));
    results.push_back(std::move(tensor));
  }
  if (results[0].numElements() == 0)
    return results;

  bool isColumnMajor = call.attributes.getInt("storageOrder") == 1;
  Pooling pooling(image, window);
  return visitWide(input.dtype(), [&](auto zero) -> Results {
    using W = decltype(zero);
    Wide<W> x(input);
    for (int64_t plane = 0; plane < image.batch * image.channels; ++plane) {
      int64_t n = plane / image.channels, c = plane % image.channels;
      const W *channel = x.data() + n * image.batchStride + c * image.channelStride;
      Dims position(window.rank(), 0);
      for (int64_t p = 0; p < out.plane(); ++p, stepIndex(position, window.out)) {
        auto sums = pooling.collect(channel, position);
        int64_t at = n * out.batchStride + c * out.channelStride;
        for (size_t i = 0; i < window.rank(); ++i)
          at += position[i] * out.spatialStrides[i];
        W value = valueOf(fn, sums, pooling, position);
        storeElements(results[0].dtype(), results[0].data(), at, 1, &value);
        if (results.size() < 2)
          continue;
        int64_t index = plane * image.plane();
        if (sums.maxOffset >= 0)
          index += pooling.planeIndex(sums.maxOffset, isColumnMajor);
        storeElements(results[1].dtype(), results[1].data(), at, 1, &index);
      }
    }
    return results;
  });
}

} // namespace hexin::reference
