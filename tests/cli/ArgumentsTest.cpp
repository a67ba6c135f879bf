#include "runtime/tools/Arguments.h"
#include "runtime/tools/Utf8.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hexin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Arguments, DimsAreFixedNamedOrKept) {
  EXPECT_THAT(*parseDims("1x3xHxW"), ElementsAre(1, 3, "H", "W"));
  EXPECT_THAT(*parseDims("?x0x-1"), ElementsAre(-1, 0, -1));
  EXPECT_THAT(*parseDims("2,maxlen,7"), ElementsAre(2, "maxlen", 7));
  EXPECT_THAT(*parseDims("7"), ElementsAre(7));
  EXPECT_THAT(*parseDims(""), IsEmpty());
}

TEST(Arguments, BadDimsSayWhy) {
  for (const char *text : {"1x", "x", "1x-2", "3.5", "9223372036854775808", "1 x 2"})
    EXPECT_EQ(parseDims(text).status().code(), StatusCode::invalidArgument) << text;
  EXPECT_THAT(parseDims("1x3.5").status().message(), HasSubstr("'3.5'"));
}

TEST(Arguments, AssignmentsSplitAtTheFirstEqualsSign) {
  EXPECT_EQ(parseAssignment("--input", "a=b=c")->second, "b=c");
  EXPECT_FALSE(parseAssignment("--input", "a").ok());
  EXPECT_FALSE(parseAssignment("--input", "=a").ok());
  EXPECT_FALSE(parseAssignments("--input", {"a=1", "a=2"}).ok());
  EXPECT_FALSE(parseShapes({"a=1x"}).ok());
}

TEST(Arguments, Formats) {
  EXPECT_EQ(formatDims({1, -1, -1}, {"", "H", ""}), "[1, H, ?]");
  EXPECT_EQ(formatBytes(999), "999 B");
  EXPECT_EQ(formatBytes(1'500'000), "1.5 MB");
}

TEST(Utf8, RoundTripAndDamage) {
  EXPECT_EQ(encodeUtf8(decodeUtf8("a\u00e9\u5408\U0001F600")), "a\u00e9\u5408\U0001F600");
  // A bare continuation, a cut sequence, an overlong form, a surrogate.
  for (const char *text : {"\x80", "\xe5\x90", "\xc0\x80", "\xed\xa0\x80"})
    EXPECT_EQ(decodeUtf8(text).front(), U'\uFFFD') << text;
}

} // namespace
} // namespace hexin::cli
