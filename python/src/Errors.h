//===- Errors.h - from Status to Python exceptions ----------------------------===//
#ifndef HEXIN_PYTHON_ERRORS_H
#define HEXIN_PYTHON_ERRORS_H

#include "hexin/status.h"

#include <nanobind/nanobind.h>

#include <exception>

namespace hexin::python {

/// Carries a failed Status through nanobind, which raises the exception that
/// hexin.errors has for its code.
class StatusError : public std::exception {
public:
  explicit StatusError(Status status) : status_(std::move(status)) {}
  const Status &status() const { return status_; }
  const char *what() const noexcept override { return status_.message().c_str(); }

private:
  Status status_;
};

/// Throws when `status` is a failure.
inline void check(Status status) {
  if (!status.ok())
    throw StatusError(std::move(status));
}

/// The value of `result`, or throws.
template <typename T> T unwrap(Result<T> result) {
  if (!result.ok())
    throw StatusError(result.status());
  return *std::move(result);
}

/// Teaches nanobind to raise StatusError as a hexin.errors exception.
void registerErrors();

} // namespace hexin::python

#endif // HEXIN_PYTHON_ERRORS_H
