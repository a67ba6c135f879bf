#include "hexin/compile.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace hexin {
namespace {

TEST(CompileLoader, SaysThatTheCompilerIsMissing) {
  if (std::getenv("HEXIN_COMPILER_PATH"))
    GTEST_SKIP() << "a compiler was given";
  auto report = compile("model.onnx", "model.hxm");
  ASSERT_FALSE(report);
  // Where it is there, it says that the model is not.
  if (report.status().code() != StatusCode::unavailable)
    GTEST_SKIP() << "a compiler lies beside the test";
  EXPECT_NE(report.status().message().find("HEXIN_COMPILER_PATH"), std::string::npos);
}

} // namespace
} // namespace hexin
