#include "compiler/ir/WeightStore.h"

#include "mlir/IR/Builders.h"

#include <gtest/gtest.h>

#include <thread>

using namespace hexin;
using namespace hexin::hx;

namespace {

Tensor makeTensor(DType dtype, std::vector<int64_t> dims, uint8_t fill) {
  auto tensor = Tensor::allocate(dtype, dims);
  EXPECT_TRUE(tensor.ok());
  std::memset((*tensor).data(), fill, (*tensor).byteLength());
  return *tensor;
}

TEST(WeightStoreTest, EqualContentsAreOneEntry) {
  WeightStore store;
  std::string a = store.add("w", makeTensor(DType::f32, {4}, 1));
  EXPECT_EQ(a, "w");
  EXPECT_EQ(store.add("other", makeTensor(DType::f32, {4}, 1)), "w");
  // Same bytes, but not the same tensor.
  std::string reshaped = store.add("w", makeTensor(DType::f32, {2, 2}, 1));
  std::string retyped = store.add("w", makeTensor(DType::i32, {4}, 1));
  EXPECT_NE(reshaped, a);
  EXPECT_NE(retyped, a);
  EXPECT_NE(retyped, reshaped);
  ASSERT_TRUE(store.find(reshaped));
  EXPECT_EQ(store.find(reshaped)->tensor.dims().size(), 2u);
  EXPECT_NE(store.find(a)->hash, store.find(retyped)->hash);
  EXPECT_FALSE(store.find("missing"));
  EXPECT_EQ(store.add("", makeTensor(DType::f32, {0}, 0)), "weight");
}

TEST(WeightStoreTest, ManyThreadsAdd) {
  WeightStore store;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&store] {
      for (uint8_t i = 0; i < 50; ++i)
        EXPECT_TRUE(store.find(store.add("w", makeTensor(DType::u8, {3}, i))));
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_TRUE(store.find("w_49"));
  EXPECT_FALSE(store.find("w_50"));
}

TEST(WeightStoreTest, BelongsToItsModule) {
  mlir::MLIRContext context;
  mlir::OpBuilder builder(&context);
  mlir::OwningOpRef<mlir::ModuleOp> module(
      mlir::ModuleOp::create(builder.getUnknownLoc()));
  WeightStore store;
  EXPECT_EQ(WeightStore::of(*module), nullptr);
  WeightStore::attach(*module, &store);
  EXPECT_EQ(WeightStore::of(*module), &store);
  WeightStore::attach(*module, nullptr);
  EXPECT_EQ(WeightStore::of(*module), nullptr);
}

} // namespace
