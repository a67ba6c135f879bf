//===- Container.h - the outer form of a .hxm file -----------------------------===//
//
//   0      Preamble, 64 bytes
//   4096   sections, each at a multiple of 4096
//   ...    the FlatBuffers header (hexin.fbs), at a multiple of 64, last
//
// A Container is a mapped file whose preamble, header and section table have
// been checked: after open() every accessor is safe, whatever the file holds.
// What it does not know is what programs mean; see VerifyProgram.h.
//
// The file must not be truncated while it is mapped; replacing it by rename (as
// ArtifactFile does) is safe. Immutable after open, so safe from all threads.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_CONTAINER_H
#define HEXIN_RUNTIME_ARTIFACT_CONTAINER_H

#include "hexin/status.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace hexin {

namespace fmt {
struct Header;
} // namespace fmt

inline constexpr std::array<char, 8> containerMagic = {'H', 'E', 'X', 'I',
                                                       'N', 'H', 'X', 'M'};
/// Another major: another preamble. A minor adds what older readers may skip;
/// what they may not skip has a bit in `requiredFeatures`.
inline constexpr uint16_t containerMajor = 1;
inline constexpr uint16_t containerMinor = 0;
/// The feature bits that this reader knows (none so far).
inline constexpr uint64_t knownContainerFeatures = 0;
inline constexpr uint64_t sectionAlignment = 4096;
/// Of a weight inside the weights section.
inline constexpr uint64_t weightAlignment = 64;

/// The first bytes of a file, little endian.
struct Preamble {
  std::array<char, 8> magic;
  uint16_t major;
  uint16_t minor;
  uint32_t preambleBytes; ///< 64
  uint64_t requiredFeatures;
  uint64_t headerOffset;
  uint64_t headerLength;
  uint64_t headerHash; ///< hash64 of the header's bytes
  uint64_t fileLength;
  uint64_t preambleHash; ///< hash64 of the 56 bytes before it
};
static_assert(sizeof(Preamble) == 64);

class Container {
public:
  /// Maps `path`. With `verifyHashes` every section is read and compared with
  /// its hash (the header's hash always is).
  static Result<Container> open(const std::string &path, bool verifyHashes);

  /// The same checks over bytes in memory, which must stay alive and be 64-byte
  /// aligned.
  static Result<Container> fromMemory(std::span<const std::byte> bytes,
                                      bool verifyHashes);

  const fmt::Header &header() const { return *header_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  /// The bytes of section `index` of the header's table.
  std::span<const std::byte> section(uint32_t index) const;
  /// The weights section; empty when the file has none.
  std::span<const std::byte> weights() const;
  /// Of the mapped file, or -1. Open as long as the container lives.
  int fd() const;

private:
  class MappedFile;
  Container() = default;

  std::shared_ptr<MappedFile> file_; // null when the memory is the caller's
  std::span<const std::byte> bytes_;
  const fmt::Header *header_ = nullptr;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_ARTIFACT_CONTAINER_H
