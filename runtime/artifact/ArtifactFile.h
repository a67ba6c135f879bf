//===- ArtifactFile.h - writes a .hxm file ----------------------------------===//
//
//   HEXIN_ASSIGN_OR_RETURN(auto file, ArtifactFile::create("model.hxm"));
//   HEXIN_RETURN_IF_ERROR(file->beginSection(fmt::SectionKind::weights));
//   ... file->alignTo(weightAlignment); weight.offset = file->sectionBytes();
//       file->append(bytes) ...                       (streams, nothing is kept)
//   HEXIN_ASSIGN_OR_RETURN(uint32_t section, file->endSection());
//   HEXIN_RETURN_IF_ERROR(file->commit(header));
//
// Everything goes to a temporary file beside the target; commit() verifies,
// flushes to the disk and renames. Until then, and after any failure, a file
// that was there before is untouched. A full disk is resourceExhausted. One
// thread at a time.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_ARTIFACTFILE_H
#define HEXIN_RUNTIME_ARTIFACT_ARTIFACTFILE_H

#include "runtime/artifact/hexin_generated.h"
#include "runtime/base/Hash.h"

#include "hexin/status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hexin {

class ArtifactFile {
public:
  static Result<std::unique_ptr<ArtifactFile>> create(const std::string &path);
  /// Removes the temporary file unless commit() succeeded.
  ~ArtifactFile();
  ArtifactFile(const ArtifactFile &) = delete;
  ArtifactFile &operator=(const ArtifactFile &) = delete;

  Status beginSection(fmt::SectionKind kind);
  Status append(std::span<const std::byte> bytes);
  Status append(std::string_view text);
  /// Zeros up to a multiple of `alignment` from the section's start.
  Status alignTo(uint64_t alignment);
  /// Bytes in the open section so far.
  uint64_t sectionBytes() const;
  /// Closes the section; returns its index in the header's table.
  Result<uint32_t> endSection();
  /// A whole section that readers read but do not map: compressed, where that makes it
  /// smaller. Returns its index.
  Result<uint32_t> addCompressed(fmt::SectionKind kind, std::string_view contents);

  /// Fills header.sections, checks the header as a reader would (a failure is a
  /// fault of the writer: internal), writes it (compressed, where that makes it smaller)
  /// and puts the file in its place. Returns the file's length. Nothing may be called
  /// afterwards.
  Result<uint64_t> commit(fmt::HeaderT &header);

private:
  ArtifactFile() = default;
  Status openSection(fmt::SectionKind kind, fmt::Compression compression);
  Status write(std::span<const std::byte> bytes);
  Status padFileTo(uint64_t alignment);
  Status flushBuffer();

  std::string path_;
  std::string temporaryPath_;
  int fd_ = -1;
  std::vector<std::byte> buffer_;
  uint64_t fileBytes_ = 0;
  struct Section {
    fmt::SectionKind kind;
    fmt::Compression compression;
    uint64_t offset;
    uint64_t length;
    uint64_t hash;
  };
  std::vector<Section> sections_;
  std::optional<Hasher> sectionHasher_; // engaged while a section is open
};

} // namespace hexin

#endif // HEXIN_RUNTIME_ARTIFACT_ARTIFACTFILE_H
