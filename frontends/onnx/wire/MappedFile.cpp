#include "frontends/onnx/wire/MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hexin::onnx {

static Status systemError(const std::string &path, const char *what, int error) {
  std::string message = std::string(what) + " '" + path + "': " + std::strerror(error);
  return error == ENOENT || error == ENOTDIR ? notFound(std::move(message))
                                             : ioError(std::move(message));
}

namespace {
struct FileDescriptor {
  int value;
  ~FileDescriptor() {
    if (value >= 0)
      ::close(value);
  }
};
} // namespace

Result<std::shared_ptr<MappedFile>> MappedFile::open(const std::string &path) {
  // O_NONBLOCK: opening a fifo must not wait for its writer.
  FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.value < 0)
    return systemError(path, "cannot open", errno);
  struct stat info;
  if (::fstat(file.value, &info) != 0)
    return systemError(path, "cannot read the size of", errno);
  if (!S_ISREG(info.st_mode))
    return invalidArgument("'" + path + "' is not a regular file");
  size_t length = static_cast<size_t>(info.st_size);
  const std::byte *data = nullptr;
  if (length != 0) {
    void *mapping = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, file.value, 0);
    if (mapping == MAP_FAILED)
      return systemError(path, "cannot map", errno);
    data = static_cast<const std::byte *>(mapping);
  }
  return std::shared_ptr<MappedFile>(new MappedFile(data, length));
}

MappedFile::~MappedFile() {
  if (data)
    ::munmap(const_cast<std::byte *>(data), length);
}

} // namespace hexin::onnx
