#include "backends/cpu/runtime/ImageLoader.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/mman.h>

namespace hexin::cpu {

Result<std::unique_ptr<LoadedImage>> LoadedImage::load(std::span<const uint8_t> bytes,
                                                       int fd, uint64_t fileOffset) {
  std::string error;
  auto layout = checkImage(bytes, error);
  if (!layout)
    return corruptData("cpu image: " + error);
  uint64_t span = layout->addressSpan();
  std::unique_ptr<LoadedImage> image(new LoadedImage(std::move(*layout)));
  void *base = mmap(nullptr, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED)
    return resourceExhausted("no address space for a cpu image of " +
                             std::to_string(span) + " bytes: " + std::strerror(errno));
  image->base = static_cast<uint8_t *>(base);
  for (const ImageSegment &segment : image->layout.segments())
    if (!image->mapSegment(segment, bytes, fd, fileOffset))
      return ioError(
          std::string("the system refused to map a cpu image's code or constants: ") +
          std::strerror(errno));
  return image;
}

bool LoadedImage::mapSegment(const ImageSegment &segment, std::span<const uint8_t> bytes,
                             int fd, uint64_t fileOffset) {
  void *at = base + segment.address;
  int protection = PROT_READ | (segment.isExecutable ? PROT_EXEC : 0);
  uint64_t offset = fileOffset + segment.fileOffset;
  if (fd >= 0 && offset % imagePageBytes == 0 &&
      mmap(at, segment.byteLength, protection, MAP_PRIVATE | MAP_FIXED, fd,
           static_cast<off_t>(offset)) != MAP_FAILED)
    return true;
  // Not aligned, no file, or a file system that allows no code: a private copy.
  if (mmap(at, segment.byteLength, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
    return false;
  std::memcpy(at, bytes.data() + segment.fileOffset, segment.byteLength);
  return mprotect(at, segment.byteLength, protection) == 0;
}

LoadedImage::~LoadedImage() {
  if (base)
    munmap(base, layout.addressSpan());
}

CpuKernelFn LoadedImage::find(std::string_view name) const {
  auto address = layout.findKernel(name);
  return address ? reinterpret_cast<CpuKernelFn>(base + *address) : nullptr;
}

} // namespace hexin::cpu
