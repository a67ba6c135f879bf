//===- Container.h - the outer form of a .hxm file -----------------------------===//
//
//   0      Preamble, 64 bytes
//   4096   sections, each at a multiple of 4096; compressed ones at one of 64
//   ...    the FlatBuffers header (hexin.fbs), compressed or not, at a multiple of 64,
//          last
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
#include <utility>
#include <vector>

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
/// Bits of `requiredFeatures`: the header is a frame (runtime/base/Compression.h), and
/// sections may be.
inline constexpr uint64_t compressedHeaderFeature = 1 << 0;
inline constexpr uint64_t compressedSectionsFeature = 1 << 1;
inline constexpr uint64_t knownContainerFeatures =
    compressedHeaderFeature | compressedSectionsFeature;
inline constexpr uint64_t sectionAlignment = 4096;
/// Of compressed sections and of the header.
inline constexpr uint64_t frameAlignment = 64;
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
  uint64_t headerLength; ///< as it stands in the file
  uint64_t headerHash;   ///< hash64 of those bytes
  uint64_t fileLength;
  uint64_t preambleHash; ///< hash64 of the 56 bytes before it
};
static_assert(sizeof(Preamble) == 64);

/// What a section holds. `bytes` lie in the container's bytes, or in `memory` where the
/// section was compressed.
struct SectionContents {
  explicit SectionContents(std::span<const std::byte> stored) : bytes(stored) {}
  explicit SectionContents(std::vector<std::byte> taken)
      : memory(std::move(taken)), bytes(memory) {}
  SectionContents(SectionContents &&) = default; // a moved vector keeps its memory
  SectionContents &operator=(SectionContents &&) = default;

  std::vector<std::byte> memory;
  std::span<const std::byte> bytes;
};

class Container {
public:
  /// Maps `path`. With `verifyHashes` every section is read and compared with
  /// its hash (the header always is, code when it is asked for).
  static Result<Container> open(const std::string &path, bool verifyHashes);

  /// The same checks over bytes in memory, which must stay alive and be 64-byte
  /// aligned.
  static Result<Container> fromMemory(std::span<const std::byte> bytes,
                                      bool verifyHashes);

  const fmt::Header &header() const { return *header_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  /// The bytes of section `index` of the header's table, as they stand in the file.
  std::span<const std::byte> section(uint32_t index) const;
  /// What they hold, for sections other than weights: those are compared with their hash
  /// each time, since what runs must not be what a disk made of it. corruptData.
  Result<SectionContents> contents(uint32_t index) const;
  /// The weights section; empty when the file has none.
  std::span<const std::byte> weights() const;
  /// Of the mapped file, or -1. Open as long as the container lives.
  int fd() const;

private:
  class MappedFile;
  Container() = default;
  Status checkHash(uint32_t index) const;

  std::shared_ptr<MappedFile> file_; // null when the memory is the caller's
  std::span<const std::byte> bytes_;
  std::shared_ptr<const std::vector<std::byte>> headerMemory_; // of a compressed header
  const fmt::Header *header_ = nullptr;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_ARTIFACT_CONTAINER_H
