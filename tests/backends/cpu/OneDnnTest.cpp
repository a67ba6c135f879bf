//===- OneDnnTest.cpp - oneDNN's products and pools against plain loops; refusals ---===//
#include "tests/backends/cpu/LibraryFixture.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace hexin::test;

namespace {

TEST(OneDnn, matmul) {
  OpenDevice device(0);
  struct Case {
    Dims lhs, rhs, dst;
    bool transposeLhs, transposeRhs, hasBias;
  };
  const Case cases[] = {{{5, 7}, {7, 9}, {5, 9}, false, false, true},
                        {{2, 3, 8}, {8, 4}, {2, 3, 4}, false, false, true},
                        {{2, 3, 8}, {4, 8}, {2, 3, 4}, false, true, false},
                        {{2, 1, 8, 3}, {5, 8, 4}, {2, 5, 3, 4}, true, false, false}};
  for (const Case &c : cases)
    for (bool isConstant : {true, false}) {
      auto lhs = randomTensor(c.lhs, 7), rhs = randomTensor(c.rhs, 8);
      int64_t rank = c.dst.size(), M = c.dst[rank - 2], N = c.dst[rank - 1];
      int64_t K = c.transposeLhs ? c.lhs[c.lhs.size() - 2] : c.lhs.back();
      auto bias = randomTensor({N}, 9), scale = randomTensor({1}, 10);
      HostTensor expected{c.dst, std::vector<float>(numElements(c.dst))};
      int64_t batches = numElements(c.dst) / (M * N);
      int64_t lhsBatches = numElements(c.lhs) / (M * K),
              rhsBatches = numElements(c.rhs) / (K * N);
      for (int64_t b = 0; b < batches; ++b) {
        int64_t lb = lhsBatches == batches ? b : b / (batches / lhsBatches);
        int64_t rb = b % rhsBatches;
        for (int64_t i = 0; i < M; ++i)
          for (int64_t j = 0; j < N; ++j) {
            double sum = c.hasBias ? bias.data[j] : 0;
            for (int64_t k = 0; k < K; ++k)
              sum +=
                  double(
                      lhs.data[lb * M * K + (c.transposeLhs ? k * M + i : i * K + k)]) *
                  rhs.data[rb * K * N + (c.transposeRhs ? j * K + k : k * N + j)];
            expected.data[(b * M + i) * N + j] =
                std::fmin(std::fmax(float(sum) * scale.data[0], -0.5f), 0.5f);
          }
      }
      HostTensor y{c.dst, std::vector<float>(expected.data.size(), NAN)};
      std::vector<HostTensor *> tensors = {&lhs, &rhs};
      if (c.hasBias)
        tensors.push_back(&bias);
      tensors.insert(tensors.end(), {&scale, &y});
      ASSERT_EQ(device.run("onednn.matmul", tensors,
                           {{"transposeLhs", 0, c.transposeLhs},
                            {"transposeRhs", 0, c.transposeRhs},
                            {"has_bias", 0, c.hasBias},
                            {"post_ops", 2, 0, "mul;clip:-0.5:0.5"}},
                           isConstant ? 1 : -1),
                "");
      expectClose(y, expected, 1e-5f);
    }
}

TEST(OneDnn, pool) {
  OpenDevice device(0);
  auto x = randomTensor({1, 8, 7, 7}, 11);
  // Window 3, stride 2, pads 1, ceilMode: 4 windows, the last within the pads.
  for (const char *fn : {"max", "avg", "avg_include_pad"}) {
    HostTensor expected{{1, 8, 4, 4}, std::vector<float>(128)};
    for (int c = 0; c < 8; ++c)
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
          double sum = 0, biggest = -INFINITY;
          int count = 0;
          for (int t = 0; t < 9; ++t) {
            int a = 2 * i - 1 + t / 3, b = 2 * j - 1 + t % 3;
            if (a < 0 || b < 0 || a >= 7 || b >= 7)
              continue;
            double v = x.data[(c * 7 + a) * 7 + b];
            sum += v;
            biggest = std::fmax(biggest, v);
            ++count;
          }
          expected.data[(c * 4 + i) * 4 + j] =
              float(fn[0] == 'm' ? biggest : sum / (fn[3] ? 9 : count));
        }
    auto src = toNhwc(x);
    HostTensor y{{1, 4, 4, 8}, std::vector<float>(128, NAN)};
    ASSERT_EQ(device.run("onednn.pool", {&src, &y},
                         {{"fn", 2, 0, fn},
                          {"layout", 2, 0, "nhwc"},
                          {"window", 3, 0, "", {3, 3}},
                          {"strides", 3, 0, "", {2, 2}},
                          {"pads", 3, 0, "", {1, 1, 1, 1}}}),
              "");
    expectClose(y, toNhwc(expected), 1e-6f);
  }
}

