#include "runtime/artifact/ArtifactFile.h"

#include "runtime/artifact/Container.h"
#include "runtime/artifact/VerifyHeader.h"
#include "runtime/base/Compression.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hexin {
namespace {

constexpr size_t bufferBytes = 1 << 20;

/// The Status for a failed system call on `path`.
Status systemError(const std::string &what, const std::string &path) {
  int error = errno;
  std::string message = what + " '" + path + "': " + std::strerror(error);
  switch (error) {
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return resourceExhausted(message + "; an earlier file there was kept");
  case ENOENT:
  case ENOTDIR:
    return notFound(message);
  default:
    return ioError(message);
  }
}

/// rename() is on the disk only after the folder is.
void syncFolderOf(const std::string &path) {
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return; // some file systems do not let folders be opened
  ::fsync(fd);
  ::close(fd);
}

} // namespace

Result<std::unique_ptr<ArtifactFile>> ArtifactFile::create(const std::string &path) {
  static std::atomic<uint64_t> counter{0};
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return invalidArgument("cannot write an artifact to '" + path +
                           "': it exists and is not a regular file");

  std::unique_ptr<ArtifactFile> file(new ArtifactFile);
  file->path_ = path;
  do {
    file->temporaryPath_ =
        path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    file->fd_ =
        ::open(file->temporaryPath_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file->fd_ < 0 && errno == EEXIST);
  if (file->fd_ < 0) {
    Status status = systemError("cannot create", path);
    file->temporaryPath_.clear();
    return status;
  }
  file->buffer_.reserve(bufferBytes);
  // The place of the preamble, which is written last.
  std::array<std::byte, sizeof(Preamble)> blank{};
  HEXIN_RETURN_IF_ERROR(file->write(blank));
  return file;
}

ArtifactFile::~ArtifactFile() {
  if (fd_ >= 0)
    ::close(fd_);
  if (!temporaryPath_.empty())
    ::unlink(temporaryPath_.c_str());
}

Status ArtifactFile::flushBuffer() {
  const std::byte *data = buffer_.data();
  size_t left = buffer_.size();
  while (left > 0) {
    ssize_t written = ::write(fd_, data, left);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return systemError("cannot write", path_);
    data += written;
    left -= static_cast<size_t>(written);
  }
  buffer_.clear();
  return Status::success();
}

Status ArtifactFile::write(std::span<const std::byte> bytes) {
  if (fd_ < 0)
    return failedPrecondition("'" + path_ + "' was committed; nothing can follow");
  while (!bytes.empty()) {
    size_t taken = std::min(bufferBytes - buffer_.size(), bytes.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + taken);
    fileBytes_ += taken;
    bytes = bytes.subspan(taken);
    if (buffer_.size() == bufferBytes)
      HEXIN_RETURN_IF_ERROR(flushBuffer());
  }
  return Status::success();
}

Status ArtifactFile::padFileTo(uint64_t alignment) {
  static constexpr std::array<std::byte, sectionAlignment> zeros{};
  uint64_t padding = (alignment - fileBytes_ % alignment) % alignment;
  return write(std::span(zeros).first(padding));
}

Status ArtifactFile::beginSection(fmt::SectionKind kind) {
  return openSection(kind, fmt::Compression::none);
}

Status ArtifactFile::openSection(fmt::SectionKind kind, fmt::Compression compression) {
  if (sectionHasher_)
    return failedPrecondition("a section of '" + path_ + "' is still open");
  bool isCompressed = compression != fmt::Compression::none;
  HEXIN_RETURN_IF_ERROR(padFileTo(isCompressed ? frameAlignment : sectionAlignment));
  sections_.push_back({kind, compression, fileBytes_, 0, 0});
  sectionHasher_.emplace();
  return Status::success();
}

Status ArtifactFile::append(std::span<const std::byte> bytes) {
  if (!sectionHasher_)
    return failedPrecondition("no section of '" + path_ + "' is open");
  HEXIN_RETURN_IF_ERROR(write(bytes));
  sectionHasher_->update(bytes);
  return Status::success();
}

Status ArtifactFile::append(std::string_view text) {
  return append(std::as_bytes(std::span(text.data(), text.size())));
}

Status ArtifactFile::alignTo(uint64_t alignment) {
  static constexpr std::array<std::byte, sectionAlignment> zeros{};
  if (alignment == 0 || alignment > sectionAlignment)
    return invalidArgument("a section aligns to 1.." + std::to_string(sectionAlignment) +
                           " bytes, not " + std::to_string(alignment));
  uint64_t padding = (alignment - sectionBytes() % alignment) % alignment;
  return append(std::span(zeros).first(padding));
}

uint64_t ArtifactFile::sectionBytes() const {
  return sectionHasher_ ? fileBytes_ - sections_.back().offset : 0;
}

Result<uint32_t> ArtifactFile::endSection() {
  if (!sectionHasher_)
    return failedPrecondition("no section of '" + path_ + "' is open");
  sections_.back().length = sectionBytes();
  sections_.back().hash = sectionHasher_->digest();
  sectionHasher_.reset();
  return static_cast<uint32_t>(sections_.size() - 1);
}

Result<uint32_t> ArtifactFile::addCompressed(fmt::SectionKind kind,
                                             std::string_view contents) {
  auto bytes = std::as_bytes(std::span(contents.data(), contents.size()));
  std::optional<std::vector<std::byte>> frame = compress(bytes);
  HEXIN_RETURN_IF_ERROR(
      openSection(kind, frame ? fmt::Compression::zstd : fmt::Compression::none));
  HEXIN_RETURN_IF_ERROR(append(frame ? std::span<const std::byte>(*frame) : bytes));
  return endSection();
}

Result<uint64_t> ArtifactFile::commit(fmt::HeaderT &header) {
  if (sectionHasher_)
    return failedPrecondition("a section of '" + path_ + "' is still open");
  header.sections.clear();
  uint64_t features = 0;
  for (const Section &section : sections_) {
    auto entry = std::make_unique<fmt::SectionT>();
    entry->kind = section.kind;
    entry->compression = section.compression;
    if (section.compression != fmt::Compression::none)
      features |= compressedSectionsFeature;
    entry->offset = section.offset;
    entry->length = section.length;
    entry->hash = section.hash;
    header.sections.push_back(std::move(entry));
  }
  flatbuffers::FlatBufferBuilder builder(1 << 16);
  fmt::FinishHeaderBuffer(builder, fmt::Header::Pack(builder, &header));
  auto headerBytes =
      std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));

  HEXIN_RETURN_IF_ERROR(padFileTo(frameAlignment));
  if (Status bad = verifyHeader(*fmt::GetHeader(headerBytes.data()), headerBytes.size(),
                                fileBytes_);
      !bad)
    return internalError("the artifact for '" + path_ +
                         "' does not pass its own checks: " + bad.toString());
  std::optional<std::vector<std::byte>> frame = compress(headerBytes);
  if (frame) {
    features |= compressedHeaderFeature;
    headerBytes = *frame;
  }

  Preamble preamble{};
  preamble.magic = containerMagic;
  preamble.major = containerMajor;
  preamble.minor = containerMinor;
  preamble.preambleBytes = sizeof(Preamble);
  preamble.requiredFeatures = features;
  preamble.headerOffset = fileBytes_;
  preamble.headerLength = headerBytes.size();
  preamble.headerHash = hash64(headerBytes);
  preamble.fileLength = fileBytes_ + headerBytes.size();
  auto preambleBytes = std::as_bytes(std::span(&preamble, 1));
  preamble.preambleHash = hash64(preambleBytes.first(offsetof(Preamble, preambleHash)));

  HEXIN_RETURN_IF_ERROR(write(headerBytes));
  HEXIN_RETURN_IF_ERROR(flushBuffer());
  if (::pwrite(fd_, &preamble, sizeof preamble, 0) != ssize_t{sizeof preamble} ||
      ::fsync(fd_) != 0)
    return systemError("cannot write", path_);
  if (::close(std::exchange(fd_, -1)) != 0)
    return systemError("cannot write", path_);
  if (::rename(temporaryPath_.c_str(), path_.c_str()) != 0)
    return systemError("cannot put the new file in the place of", path_);
  temporaryPath_.clear();
  syncFolderOf(path_);
  return preamble.fileLength;
}

} // namespace hexin
