#include "runtime/artifact/WinogradWeights.h"

#include "runtime/base/Checked.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#if defined(__x86_64__) && defined(__ELF__)
// Wider vectors change no number: lanes are different columns, and without FMA the
// operations are the same ones.
#define HEXIN_WIDE_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define HEXIN_WIDE_CLONES
#endif

namespace hexin {
namespace {

constexpr int64_t taps = 3;
constexpr int64_t lanes = 8;

/// Columns side by side.
struct Lanes {
  double at[lanes];
};

/// G * g for one row or column of weights.
template <int m>
[[gnu::always_inline]] inline void transformTaps(const Lanes &g0, const Lanes &g1,
                                                 const Lanes &g2, Lanes *u);

template <>
inline void transformTaps<2>(const Lanes &g0, const Lanes &g1, const Lanes &g2,
                             Lanes *u) {
  for (int64_t i = 0; i < lanes; ++i) {
    double even = (g0.at[i] + g2.at[i]) * 0.5, odd = g1.at[i] * 0.5;
    u[0].at[i] = g0.at[i];
    u[1].at[i] = even + odd;
    u[2].at[i] = even - odd;
    u[3].at[i] = g2.at[i];
  }
}

template <>
inline void transformTaps<4>(const Lanes &g0, const Lanes &g1, const Lanes &g2,
                             Lanes *u) {
  constexpr double sqrt2 = 1.41421356237309504880;
  for (int64_t i = 0; i < lanes; ++i) {
    double near = (g0.at[i] + g2.at[i] * 0.5) * (-2.0 / 3);
    double nearOdd = g1.at[i] * (-sqrt2 / 3);
    double far = (g0.at[i] + g2.at[i] * 2) * (1.0 / 6);
    double farOdd = g1.at[i] * (sqrt2 / 6);
    u[0].at[i] = g0.at[i];
    u[1].at[i] = near + nearOdd;
    u[2].at[i] = near - nearOdd;
    u[3].at[i] = far + farOdd;
    u[4].at[i] = far - farOdd;
    u[5].at[i] = g2.at[i];
  }
}

/// `lanes` columns of one input channel: weights lie `tapStride` floats apart, results
/// `pointStride`.
template <int m>
[[gnu::always_inline]] inline void transformColumns(const float *src, int64_t tapStride,
                                                    float *dst, int64_t pointStride) {
  constexpr int n = m + 2;
  Lanes g[taps][taps], half[n][taps];
  for (int64_t tap = 0; tap < taps * taps; ++tap)
    for (int64_t i = 0; i < lanes; ++i)
      g[tap / taps][tap % taps].at[i] = src[tap * tapStride + i];
  for (int64_t x = 0; x < taps; ++x) {
    Lanes column[n];
    transformTaps<m>(g[0][x], g[1][x], g[2][x], column);
    for (int64_t y = 0; y < n; ++y)
      half[y][x] = column[y];
  }
  for (int64_t y = 0; y < n; ++y) {
    Lanes row[n];
    transformTaps<m>(half[y][0], half[y][1], half[y][2], row);
    for (int64_t x = 0; x < n; ++x)
      for (int64_t i = 0; i < lanes; ++i)
        dst[(y * n + x) * pointStride + i] = static_cast<float>(row[x].at[i]);
  }
}

/// The floats of U that a thread collects before it writes them: streams of all points
/// that often lie a multiple of 4 KiB apart would push each other out of the cache.
constexpr int64_t bufferFloats = 6144;

template <int m>
[[gnu::always_inline]] inline void
transformPanel(const WinogradForm &form, const float *src, float *dst, float *buffer) {
  const int64_t points = form.points(), width = form.width;
  const int64_t tapStride = form.inputs * width;
  const int64_t inputsAtATime = std::max<int64_t>(1, bufferFloats / (points * width));
  for (int64_t first = 0; first < form.inputs; first += inputsAtATime) {
    int64_t count = std::min(inputsAtATime, form.inputs - first) * width;
    // Inputs and columns are one run in both forms.
    const float *from = src + first * width;
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
      transformColumns<m>(from + i, tapStride, buffer + i, count);
    if (i < count) {
      float weights[taps * taps * lanes] = {}, results[(m + 2) * (m + 2) * lanes];
      for (int64_t tap = 0; tap < taps * taps; ++tap)
        std::copy_n(from + tap * tapStride + i, count - i, weights + tap * lanes);
      transformColumns<m>(weights, lanes, results, lanes);
      for (int64_t xi = 0; xi < points; ++xi)
        std::copy_n(results + xi * lanes, count - i, buffer + xi * count + i);
    }
    for (int64_t xi = 0; xi < points; ++xi)
      std::memcpy(dst + xi * tapStride + first * width, buffer + xi * count,
                  static_cast<size_t>(count) * sizeof(float));
  }
}

HEXIN_WIDE_CLONES void transformPanel2(const WinogradForm &form, const float *src,
                                       float *dst, float *buffer) {
  transformPanel<2>(form, src, dst, buffer);
}

HEXIN_WIDE_CLONES void transformPanel4(const WinogradForm &form, const float *src,
                                       float *dst, float *buffer) {
  transformPanel<4>(form, src, dst, buffer);
}

/// Floats of one panel, `perInput` for each input and column.
std::optional<int64_t> panelElements(const WinogradForm &form, int64_t perInput) {
  return checkedNumElements(std::vector<int64_t>{perInput, form.inputs, form.width});
}

} // namespace

std::optional<int64_t> winogradPanels(const WinogradForm &form) {
  if ((form.tile != 2 && form.tile != 4) || form.inputs < 1 || form.outputs < 1 ||
      form.groups < 1 || form.width < 1)
    return std::nullopt;
  return checkedMul((form.outputs - 1) / form.width + 1, form.groups);
}

std::optional<int64_t> winogradElements(const WinogradForm &form) {
  auto panels = winogradPanels(form);
  auto each = panels ? panelElements(form, form.points()) : std::nullopt;
  return each ? checkedMul(*each, *panels) : std::nullopt;
}

Status transformWeights(const WinogradForm &form, int64_t firstPanel, int64_t lastPanel,
                        std::span<const float> panels, std::span<float> u) {
  auto numPanels = winogradPanels(form), elements = winogradElements(form);
  bool isRange =
      elements && firstPanel >= 0 && firstPanel <= lastPanel && lastPanel <= *numPanels;
  // Both no more than the elements of U, so that nothing here overflows.
  if (!isRange ||
      u.size() != uint64_t(*elements / *numPanels * (lastPanel - firstPanel)) ||
      panels.size() != uint64_t(*elements / form.points() * taps * taps))
    return invalidArgument(
        "winograd weights of tile " + std::to_string(form.tile) + ", " +
        std::to_string(form.groups) + " x " + std::to_string(form.inputs) + " to " +
        std::to_string(form.outputs) + " channels in panels of " +
        std::to_string(form.width) + ": cannot make panels " +
        std::to_string(firstPanel) + " to " + std::to_string(lastPanel) + ", " +
        std::to_string(u.size()) + " floats, from " + std::to_string(panels.size()));
  const int64_t plain = *panelElements(form, taps * taps);
  const int64_t transformed = *panelElements(form, form.points());
  std::vector<float> buffer(std::max<int64_t>(bufferFloats, form.points() * form.width));
  for (int64_t panel = firstPanel; panel < lastPanel; ++panel)
    (form.tile == 4 ? transformPanel4 : transformPanel2)(
        form, panels.data() + panel * plain,
        u.data() + (panel - firstPanel) * transformed, buffer.data());
  return Status::success();
}

} // namespace hexin
