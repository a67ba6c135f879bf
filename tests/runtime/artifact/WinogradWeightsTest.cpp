// U against its definition in f64, and against the convolution that it stands for.

#include "runtime/artifact/WinogradWeights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace hexin {
namespace {

constexpr double root2 = 1.41421356237309504880, a = root2 / 2;
using Matrix = std::vector<std::vector<double>>;

Matrix inputMatrix(int64_t tile) {
  if (tile == 2)
    return {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, -1, 0, 1}};
  return {{1, 0, -2.5, 0, 1, 0},
          {0, -2 * a, -2, a, 1, 0},
          {0, 2 * a, -2, -a, 1, 0},
          {0, -root2 / 2, -.5, root2, 1, 0},
          {0, root2 / 2, -.5, -root2, 1, 0},
          {0, 1, 0, -2.5, 0, 1}};
}

Matrix outputMatrix(int64_t tile) {
  if (tile == 2)
    return {{1, 1, 1, 0}, {0, 1, -1, 1}};
  return {{1, 1, 1, 1, 1, 0},
          {0, a, -a, root2, -root2, 0},
          {0, .5, .5, 2, 2, 0},
          {0, a / 2, -a / 2, 2 * root2, -2 * root2, 1}};
}

std::vector<float> numbers(int64_t count) {
  std::vector<float> result(static_cast<size_t>(count));
  uint32_t state = 1;
  for (float &value : result) {
    state = state * 1664525 + 1013904223;
    value = static_cast<float>(state >> 8) / (1 << 23) - 1;
  }
  return result;
}

std::vector<float> transformed(const WinogradForm &form,
                               const std::vector<float> &panels) {
  std::vector<float> u(static_cast<size_t>(*winogradElements(form)),
                       std::numeric_limits<float>::quiet_NaN());
  // In two pieces, the later first.
  int64_t all = *winogradPanels(form), half = all / 2;
  std::span<float> first = std::span(u).first(u.size() / all * half);
  std::span<float> second = std::span(u).subspan(first.size());
  EXPECT_TRUE(transformWeights(form, half, all, panels, second).ok());
  EXPECT_TRUE(transformWeights(form, 0, half, panels, first).ok());
  return u;
}

class WinogradWeights : public testing::TestWithParam<WinogradForm> {};

TEST_P(WinogradWeights, GivesTheConvolution) {
  const WinogradForm &form = GetParam();
  const int64_t m = form.tile, n = m + 2, run = form.inputs * form.width;
  auto panels = numbers(*winogradPanels(form) * 9 * run);
  auto u = transformed(form, panels);
  ASSERT_EQ(u.size(), panels.size() / 9 * static_cast<size_t>(form.points()));

  auto input = numbers(n * n);
  Matrix bt = inputMatrix(m), at = outputMatrix(m);
  for (int64_t panel = 0; panel < *winogradPanels(form); ++panel)
    for (int64_t i = 0; i < run; ++i) {
      const float *g = panels.data() + panel * 9 * run + i;
      const float *gu = u.data() + panel * n * n * run + i;
      std::vector<double> products(static_cast<size_t>(n * n));
      for (int64_t y = 0; y < n; ++y)
        for (int64_t x = 0; x < n; ++x) {
          double v = 0;
          for (int64_t r = 0; r < n; ++r)
            for (int64_t c = 0; c < n; ++c)
              v += bt[y][r] * bt[x][c] * input[r * n + c];
          products[y * n + x] = v * gu[(y * n + x) * run];
        }
      for (int64_t y = 0; y < m; ++y)
        for (int64_t x = 0; x < m; ++x) {
          double direct = 0, sum = 0;
          for (int64_t r = 0; r < 3; ++r)
            for (int64_t c = 0; c < 3; ++c)
              direct += double(g[(r * 3 + c) * run]) * input[(y + r) * n + x + c];
          for (int64_t r = 0; r < n; ++r)
            for (int64_t c = 0; c < n; ++c)
              sum += at[y][r] * at[x][c] * products[r * n + c];
          ASSERT_NEAR(sum, direct, 1e-5) << "panel " << panel << " at " << i;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Forms, WinogradWeights,
    testing::Values(WinogradForm{4, 16, 32, 1, 32}, WinogradForm{2, 16, 32, 1, 32},
                    WinogradForm{4, 3, 40, 1, 32}, WinogradForm{4, 100, 70, 2, 16},
                    WinogradForm{2, 33, 8, 3, 8}, WinogradForm{4, 5, 7, 1, 3}));

TEST(WinogradWeightsTest, IsWhatNoNumberIs) {
  WinogradForm form{4, 1, 1, 1, 1};
  std::vector<float> weights(9, 1.0f);
  weights[4] = std::numeric_limits<float>::infinity();
  auto u = transformed(form, weights);
  // Every output sums the points of rows and columns 1 .. 4: all of them notice.
  for (int64_t y = 1; y < 5; ++y)
    for (int64_t x = 1; x < 5; ++x)
      EXPECT_FALSE(std::isfinite(u[static_cast<size_t>(y * 6 + x)]));
}

TEST(WinogradWeightsTest, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(winogradElements({3, 16, 16, 1, 16}));
  EXPECT_FALSE(winogradElements({4, 0, 16, 1, 16}));
  EXPECT_FALSE(winogradElements({4, 16, 16, 1, 0}));
  EXPECT_FALSE(winogradElements({4, int64_t(1) << 40, int64_t(1) << 40, 1, 32}));
  WinogradForm form{4, 16, 16, 1, 16};
  std::vector<float> panels(9 * 256), u(36 * 256);
  EXPECT_TRUE(transformWeights(form, 0, 1, panels, u).ok());
  EXPECT_EQ(transformWeights(form, 0, 2, panels, u).code(), StatusCode::invalidArgument);
  EXPECT_EQ(transformWeights(form, 1, 0, panels, u).code(), StatusCode::invalidArgument);
  EXPECT_EQ(transformWeights(form, 0, 0, panels, u).code(), StatusCode::invalidArgument);
  EXPECT_EQ(transformWeights(form, 0, 1, panels, std::span(u).first(35 * 256)).code(),
            StatusCode::invalidArgument);
  EXPECT_EQ(transformWeights(form, 0, 1, std::span(panels).first(8 * 256), u).code(),
            StatusCode::invalidArgument);
}

} // namespace
} // namespace hexin
