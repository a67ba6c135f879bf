#include "runtime/artifact/Container.h"

#include "runtime/artifact/VerifyHeader.h"
#include "runtime/artifact/hexin_generated.h"
#include "runtime/base/Checked.h"
#include "runtime/base/Compression.h"
#include "runtime/base/Hash.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hexin {

/// A read-only mapping of a whole file, and its descriptor.
class Container::MappedFile {
public:
  static Result<std::shared_ptr<MappedFile>> open(const std::string &path) {
    if (path.find('\0') != std::string::npos)
      return invalidArgument("its path holds a NUL character: expected text without one");
    auto file = std::make_shared<MappedFile>();
    // Without O_NONBLOCK a FIFO would make us wait for somebody to write to it.
    file->fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd < 0) {
      std::string message = std::string("cannot open it: ") + std::strerror(errno);
      return errno == ENOENT || errno == ENOTDIR ? notFound(message) : ioError(message);
    }
    struct stat info;
    if (::fstat(file->fd, &info) != 0)
      return ioError(std::string("cannot read its size: ") + std::strerror(errno));
    if (!S_ISREG(info.st_mode))
      return invalidArgument("it is not a regular file");
    if (info.st_size < static_cast<off_t>(sizeof(Preamble)))
      return corruptData("it has " + std::to_string(info.st_size) +
                         " bytes; a .hxm file starts with a preamble of 64");
    file->length = static_cast<size_t>(info.st_size);
    file->address = ::mmap(nullptr, file->length, PROT_READ, MAP_SHARED, file->fd, 0);
    if (file->address == MAP_FAILED)
      return ioError(std::string("cannot map it: ") + std::strerror(errno));
    return file;
  }

  ~MappedFile() {
    if (address != MAP_FAILED)
      ::munmap(address, length);
    if (fd >= 0)
      ::close(fd);
  }

  int fd = -1;
  void *address = MAP_FAILED;
  size_t length = 0;
};

namespace {

constexpr flatbuffers::uoffset_t maxDepth = 16;

std::string hex(uint64_t value) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(value));
  return text;
}

Status checkPreamble(const Preamble &preamble, std::span<const std::byte> bytes) {
  if (preamble.magic != containerMagic)
    return corruptData("not a .hxm file: it does not start with 'HEXINHXM'; an "
                       "ONNX model is made into one by 'hexin compile MODEL.onnx -o "
                       "MODEL.hxm'");
  if (preamble.major != containerMajor)
    return versionMismatch("container version " + std::to_string(preamble.major) + "." +
                           std::to_string(preamble.minor) + "; this build reads " +
                           std::to_string(containerMajor) +
                           ".x. Compile the model again with a matching version");
  uint64_t hash = hash64(bytes.first(offsetof(Preamble, preambleHash)));
  if (hash != preamble.preambleHash || preamble.preambleBytes != sizeof(Preamble))
    return corruptData("the preamble is damaged: hash " + hex(hash) + ", expected " +
                       hex(preamble.preambleHash));
  if (uint64_t unknown = preamble.requiredFeatures & ~knownContainerFeatures)
    return versionMismatch("the container needs features " + hex(unknown) +
                           " that this build does not have; use a newer one");
  if (preamble.fileLength != bytes.size())
    return corruptData(
        "the file has " + std::to_string(bytes.size()) + " bytes, but was written with " +
        std::to_string(preamble.fileLength) + "; it was cut off or appended to");
  if (preamble.headerOffset < sizeof(Preamble) ||
      preamble.headerOffset % frameAlignment != 0 ||
      !rangeFits(preamble.headerOffset, preamble.headerLength, bytes.size()) ||
      preamble.headerOffset + preamble.headerLength != bytes.size() ||
      preamble.headerLength >= FLATBUFFERS_MAX_BUFFER_SIZE)
    return corruptData("the header's place (" + std::to_string(preamble.headerLength) +
                       " bytes at " + std::to_string(preamble.headerOffset) +
                       ") does not fit the file");
  return Status::success();
}

} // namespace

