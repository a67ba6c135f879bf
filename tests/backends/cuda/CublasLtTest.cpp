// Products by the library of tests/cuda_driver/cublaslt, which computes them: layouts,
// epilogues, workspace, order in the stream, graphs, refusals.
#include "backends/cuda/abi/LibraryOps.h"
#include "hexin/value.h"
#include "tests/backends/cuda/CudaTesting.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <numeric>

namespace hexin::test {
namespace {

using Dims = std::vector<int64_t>;

struct Product {
  Dims lhs, rhs, dst;
  bool transposeLhs = false, transposeRhs = false, hasBias = false, hasRelu = false;
  DType dtype = DType::f32;
};

int64_t count(const Dims &dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t(1), std::multiplies<>());
}

/// Small integers, so that sums are exact in any order.
std::vector<float> numbers(int64_t count, int seed) {
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(int((i * 7 + size_t(seed) * 5) % 11) - 5);
  return values;
}

class CudaCublasLt : public CudaTest {
protected:
  void SetUp() override {
    CudaTest::SetUp();
    if (IsSkipped())
      return;
    lt = dlopen(std::getenv("HEXIN_CUBLASLT_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
    ASSERT_TRUE(lt) << dlerror();
  }
  void TearDown() override {
    for (hexin_command *command : products)
      api->discard(device, command);
    unsetenv("HEXIN_FAKE_CUBLASLT");
    CudaTest::TearDown();
    if (!lt)
      return;
    EXPECT_EQ(ask("fakeCublasLtLive"), 0) << "descriptors or handles are left";
    dlclose(lt);
  }
  int ask(const char *name) { return reinterpret_cast<int (*)()>(dlsym(lt, name))(); }

  /// A command whose operands are slots 0, 1, (2,) and the last; null when refused.
  hexin_command *prepareProduct(const Product &product, uint64_t dstOffset = 0) {
    std::vector<Dims> operands = {product.lhs, product.rhs};
    if (product.hasBias)
      operands.push_back({product.dst.back()});
    operands.push_back(product.dst);
    std::vector<hexin_binding> bindings(operands.size());
    for (uint32_t i = 0; i < operands.size(); ++i) {
      bindings[i].slot = i;
      bindings[i].dtype = static_cast<uint32_t>(product.dtype);
      bindings[i].rank = static_cast<uint32_t>(operands[i].size());
      bindings[i].dims = operands[i].data();
      bindings[i].length = static_cast<uint64_t>(count(operands[i])) *
                           (product.dtype == DType::f32 ? 4 : 2);
    }
    bindings.back().is_written = 1;
    bindings.back().offset = dstOffset;
    const std::pair<const char *, bool> flags[] = {
        {cuda::library::transposeLhs, product.transposeLhs},
        {cuda::library::transposeRhs, product.transposeRhs},
        {cuda::library::hasBias, product.hasBias},
        {cuda::library::hasRelu, product.hasRelu}};
    std::vector<hexin_attribute> attributes;
    for (const auto &[name, isSet] : flags) {
      hexin_attribute attribute{};
      attribute.name = name;
      attribute.i = isSet;
      attributes.push_back(attribute);
    }
    hexin_command_desc desc{};
    desc.struct_size = sizeof desc;
    desc.kind = HEXIN_COMMAND_LIBRARY;
    desc.name = cuda::library::matmul;
    desc.bindings = bindings.data();
    desc.binding_count = static_cast<uint32_t>(bindings.size());
    desc.items = 1;
    desc.attributes = attributes.data();
    desc.attribute_count = static_cast<uint32_t>(attributes.size());
    hexin_command *command = nullptr;
    if (api->prepare(device, &desc, &command, &error) == 0)
      products.push_back(command);
    return command;
  }

  hexin_slot place(const std::vector<float> &values, uint64_t offset = 0) {
    hexin_buffer *buffer = allocate(values.size() * 4 + offset);
    EXPECT_TRUE(buffer) << error.message;
    std::vector<int32_t> bits(values.size());
    std::memcpy(bits.data(), values.data(), values.size() * 4);
    EXPECT_EQ(upload(buffer, bits, offset), 0u) << error.message;
    return {buffer, offset};
  }
  std::vector<float> read(const hexin_slot &slot, int64_t count) {
    std::vector<float> values;
    for (int32_t bits : download(slot.buffer, size_t(count), slot.offset))
      values.push_back(std::bit_cast<float>(bits));
    return values;
  }

  static std::vector<float> expected(const Product &p, const std::vector<float> &lhs,
                                     const std::vector<float> &rhs,
                                     const std::vector<float> &bias) {
    int64_t m = p.dst[p.dst.size() - 2], n = p.dst.back();
    int64_t k = p.transposeLhs ? p.lhs[p.lhs.size() - 2] : p.lhs.back();
    int64_t batch = m && n ? count(p.dst) / (m * n) : 0;
    bool lhsRepeats = count(p.lhs) == m * k, rhsRepeats = count(p.rhs) == k * n;
    std::vector<float> result;
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          float sum = p.hasBias ? bias[size_t(j)] : 0;
          for (int64_t s = 0; s < k; ++s)
            sum += lhs[size_t((lhsRepeats ? 0 : b * m * k) +
                              (p.transposeLhs ? s * m + i : i * k + s))] *
                   rhs[size_t((rhsRepeats ? 0 : b * k * n) +
                              (p.transposeRhs ? j * k + s : s * n + j))];
          result.push_back(p.hasRelu ? std::max(sum, 0.f) : sum);
        }
    return result;
  }

  /// Runs it with operands `offset` bytes into their buffers.
  void check(const Product &product, uint64_t offset = 0) {
    hexin_command *command = prepareProduct(product);
    ASSERT_TRUE(command) << error.message;
    auto lhs = numbers(count(product.lhs), 1), rhs = numbers(count(product.rhs), 2);
    auto bias = numbers(product.dst.back(), 3);
    std::vector<hexin_slot> slots = {place(lhs, offset), place(rhs, offset)};
    if (product.hasBias)
      slots.push_back(place(bias, offset));
    slots.push_back(place(std::vector<float>(size_t(count(product.dst)), -77), offset));
    ASSERT_EQ(run({command}, slots), 0u) << error.message;
    EXPECT_EQ(read(slots.back(), count(product.dst)), expected(product, lhs, rhs, bias));
  }

  void *lt = nullptr;
  std::vector<hexin_command *> products;
};

TEST_F(CudaCublasLt, EveryLayout) {
  for (bool transposeLhs : {false, true})
    for (bool transposeRhs : {false, true}) {
      Dims lhs = transposeLhs ? Dims{5, 3} : Dims{3, 5};
      Dims rhs = transposeRhs ? Dims{7, 5} : Dims{5, 7};
      check({lhs, rhs, {3, 7}, transposeLhs, transposeRhs});
    }
}

TEST_F(CudaCublasLt, Epilogues) {
  for (bool hasBias : {false, true})
    for (bool hasRelu : {false, true})
      check({{6, 4}, {4, 8}, {6, 8}, false, false, hasBias, hasRelu});
}

TEST_F(CudaCublasLt, Batches) {
  check({{2, 3, 4, 5}, {5, 6}, {2, 3, 4, 6}, false, false, true}); // rows of one matrix
  check({{2, 3, 4, 5}, {2, 3, 5, 6}, {2, 3, 4, 6}, false, false, true, true});
  check({{4, 5}, {3, 5, 6}, {3, 4, 6}});
  check({{3, 5, 4}, {5, 6}, {3, 4, 6}, true, false});
  check({{1, 5}, {5, 1}, {1, 1}});
}

TEST_F(CudaCublasLt, AnyAlignment) {
  check({{4, 4}, {4, 4}, {4, 4}, false, false, true}, 4);
  check({{4, 4}, {4, 4}, {4, 4}, false, true, true}, 16);
}

TEST_F(CudaCublasLt, Halfs) {
  Product product{{2, 2}, {2, 2}, {2, 2}, false, false, false, true, DType::f16};
  hexin_command *command = prepareProduct(product);
  ASSERT_TRUE(command) << error.message;
  hexin_buffer *lhs = allocate(8), *rhs = allocate(8), *dst = allocate(8);
  ASSERT_EQ(upload(lhs, {0x40003C00, int32_t(0xC0003C00)}), 0u); // 1 2; 1 -2
  ASSERT_EQ(upload(rhs, {0x00003C00, 0x3C004000}), 0u);          // 1 0; 2 1
  ASSERT_EQ(run({command}, {{lhs, 0}, {rhs, 0}, {dst, 0}}), 0u) << error.message;
  EXPECT_EQ(download(dst, 2), (std::vector<int32_t>{0x40004500, 0})); // 5 2; -3 -2
}

TEST_F(CudaCublasLt, NothingToDo) {
  hexin_command *command = prepareProduct({{0, 5}, {5, 7}, {0, 7}});
  ASSERT_TRUE(command) << error.message;
  int before = ask("fakeCublasLtProducts");
  hexin_slot some = place({1});
  EXPECT_EQ(run({command}, {some, some, some}), 0u) << error.message;
  EXPECT_EQ(ask("fakeCublasLtProducts"), before);
}

/// What our kernels do instead.
TEST_F(CudaCublasLt, Refusals) {
  Product partly{{2, 1, 4, 5}, {1, 3, 5, 6}, {2, 3, 4, 6}};
  Product integers{{2, 2}, {2, 2}, {2, 2}};
  integers.dtype = DType::i32;
  for (const Product &product : {Product{{3, 0}, {0, 4}, {3, 4}}, partly, integers}) {
    EXPECT_FALSE(prepareProduct(product));
    EXPECT_EQ(code(), StatusCode::unsupported) << error.message;
  }
  EXPECT_FALSE(prepareProduct({{3, 5}, {4, 4}, {3, 4}}));
  EXPECT_EQ(code(), StatusCode::invalidArgument) << error.message;
}

/// A product between kernels of ours, launched, captured and replayed.
TEST_F(CudaCublasLt, StreamOrderAndGraphs) {
  Product product{{1, 2}, {2, 2}, {1, 2}};
  hexin_command *multiply = prepareProduct(product);
  hexin_command *before = prepare({"add_to", {3, 0}, {0}, 2, 8});
  hexin_command *after = prepare({"add_to", {2, 4}, {1}, 2, 8});
  ASSERT_TRUE(multiply && before && after) << error.message;
  hexin_slot lhs = place({0, 0}), rhs = place({1, 2, 3, 4}), dst = place({0, 0});
  hexin_slot given = place({0, 0}), result = place({0, 0});
  for (int i = 1; i <= 4; ++i) {
    std::vector<float> row = {float(i), 1};
    ASSERT_EQ(upload(given.buffer,
                     {std::bit_cast<int32_t>(row[0]), std::bit_cast<int32_t>(row[1])}),
              0u);
    ASSERT_EQ(run({before, multiply, after}, {lhs, rhs, dst, given, result}), 0u)
        << error.message;
    EXPECT_EQ(download(result.buffer, 2),
              (std::vector<int32_t>{std::bit_cast<int32_t>(float(i + 3)) + 1,
                                    std::bit_cast<int32_t>(float(2 * i + 4)) + 1}));
  }
  EXPECT_EQ(api->counter(device, "graphs_captured"), 1u);
  EXPECT_EQ(api->counter(device, "graphs_replayed"), 3u);
}

TEST_F(CudaCublasLt, FailuresAreStatuses) {
  Product product{{2, 2}, {2, 2}, {2, 2}};
  const std::pair<const char *, StatusCode> prepared[] = {
      {"create:1", StatusCode::unavailable},
      {"heuristic:15", StatusCode::unsupported},
      {"heuristic:3", StatusCode::resourceExhausted},
      {"heuristic:7", StatusCode::internal}};
  for (const auto &[fault, expected] : prepared) {
    setenv("HEXIN_FAKE_CUBLASLT", fault, 1);
    EXPECT_FALSE(prepareProduct(product)) << fault;
    EXPECT_EQ(code(), expected) << error.message;
  }
  set("FAIL_ALLOCATION", "1");
  unsetenv("HEXIN_FAKE_CUBLASLT");
  EXPECT_FALSE(prepareProduct(product)) << "the workspace";
  EXPECT_EQ(code(), StatusCode::resourceExhausted) << error.message;
  set("FAIL_ALLOCATION", nullptr);

  hexin_command *command = prepareProduct(product);
  ASSERT_TRUE(command) << error.message;
  std::vector<hexin_slot> slots(3, place({1, 2, 3, 4}));
  slots[2] = place({0, 0, 0, 0});
  setenv("HEXIN_FAKE_CUBLASLT", "matmul:13", 1);
  EXPECT_NE(run({command}, slots), 0u);
  EXPECT_THAT(error.message, testing::HasSubstr("CUBLAS_STATUS_EXECUTION_FAILED (13)"));
  unsetenv("HEXIN_FAKE_CUBLASLT");
  EXPECT_EQ(run({command}, slots), 0u) << error.message;
  EXPECT_EQ(read(slots[2], 4), (std::vector<float>{7, 10, 15, 22}));
}

} // namespace
} // namespace hexin::test
