//===- OneDnnTest.cpp - library commands against plain loops ----------------===//
#include "hexin/value.h"
#include "runtime/device/hexin_device.h"
#include "runtime/reference/Packing.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace {

using Dims = std::vector<int64_t>;

int64_t numElements(const Dims &dims) {
  int64_t n = 1;
  for (int64_t d : dims)
    n *= d;
  return n;
}

struct HostTensor {
  Dims dims;
  std::vector<float> data;
  std::vector<float> stored = {}; ///< when it is not stored as `data`
};

HostTensor randomTensor(Dims dims, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> values(-1, 1);
  HostTensor tensor{dims, std::vector<float>(numElements(dims))};
  for (float &v : tensor.data)
    v = values(random);
  return tensor;
}

struct Attribute {
  std::string name;
  uint32_t kind;
  int64_t i = 0;
  std::string s = "";
  Dims ints = {};
};

const hexin_device_api &api() {
  static const hexin_device_api *table = [] {
    void *library = dlopen(HEXIN_BACKEND_CPU_FILE, RTLD_NOW | RTLD_LOCAL);
    if (!library)
      std::abort();
    return reinterpret_cast<hexin_backend_query_fn>(
        dlsym(library, "hexin_backend_query"))(HEXIN_DEVICE_ABI_MAJOR);
  }();
  return *table;
}

class OpenDevice {
public:
  explicit OpenDevice(unsigned threads, const char *cacheDir = nullptr) {
    hexin_device_options options{};
    options.cache_dir = cacheDir;
    options.struct_size = sizeof(options);
    options.threads = threads;
    options.pin_threads = 1;
    hexin_error error{};
    EXPECT_EQ(api().open(0, &options, &device, &error), 0u) << error.message;
  }
  ~OpenDevice() { api().close(device); }

  uint64_t counter(const char *name) { return api().counter(device, name); }

  /// Runs one library command; the last tensor is written. Returns the error text.
  std::string run(const std::string &name, std::vector<HostTensor *> tensors,
                  const std::vector<Attribute> &attributes, int constant = -1,
                  int repeats = 1) {
    hexin_error error{};
    std::vector<hexin_slot> slots;
    std::vector<hexin_binding> bindings;
    for (size_t i = 0; i < tensors.size(); ++i) {
      HostTensor &t = *tensors[i];
      std::vector<float> &memory = t.stored.empty() ? t.data : t.stored;
      hexin_buffer *buffer = nullptr;
      if (api().wrap_host(device, memory.data(), memory.size() * 4, &buffer, &error))
        return error.message;
      slots.push_back({buffer, 0});
      hexin_binding b{};
      b.slot = i;
      b.length = memory.size() * 4;
      b.dtype = static_cast<uint32_t>(hexin::DType::f32);
      b.rank = t.dims.size();
      b.dims = t.dims.data();
      if (int(i) == constant) {
        b.host_data = memory.data();
        b.content_hash = 0x1234 + memory.size() + uint64_t(std::fabs(memory[0]) * 1e6f);
      }
      bindings.push_back(b);
    }
    std::vector<hexin_attribute> raw;
    for (const Attribute &a : attributes) {
      hexin_attribute r{};
      r.name = a.name.c_str();
      r.kind = a.kind;
      r.i = a.i;
      r.s = a.s.c_str();
      r.ints = a.ints.data();
      r.count = a.ints.size();
      raw.push_back(r);
    }
    hexin_command_desc desc{};
    desc.struct_size = sizeof(desc);
    desc.kind = HEXIN_COMMAND_LIBRARY;
    desc.name = name.c_str();
    desc.bindings = bindings.data();
    desc.binding_count = bindings.size();
    desc.attributes = raw.data();
    desc.attribute_count = raw.size();
    hexin_command *command = nullptr;
    std::string message;
    if (api().prepare(device, &desc, &command, &error)) {
      message = error.message;
    } else {
      hexin_submission submission{};
      submission.struct_size = sizeof(submission);
      submission.command_count = 1;
      submission.commands = &command;
      submission.slots = slots.data();
      submission.slot_count = slots.size();
      hexin_event *event = nullptr;
      for (int i = 0; i < repeats && message.empty(); ++i) {
        if (api().submit(device, &submission, &event, &error))
          message = error.message;
        else
          api().wait(device, event, &error);
      }
      api().discard(device, command);
    }
    for (hexin_slot &slot : slots)
      api().release(device, slot.buffer);
    return message;
  }

private:
  hexin_device *device = nullptr;
};

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

HostTensor toNhwc(const HostTensor &x) {
  int64_t N = x.dims[0], C = x.dims[1], H = x.dims[2], W = x.dims[3];
  HostTensor y{{N, H, W, C}, std::vector<float>(x.data.size())};
  for (int64_t n = 0; n < N; ++n)
    for (int64_t c = 0; c < C; ++c)
      for (int64_t i = 0; i < H * W; ++i)
        y.data[(n * H * W + i) * C + c] = x.data[(n * C + c) * H * W + i];
  return y;
}

