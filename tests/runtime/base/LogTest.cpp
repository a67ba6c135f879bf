#include "runtime/base/Log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace hexin {
namespace {

class LogTest : public testing::Test {
protected:
  void SetUp() override { before = logLevel(); }
  void TearDown() override {
    setLogSink({});
    setLogLevel(before);
  }
  LogLevel before = LogLevel::warning;
};

TEST_F(LogTest, SaysWhatTheLevelAllows) {
  std::vector<std::string> said;
  setLogSink([&](LogLevel level, std::string_view message) {
    said.push_back(std::string(toString(level)) + ": " + std::string(message));
  });
  setLogLevel(LogLevel::info);
  for (LogLevel level : {LogLevel::error, LogLevel::info, LogLevel::debug})
    log(level, "a");
  setLogLevel(LogLevel::off);
  log(LogLevel::error, "b");
  EXPECT_FALSE(isLogged(LogLevel::error));
  EXPECT_EQ(said, (std::vector<std::string>{"error: a", "info: a"}));
}

TEST_F(LogTest, WritesLinesToStderrWithoutASink) {
  setLogLevel(LogLevel::warning);
  testing::internal::CaptureStderr();
  log(LogLevel::warning, "half of it");
  log(LogLevel::info, "not this");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "hexin: warning: half of it\n");
}

TEST_F(LogTest, NamesGoBothWays) {
  for (LogLevel level : {LogLevel::off, LogLevel::error, LogLevel::warning,
                         LogLevel::info, LogLevel::debug})
    EXPECT_EQ(parseLogLevel(toString(level)), level);
  EXPECT_EQ(parseLogLevel("loud"), std::nullopt);
  EXPECT_EQ(toString(static_cast<LogLevel>(77)), "unknown");
}

TEST_F(LogTest, SinksChangeWhileOthersSpeak) {
  setLogLevel(LogLevel::info);
  std::atomic<int> heard = 0;
  auto sink = [&](LogLevel, std::string_view) { ++heard; };
  setLogSink(sink);
  std::vector<std::thread> speakers;
  for (int i = 0; i < 4; ++i)
    speakers.emplace_back([] {
      for (int j = 0; j < 200; ++j)
        log(LogLevel::info, "x");
    });
  for (int i = 0; i < 50; ++i)
    setLogSink(sink);
  for (std::thread &speaker : speakers)
    speaker.join();
  EXPECT_EQ(heard, 800);
}

} // namespace
} // namespace hexin
