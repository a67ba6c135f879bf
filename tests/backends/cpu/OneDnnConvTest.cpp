//===- OneDnnConvTest.cpp - oneDNN's convolutions against plain loops ------===//
#include "tests/backends/cpu/LibraryFixture.h"

#include <cmath>
#include <gtest/gtest.h>
#include <thread>

using namespace hexin::test;

namespace {

struct ConvCase {
  int64_t n, c, m, h, w, kh, kw, stride, pad, dilation, groups;
};

int64_t outSize(int64_t in, int64_t k, const ConvCase &p) {
  return (in + 2 * p.pad - (p.dilation * (k - 1) + 1)) / p.stride + 1;
}

/// NCHW conv in double.
HostTensor convReference(const HostTensor &x, const HostTensor &w, const HostTensor &b,
                         const ConvCase &p) {
  int64_t oh = outSize(p.h, p.kh, p), ow = outSize(p.w, p.kw, p);
  HostTensor y{{p.n, p.m, oh, ow}, std::vector<float>(p.n * p.m * oh * ow)};
  int64_t cg = p.c / p.groups, mg = p.m / p.groups;
  for (int64_t n = 0; n < p.n; ++n)
    for (int64_t m = 0; m < p.m; ++m)
      for (int64_t i = 0; i < oh; ++i)
        for (int64_t j = 0; j < ow; ++j) {
          double sum = b.data[m];
          for (int64_t c = 0; c < cg; ++c)
            for (int64_t ki = 0; ki < p.kh; ++ki)
              for (int64_t kj = 0; kj < p.kw; ++kj) {
                int64_t xi = i * p.stride - p.pad + ki * p.dilation;
                int64_t xj = j * p.stride - p.pad + kj * p.dilation;
                if (xi < 0 || xj < 0 || xi >= p.h || xj >= p.w)
                  continue;
                sum +=
                    double(x.data[((n * p.c + m / mg * cg + c) * p.h + xi) * p.w + xj]) *
                    w.data[((m * cg + c) * p.kh + ki) * p.kw + kj];
              }
          y.data[((n * p.m + m) * oh + i) * ow + j] = float(sum);
        }
  return y;
}

void checkConv(OpenDevice &device, const ConvCase &p, bool isNhwc, bool isConstant) {
  auto x = randomTensor({p.n, p.c, p.h, p.w}, 1);
  auto w = randomTensor({p.m, p.c / p.groups, p.kh, p.kw}, 2);
  auto b = randomTensor({p.m}, 3);
  HostTensor expected = convReference(x, w, b, p);
  HostTensor residual = randomTensor(expected.dims, 4);
  for (size_t i = 0; i < expected.data.size(); ++i)
    expected.data[i] = std::fmax(0.0f, expected.data[i] + residual.data[i]);
  if (isNhwc) {
    x = toNhwc(x);
    expected = toNhwc(expected);
    residual = toNhwc(residual);
  }
  HostTensor y{expected.dims, std::vector<float>(expected.data.size(), NAN)};
  std::string error = device.run("onednn.conv", {&x, &w, &b, &residual, &y},
                                 {{"layout", 2, 0, isNhwc ? "nhwc" : "nchw"},
                                  {"strides", 3, 0, "", {p.stride, p.stride}},
                                  {"pads", 3, 0, "", {p.pad, p.pad, p.pad, p.pad}},
                                  {"dilations", 3, 0, "", {p.dilation, p.dilation}},
                                  {"groups", 0, p.groups},
                                  {"has_bias", 0, 1},
                                  {"post_ops", 2, 0, "add;relu"}},
                                 isConstant ? 1 : -1, 2);
  // What is not how we compile, oneDNN may have as slow code only, and that is refused.
  if (!error.empty() && !(isNhwc && isConstant)) {
    EXPECT_NE(error.find("reference code"), std::string::npos) << error;
    return;
  }
  ASSERT_EQ(error, "");
  expectClose(y, expected, 1e-4f);
}

TEST(OneDnn, conv) {
  const ConvCase cases[] = {{1, 16, 32, 14, 14, 3, 3, 1, 1, 1, 1},
                            {2, 3, 8, 17, 13, 7, 7, 2, 3, 1, 1},
                            {1, 8, 8, 9, 9, 3, 3, 1, 1, 1, 8},
                            {1, 12, 8, 10, 10, 3, 3, 1, 2, 2, 4},
                            {1, 64, 24, 7, 7, 1, 1, 1, 0, 1, 1}};
  for (unsigned threads : {1u, 2u}) {
    OpenDevice device(threads);
    for (const ConvCase &p : cases)
      for (bool isNhwc : {true, false})
        for (bool isConstant : {true, false})
          checkConv(device, p, isNhwc, isConstant);
  }
}

TEST(OneDnn, convTranspose) {
  OpenDevice device(0);
  // [1, C=2, 3, 3] * [C=2, M=4 / groups 2, 3, 3], stride 2, pads 1, output padding 1.
  int64_t C = 4, M = 6, groups = 2, in = 5, k = 3, stride = 2, pad = 1, out = 10;
  auto x = randomTensor({1, C, in, in}, 5), w = randomTensor({C, M / groups, k, k}, 6);
  HostTensor expected{{1, M, out, out}, std::vector<float>(M * out * out)};
  for (int64_t c = 0; c < C; ++c)
    for (int64_t m = 0; m < M / groups; ++m)
      for (int64_t i = 0; i < in * in; ++i)
        for (int64_t t = 0; t < k * k; ++t) {
          int64_t oi = i / in * stride - pad + t / k, oj = i % in * stride - pad + t % k;
          if (oi < 0 || oj < 0 || oi >= out || oj >= out)
            continue;
          int64_t channel = c / (C / groups) * (M / groups) + m;
          expected.data[(channel * out + oi) * out + oj] +=
              x.data[c * in * in + i] * w.data[(c * (M / groups) + m) * k * k + t];
        }
  for (int constant : {1, -1}) {
    HostTensor y{expected.dims, std::vector<float>(expected.data.size(), NAN)};
    ASSERT_EQ(device.run("onednn.conv_transpose", {&x, &w, &y},
                         {{"strides", 3, 0, "", {2, 2}},
                          {"pads", 3, 0, "", {1, 1, 1, 1}},
                          {"outputPadding", 3, 0, "", {1, 1}},
                          {"groups", 0, groups}},
                         constant),
              "");
    expectClose(y, expected, 1e-4f);
  }
}

TEST(OneDnn, manyCallers) {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([caller] {
      OpenDevice device(caller % 2 ? 1 : 2);
      for (int round = 0; round < 10; ++round)
        checkConv(device, {1, 16, 16, 12, 12, 3, 3, 1, 1, 1, 1}, true, true);
    });
  for (std::thread &thread : callers)
    thread.join();
}

} // namespace