TEST(OneDnn, postOps) {
  OpenDevice device(1);
  auto lhs = randomTensor({4, 8}, 12), rhs = randomTensor({8, 4}, 13);
  for (const char *step :
       {"relu", "leaky_relu:0.1", "elu:1", "sigmoid", "tanh", "swish", "hard_swish",
        "hard_sigmoid:0.2:0.5", "gelu_erf", "gelu_tanh", "mish", "abs", "square", "exp",
        "softplus", "clip:0:6", "linear:2:1", "sum"}) {
    HostTensor y{{4, 4}, std::vector<float>(16, 0.0f)};
    EXPECT_EQ(device.run("onednn.matmul", {&lhs, &rhs, &y}, {{"post_ops", 2, 0, step}}),
              "")
        << step;
  }
}

TEST(OneDnn, errorsNameTheReason) {
  OpenDevice device(0);
  auto lhs = randomTensor({4, 8}, 12), rhs = randomTensor({8, 4}, 13),
       y = randomTensor({4, 4}, 1);
  auto error = [&](std::vector<HostTensor *> tensors, const char *name,
                   const char *postOps) {
    return device.run(name, tensors, {{"post_ops", 2, 0, postOps}});
  };
  EXPECT_NE(error({&lhs, &rhs, &y}, "onednn.softmax", "").find("no such library op"),
            std::string::npos);
  EXPECT_NE(error({&lhs, &rhs, &y}, "onednn.matmul", "wiggle").find("wiggle"),
            std::string::npos);
  EXPECT_NE(error({&lhs, &rhs, &y}, "onednn.matmul", "clip:a").find("not a number"),
            std::string::npos);
  EXPECT_NE(error({&lhs, &rhs, &y}, "onednn.matmul", "add").find("missing"),
            std::string::npos);
  EXPECT_NE(error({&lhs, &lhs, &y}, "onednn.matmul", ""), "");
  EXPECT_NE(error({&lhs, &y}, "onednn.matmul", "").find("expected lhs, rhs"),
            std::string::npos);
  auto bias = randomTensor({3}, 1);
  EXPECT_NE(device.run("onednn.matmul", {&lhs, &rhs, &bias, &y}, {{"has_bias", 0, 1}})
                .find("expected a bias of 4 elements"),
            std::string::npos);
}

/// What a file can say of a window: none of it reaches oneDNN's 32-bit arithmetic.
TEST(OneDnn, windowsOutOfRange) {
  OpenDevice device(0);
  auto x = randomTensor({1, 8, 7, 7}, 11), weights = randomTensor({8, 8, 3, 3}, 2);
  HostTensor y{{1, 8, 5, 5}, std::vector<float>(200)};
  const int64_t values[] = {
      0,         -1,       int64_t(1) << 31, (int64_t(1) << 32) + 1, int64_t(1) << 33,
      INT64_MAX, INT64_MIN};
  auto runBoth = [&](const char *name, const Dims &ints) {
    std::vector<Attribute> attributes = {{"window", 3, 0, "", {3, 3}}};
    if (std::strcmp(name, "window") == 0)
      attributes.clear();
    attributes.push_back({name, 3, 0, "", ints});
    std::string pool = device.run("onednn.pool", {&x, &y}, attributes);
    std::string conv = device.run("onednn.conv", {&x, &weights, &y}, attributes);
    std::string transposed =
        device.run("onednn.conv_transpose", {&y, &weights, &x}, attributes);
    return std::vector<std::string>{pool, conv, transposed};
  };
  EXPECT_EQ(runBoth("strides", {1, 1}), std::vector<std::string>(3));
  for (int64_t value : values) {
    for (const char *name : {"strides", "dilations"})
      for (const std::string &error : runBoth(name, {1, value}))
        EXPECT_NE(error.find("expected 1 to"), std::string::npos) << name << error;
    EXPECT_NE(runBoth("window", {3, value})[0], "") << value;
    // Pads that add up to what fits, each of them far outside.
    if (value > 1)
      for (const std::string &error : runBoth("pads", {0, value, 0, -value}))
        EXPECT_NE(error.find("a pad of"), std::string::npos) << error;
  }
  EXPECT_NE(device.run("onednn.conv", {&x, &weights, &y}, {{"groups", 0, INT64_MIN}}),
            "");
  HostTensor none{{0, int64_t(1) << 29, int64_t(1) << 29, int64_t(1) << 29}, {0}};
  EXPECT_NE(device.run("onednn.conv", {&none, &weights, &y}, {}), "");
}

} // namespace
