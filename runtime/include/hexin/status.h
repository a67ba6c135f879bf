//===- hexin/status.h - how every call reports success or failure ---------===//
//
// Nothing in Hexin throws across its API. A call that can fail returns Status
// (no value) or Result<T> (a value or the reason there is none). Both are
// [[nodiscard]]. A message says what was expected, what came, where, and what
// to do about it.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_STATUS_H
#define HEXIN_STATUS_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#if defined(_WIN32)
#define HEXIN_EXPORT
#else
#define HEXIN_EXPORT [[gnu::visibility("default")]]
#endif

namespace hexin {

/// Why a call failed. The numbers are part of the C ABI: only append.
enum class StatusCode : uint32_t {
  ok = 0,
  invalidArgument = 1,    ///< the caller passed something the call cannot take
  notFound = 2,           ///< a file, name, device or entry that does not exist
  unsupported = 3,        ///< understood, but not something this build can do
  corruptData = 4,        ///< a file whose contents contradict themselves
  versionMismatch = 5,    ///< a file or library of a version we do not read
  unavailable = 6,        ///< a device, driver or library that is not there
  resourceExhausted = 7,  ///< memory, disk or a stated limit
  outOfRange = 8,         ///< a run-time index outside its tensor
  failedPrecondition = 9, ///< the object is not in a state for this call
  deviceLost = 10,        ///< the device failed during a run
  ioError = 11,           ///< the operating system refused a read or write
  internal = 12,          ///< a bug of ours: please report it
};

/// The code's name as users see it, e.g. "invalid argument".
HEXIN_EXPORT std::string_view toString(StatusCode code);

/// Success, or a code and a message. Copyable, cheap when ok.
class [[nodiscard]] HEXIN_EXPORT Status {
public:
  Status() = default;
  Status(StatusCode code, std::string message)
      : code_(code), message_(std::move(message)) {}

  static Status success() { return {}; }

  bool ok() const { return code_ == StatusCode::ok; }
  explicit operator bool() const { return ok(); }
  StatusCode code() const { return code_; }
  const std::string &message() const { return message_; }

  /// The same failure with `context` put before its message, as in
  /// "while opening 'a.hxm': <message>". Success stays success.
  Status withContext(std::string_view context) const;

  /// "invalid argument: <message>", or "ok".
  std::string toString() const;

private:
  StatusCode code_ = StatusCode::ok;
  std::string message_;
};

HEXIN_EXPORT Status invalidArgument(std::string message);
HEXIN_EXPORT Status notFound(std::string message);
HEXIN_EXPORT Status unsupported(std::string message);
HEXIN_EXPORT Status corruptData(std::string message);
HEXIN_EXPORT Status versionMismatch(std::string message);
HEXIN_EXPORT Status unavailable(std::string message);
HEXIN_EXPORT Status resourceExhausted(std::string message);
HEXIN_EXPORT Status outOfRange(std::string message);
HEXIN_EXPORT Status failedPrecondition(std::string message);
HEXIN_EXPORT Status deviceLost(std::string message);
HEXIN_EXPORT Status ioError(std::string message);
HEXIN_EXPORT Status internalError(std::string message);

/// A value of type T, or the Status that says why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) {}

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Status &status() const { return status_; }

  T &operator*() & { return *value_; }
  const T &operator*() const & { return *value_; }
  T &&operator*() && { return std::move(*value_); }
  T *operator->() { return &*value_; }
  const T *operator->() const { return &*value_; }

private:
  Status status_;
  std::optional<T> value_;
};

} // namespace hexin

/// Returns from the enclosing function when `expr` (a Status) is a failure.
#define HEXIN_RETURN_IF_ERROR(expr)                                                      \
  do {                                                                                   \
    if (::hexin::Status hexinStatus_ = (expr); !hexinStatus_.ok())                       \
      return hexinStatus_;                                                               \
  } while (false)

#define HEXIN_CONCAT_IMPL_(a, b) a##b
#define HEXIN_CONCAT_(a, b) HEXIN_CONCAT_IMPL_(a, b)

/// `HEXIN_ASSIGN_OR_RETURN(auto x, f());` binds the value of a Result or
/// returns its Status.
#define HEXIN_ASSIGN_OR_RETURN(decl, expr)                                               \
  auto HEXIN_CONCAT_(hexinResult_, __LINE__) = (expr);                                   \
  if (!HEXIN_CONCAT_(hexinResult_, __LINE__).ok())                                       \
    return HEXIN_CONCAT_(hexinResult_, __LINE__).status();                               \
  decl = *std::move(HEXIN_CONCAT_(hexinResult_, __LINE__))

#endif // HEXIN_STATUS_H