Result<Container> Container::open(const std::string &path, bool verifyHashes) {
  std::string context = "while opening '" + path + "'";
  auto file = MappedFile::open(path);
  if (!file)
    return file.status().withContext(context);
  auto container = fromMemory(
      {static_cast<const std::byte *>((*file)->address), (*file)->length}, verifyHashes);
  if (!container)
    return container.status().withContext(context);
  container->file_ = *std::move(file);
  return container;
}

Result<Container> Container::fromMemory(std::span<const std::byte> bytes,
                                        bool verifyHashes) {
  if (bytes.size() < sizeof(Preamble) ||
      reinterpret_cast<uintptr_t>(bytes.data()) % weightAlignment != 0)
    return corruptData("an artifact has at least 64 bytes and is 64-byte aligned");
  Preamble preamble;
  std::memcpy(&preamble, bytes.data(), sizeof preamble);
  HEXIN_RETURN_IF_ERROR(checkPreamble(preamble, bytes));

  auto headerBytes = bytes.subspan(preamble.headerOffset, preamble.headerLength);
  if (uint64_t hash = hash64(headerBytes); hash != preamble.headerHash)
    return corruptData("the header is damaged: hash " + hex(hash) + ", expected " +
                       hex(preamble.headerHash));
  Container container;
  if (preamble.requiredFeatures & compressedHeaderFeature) {
    auto contents = decompress(headerBytes);
    if (!contents)
      return contents.status().withContext("the header");
    container.headerMemory_ =
        std::make_shared<const std::vector<std::byte>>(*std::move(contents));
    headerBytes = *container.headerMemory_;
  }
  auto *data = reinterpret_cast<const uint8_t *>(headerBytes.data());
  // A table and the offset that leads to it take 8 bytes; more tables than that
  // means that they are shared, which our writer never does.
  auto maxTables = static_cast<flatbuffers::uoffset_t>(headerBytes.size() / 8 + 1);
  flatbuffers::Verifier verifier(data, headerBytes.size(), maxDepth, maxTables);
  if (headerBytes.size() < 16 || !fmt::VerifyHeaderBuffer(verifier))
    return corruptData("the header is not a well-formed 'HXMH' FlatBuffer");

  container.bytes_ = bytes;
  container.header_ = fmt::GetHeader(data);
  HEXIN_RETURN_IF_ERROR(
      verifyHeader(*container.header_, headerBytes.size(), preamble.headerOffset));
  if (verifyHashes && container.header_->sections()) {
    for (uint32_t i = 0; i < container.header_->sections()->size(); ++i)
      HEXIN_RETURN_IF_ERROR(container.checkHash(i));
  }
  return container;
}

Status Container::checkHash(uint32_t index) const {
  uint64_t hash = hash64(section(index));
  uint64_t expected = header_->sections()->Get(index)->hash();
  if (hash == expected)
    return Status::success();
  return corruptData("section " + std::to_string(index) + " is damaged: hash " +
                     hex(hash) + ", expected " + hex(expected));
}

std::span<const std::byte> Container::section(uint32_t index) const {
  const fmt::Section *section = header_->sections()->Get(index);
  return bytes_.subspan(section->offset(), section->length());
}

Result<SectionContents> Container::contents(uint32_t index) const {
  HEXIN_RETURN_IF_ERROR(checkHash(index));
  if (header_->sections()->Get(index)->compression() == fmt::Compression::none)
    return SectionContents(section(index));
  auto contents = decompress(section(index));
  if (!contents)
    return contents.status().withContext("section " + std::to_string(index));
  return SectionContents(*std::move(contents));
}

std::span<const std::byte> Container::weights() const {
  if (header_->sections())
    for (uint32_t i = 0; i < header_->sections()->size(); ++i)
      if (header_->sections()->Get(i)->kind() == fmt::SectionKind::weights)
        return section(i);
  return {};
}

int Container::fd() const { return file_ ? file_->fd : -1; }

} // namespace hexin
