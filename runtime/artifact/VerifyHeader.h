//===- VerifyHeader.h - nothing in a header may be taken on trust ------------===//
//
// A header that passed never makes a reader index, divide or allocate wild. What
// depends on sizes that are known only later (footprints, alias ranges) is
// checked when a plan is made.
//
// Failures are corruptData, or versionMismatch for features and enum values that
// a newer writer may have meant; messages name the place.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_VERIFYHEADER_H
#define HEXIN_RUNTIME_ARTIFACT_VERIFYHEADER_H

#include "hexin/status.h"

#include <cstdint>

namespace hexin {

namespace fmt {
struct Header;
} // namespace fmt

/// Checks everything in `header`, programs included, which must have passed the
/// FlatBuffers verifier and lie in `headerBytes` bytes. Sections must lie in
/// [64, sectionsEnd). Takes time linear in `headerBytes`.
Status verifyHeader(const fmt::Header &header, uint64_t headerBytes,
                    uint64_t sectionsEnd);

} // namespace hexin

#endif // HEXIN_RUNTIME_ARTIFACT_VERIFYHEADER_H
