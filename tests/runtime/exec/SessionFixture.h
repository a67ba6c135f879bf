// A test that runs on both fake devices.
#ifndef HEXIN_TESTS_RUNTIME_EXEC_SESSIONFIXTURE_H
#define HEXIN_TESTS_RUNTIME_EXEC_SESSIONFIXTURE_H

#include "tests/runtime/ArtifactMaker.h"
#include "tests/runtime/FakeDevice.h"

#include <gtest/gtest.h>

namespace hexin::test {

class OnFakes : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override { registerFakeDevices(); }
  std::string device() const { return GetParam(); }
  bool isNear() const { return device() == "near"; }

  /// A session for what `maker` holds; the test fails when there is none.
  std::optional<Session> start(ArtifactMaker maker, SessionOptions options = {}) {
    auto model = maker.open();
    if (!model) {
      ADD_FAILURE() << model.status().toString();
      return std::nullopt;
    }
    options.device = device();
    auto session = Session::create(*model, options);
    if (!session) {
      ADD_FAILURE() << session.status().toString();
      return std::nullopt;
    }
    return *std::move(session);
  }
};

inline std::string fakeName(const testing::TestParamInfo<const char *> &info) {
  return info.param;
}

#define HEXIN_ON_BOTH_FAKES(fixture)                                                     \
  INSTANTIATE_TEST_SUITE_P(Fakes, fixture, testing::Values("near", "far"), fakeName)

#define EXPECT_STATUS(code_, part, expr)                                                 \
  do {                                                                                   \
    ::hexin::Status status_ = (expr);                                                    \
    EXPECT_EQ(status_.code(), ::hexin::StatusCode::code_) << status_.toString();         \
    EXPECT_NE(status_.message().find(part), std::string::npos) << status_.toString();    \
  } while (false)

} // namespace hexin::test

#endif // HEXIN_TESTS_RUNTIME_EXEC_SESSIONFIXTURE_H
