#include "backends/cuda/runtime/Module.h"

#include <gtest/gtest.h>

namespace hexin::cuda {
namespace {

constexpr const char *text = R"(.version 8.0
.visible .entry add2(
	.param .u64 .ptr .global .align 16 add2_param_0,
	.param .u64 add2_param_1
)
.maxntid 256
{ ret; }
.visible .entry add(.param .u64 a) { ld.param.u64 %rd1, [add_param_0]; }
.entry none { ret; }
.entry cut(.param .u64 a, .param)";

TEST(CudaEntryParams, AreCounted) {
  EXPECT_EQ(countEntryParams(text, "add2"), 2u);
  EXPECT_EQ(countEntryParams(text, "add"), 1u);
  EXPECT_EQ(countEntryParams(text, "none"), 0u);
}

TEST(CudaEntryParams, AreNotThere) {
  EXPECT_EQ(countEntryParams(text, "ad"), std::nullopt);
  EXPECT_EQ(countEntryParams(text, "add3"), std::nullopt);
  EXPECT_EQ(countEntryParams("", "add"), std::nullopt);
  EXPECT_EQ(countEntryParams(".entry", "add"), std::nullopt);
  EXPECT_EQ(countEntryParams(".entry add", "add"), 0u);
  EXPECT_EQ(countEntryParams(text, "cut"), 2u); // the driver will refuse the text
}

} // namespace
} // namespace hexin::cuda
