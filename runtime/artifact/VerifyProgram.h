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
#include <type_traits>

namespace hexin::verify {

using fmt::sizeOf;

inline constexpr uint32_t maxRank = 32;

/// Bounds the work on a header by its size. FlatBuffers lets many tables share
/// one vector, so a small hostile file could hold an enormous program; our
/// writer never shares vectors, so that the sum over all of them is below the size.
/// It writes equal strings once (a long reason for each of hundreds of instructions),
/// so that theirs may be a multiple of it.
class Budget {
public:
  explicit Budget(uint64_t headerBytes)
      : vectorsLeft_(headerBytes), stringsLeft_(maxStringUses * headerBytes) {}

  /// Counts a string or vector (or null) that is about to be read.
  template <typename Vector> Status charge(const Vector *vector) {
    constexpr bool isString = std::is_same_v<Vector, flatbuffers::String>;
    uint64_t &left = isString ? stringsLeft_ : vectorsLeft_;
    if (sizeOf(vector) > left)
      return corruptData(std::string("the header's tables share ") +
                         (isString ? "strings" : "vectors") +
                         ": it describes more than it holds");
    left -= sizeOf(vector);
    return Status::success();
  }

private:
  static constexpr uint64_t maxStringUses = 64; ///< on average
  uint64_t vectorsLeft_, stringsLeft_;
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
