#include "backends/cpu/onednn/Window.h"

#include <algorithm>

namespace hexin::onednn {
namespace {

Dims orOnes(Dims dims, size_t rank, const char *name) {
  if (dims.empty())
    return Dims(rank, 1);
  if (dims.size() != rank)
    throwInvalid(std::string("expected ") + std::to_string(rank) + " " + name + ", got " +
                 std::to_string(dims.size()));
  return dims;
}

} // namespace

Window readWindow(const OpAttributes &attributes, const Dims &taps, const Dims &large,
                  const Dims &small) {
  size_t rank = taps.size();
  Window window;
  window.strides = orOnes(attributes.getInts("strides"), rank, "strides");
  window.dilations = orOnes(attributes.getInts("dilations"), rank, "dilations");
  Dims pads = attributes.getInts("pads");
  std::string_view policy = attributes.getString("padPolicy", "explicit_pads");
  bool isSame = policy == "same_upper" || policy == "same_lower";
  if (pads.empty())
    pads.assign(2 * rank, 0);
  if (pads.size() != 2 * rank)
    throwInvalid("expected " + std::to_string(2 * rank) + " pads, got " +
                 std::to_string(pads.size()));
  for (size_t i = 0; i < rank; ++i) {
    requireWithin(taps[i], 1, "a window");
    requireWithin(window.strides[i], 1, "a stride");
    requireWithin(window.dilations[i], 1, "a dilation");
    requireWithin((taps[i] - 1) * window.dilations[i] + 1, 1, "the reach of a window");
    int64_t begin = pads[i], end = pads[rank + i];
    if (isSame) {
      int64_t reach = (taps[i] - 1) * window.dilations[i] + 1;
      int64_t total =
          std::max<int64_t>(0, (small[i] - 1) * window.strides[i] + reach - large[i]);
      begin = policy == "same_upper" ? total / 2 : total - total / 2;
      end = total - begin;
    }
    requireWithin(begin, -maxExtent, "a pad");
    requireWithin(end, -maxExtent, "a pad");
    window.padsBegin.push_back(begin);
    window.padsEnd.push_back(end);
    window.dilations[i] -= 1;
  }
  return window;
}

} // namespace hexin::onednn
