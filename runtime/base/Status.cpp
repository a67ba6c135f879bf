#include "hexin/status.h"

namespace hexin {

std::string_view toString(StatusCode code) {
  switch (code) {
  case StatusCode::ok:
    return "ok";
  case StatusCode::invalidArgument:
    return "invalid argument";
  case StatusCode::notFound:
    return "not found";
  case StatusCode::unsupported:
    return "unsupported";
  case StatusCode::corruptData:
    return "corrupt data";
  case StatusCode::versionMismatch:
    return "version mismatch";
  case StatusCode::unavailable:
    return "unavailable";
  case StatusCode::resourceExhausted:
    return "resource exhausted";
  case StatusCode::outOfRange:
    return "out of range";
  case StatusCode::failedPrecondition:
    return "failed precondition";
  case StatusCode::deviceLost:
    return "device lost";
  case StatusCode::ioError:
    return "I/O error";
  case StatusCode::internal:
    return "internal error";
  }
  return "unknown error";
}

Status Status::withContext(std::string_view context) const {
  if (ok())
    return *this;
  return {code_, std::string(context) + ": " + message_};
}

std::string Status::toString() const {
  if (ok())
    return "ok";
  return std::string(hexin::toString(code_)) + ": " + message_;
}

#define HEXIN_STATUS_FACTORY(name, enumerator)                                           \
  Status name(std::string message) {                                                     \
    return {StatusCode::enumerator, std::move(message)};                                 \
  }
HEXIN_STATUS_FACTORY(invalidArgument, invalidArgument)
HEXIN_STATUS_FACTORY(notFound, notFound)
HEXIN_STATUS_FACTORY(unsupported, unsupported)
HEXIN_STATUS_FACTORY(corruptData, corruptData)
HEXIN_STATUS_FACTORY(versionMismatch, versionMismatch)
HEXIN_STATUS_FACTORY(unavailable, unavailable)
HEXIN_STATUS_FACTORY(resourceExhausted, resourceExhausted)
HEXIN_STATUS_FACTORY(outOfRange, outOfRange)
HEXIN_STATUS_FACTORY(failedPrecondition, failedPrecondition)
HEXIN_STATUS_FACTORY(deviceLost, deviceLost)
HEXIN_STATUS_FACTORY(ioError, ioError)
HEXIN_STATUS_FACTORY(internalError, internal)
#undef HEXIN_STATUS_FACTORY

} // namespace hexin