void expectClose(const HostTensor &got, const HostTensor &expected, float tolerance) {
  ASSERT_EQ(got.data.size(), expected.data.size());
  for (size_t i = 0; i < got.data.size(); ++i)
    ASSERT_NEAR(got.data[i], expected.data[i], tolerance) << i;
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

/// `weights` as the artifact stores them; see runtime/reference/Packing.h.
void storeInPanels(HostTensor &weights, hexin::reference::PlainForm form, int64_t width,
                   int64_t groups) {
  Dims dims = weights.dims;
  dims[0] /= groups;
  auto shape = hexin::reference::makePanelShape(form, dims, width, 4);
  ASSERT_TRUE(shape.ok());
  weights.stored.resize(shape->packedBytes() * groups / 4);
  auto plain = std::as_bytes(std::span(weights.data));
  auto packed = std::as_writable_bytes(std::span(weights.stored));
  for (int64_t g = 0; g < groups; ++g)
    ASSERT_TRUE(hexin::reference::packPanels(
                    *shape, plain.subspan(g * shape->plainBytes(), shape->plainBytes()),
                    packed.subspan(g * shape->packedBytes(), shape->packedBytes()))
                    .ok());
}

struct PanelsCase {
  const char *name;
  Dims src, weights, dst;
  int64_t groups, width, panelGroups;
  bool isTransposed;
};
const PanelsCase panelsCases[] = {
    {"conv", {1, 9, 7, 16}, {40, 16, 3, 3}, {1, 7, 5, 40}, 1, 32, 1, false},
    {"conv", {2, 6, 6, 16}, {24, 4, 3, 3}, {2, 4, 4, 24}, 4, 8, 4, false},
    {"conv", {1, 8, 8, 24}, {24, 1, 3, 3}, {1, 6, 6, 24}, 24, 32, 1, false}, // depthwise
    {"matmul", {3, 5, 16}, {16, 20}, {3, 5, 20}, 1, 32, 1, false},
    {"matmul", {5, 16}, {20, 16}, {5, 20}, 1, 16, 1, true}};

/// The command with weights stored plainly or in panels; `cacheDir` as for OpenDevice.
HostTensor runCase(const PanelsCase &c, bool inPanels, OpenDevice &device) {
  bool isConv = std::string(c.name) == "conv";
  auto src = randomTensor(c.src, 21), weights = randomTensor(c.weights, 22);
  HostTensor dst{c.dst, std::vector<float>(numElements(c.dst), NAN)};
  std::vector<Attribute> attributes = {{"layout", 2, 0, "nhwc"},
                                       {"groups", 0, c.groups},
                                       {"transposeRhs", 0, c.isTransposed}};
  if (inPanels) {
    auto form = isConv           ? hexin::reference::PlainForm::conv
                : c.isTransposed ? hexin::reference::PlainForm::matmulTransposed
                                 : hexin::reference::PlainForm::matmul;
    storeInPanels(weights, form, c.width, c.panelGroups);
    attributes.push_back({"panels", 3, 0, "", {c.width, c.panelGroups}});
  }
  EXPECT_EQ(device.run(std::string("onednn.") + c.name, {&src, &weights, &dst},
                       attributes, /*constant=*/1),
            "");
  return dst;
}

TEST(OneDnn, weightsInPanels) {
  OpenDevice device(0);
  for (const PanelsCase &c : panelsCases)
    EXPECT_EQ(runCase(c, true, device).data, runCase(c, false, device).data);
}

TEST(OneDnn, panelsThatDoNotFit) {
  OpenDevice device(0);
  auto lhs = randomTensor({5, 16}, 1), rhs = randomTensor({16, 20}, 2),
       dst = randomTensor({5, 20}, 3);
  auto error = [&](Dims panels, int constant) {
    return device.run("onednn.matmul", {&lhs, &rhs, &dst}, {{"panels", 3, 0, "", panels}},
                      constant);
  };
  for (const Dims &panels : {Dims{32, 1}, Dims{0, 1}, Dims{32}, Dims{32, 0}, Dims{32, 3}})
    EXPECT_NE(error(panels, 1), "");
  EXPECT_NE(error({INT64_MAX, 1}, 1).find("overflow"), std::string::npos);
  EXPECT_NE(error({4, 1}, -1).find("not constant"), std::string::npos);
  EXPECT_EQ(error({4, 1}, 1), ""); // 20 columns in panels of 4: nothing is filled up
}

TEST(OneDnn, weightsAreKeptOnDisk) {
  std::string folder = testing::TempDir() + "hexin-onednn-XXXXXX";
  ASSERT_TRUE(mkdtemp(folder.data()));
  std::vector<HostTensor> first;
  {
    OpenDevice device(0, folder.c_str());
    for (const PanelsCase &c : panelsCases)
      first.push_back(runCase(c, true, device));
    EXPECT_EQ(device.counter("weights_reordered"), std::size(panelsCases));
    EXPECT_EQ(device.counter("weights_cached"), 0u);
    EXPECT_EQ(device.counter("no_such_counter"), 0u);
  }
  // What is in memory went with its command: as in another process.
  OpenDevice device(0, folder.c_str());
  for (size_t i = 0; i < std::size(panelsCases); ++i)
    EXPECT_EQ(runCase(panelsCases[i], true, device).data, first[i].data);
  EXPECT_EQ(device.counter("weights_reordered"), 0u);
  EXPECT_EQ(device.counter("weights_cached"), std::size(panelsCases));
  std::filesystem::remove_all(folder);
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
