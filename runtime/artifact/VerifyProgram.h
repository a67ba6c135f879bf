//===- VerifyProgram.h - the checks of one program, and what they share --------===//
//
// Behind VerifyHeader.h; only the two verifiers include this.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_VERIFYPROGRAM_H
#define HEXIN_RUNTIME_ARTIFACT_VERIFYPROGRAM_H

#include "runtime/artifact/Format.h"
#include "runtime/base/DType.h"

#include "hexin/status.h"

#include <string>

namespace hexin::verify {

using fmt::sizeOf;

inline constexpr uint32_t maxRank = 32;

/// Bounds the work on a header by its size. FlatBuffers lets many tables share
/// one vector, so a small hostile file could hold an enormous program; our
/// writer never shares, so that the sum over all vectors is below the size.
class Budget {
public:
  explicit Budget(uint64_t headerBytes) : left_(headerBytes) {}

  /// Counts a string or vector (or null) that is about to be read.
  template <typename Vector> Status charge(const Vector *vector) {
    if (sizeOf(vector) > left_)
      return corruptData("the header's tables share vectors: it describes more than "
                         "it holds");
    left_ -= sizeOf(vector);
    return Status::success();
  }

private:
  uint64_t left_;
};

inline Status checkDType(uint8_t dtype, const std::string &where) {
  if (dtype > static_cast<uint8_t>(DType::f4e2m1))
    return versionMismatch(where + " has an element type this build does not know");
  return Status::success();
}

/// Checks one program of a header whose ports, weights, sections and states have
/// passed.
Status verifyProgram(const fmt::Program &program, const fmt::Header &header,
                     Budget &budget);

} // namespace hexin::verify

#endif // HEXIN_RUNTIME_ARTIFACT_VERIFYPROGRAM_H
