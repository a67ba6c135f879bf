//===- ImageLoader.h - an image in memory, ready to run ---------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_IMAGELOADER_H
#define HEXIN_BACKENDS_CPU_RUNTIME_IMAGELOADER_H

#include "backends/cpu/abi/ImageCheck.h"
#include "hexin/status.h"
#include "runtime/device/KernelAbi.h"

#include <memory>

namespace hexin::cpu {

/// Code mapped R-X and constants mapped R, never writable and executable at once.
/// Mapped from the file where its offset is page-aligned, else copied. Immutable:
/// use it from any thread.
class LoadedImage {
public:
  /// `bytes` holds the image; with `fd` >= 0 they are those at `fileOffset` of that
  /// file. The bytes must outlive the result, the file need not. Fails with
  /// corruptData when checkImage refuses them.
  static Result<std::unique_ptr<LoadedImage>> load(std::span<const uint8_t> bytes, int fd,
                                                   uint64_t fileOffset);
  ~LoadedImage();
  LoadedImage(const LoadedImage &) = delete;
  LoadedImage &operator=(const LoadedImage &) = delete;

  /// The entry point of a kernel, null when the image has none of that name.
  CpuKernelFn find(std::string_view name) const;

private:
  explicit LoadedImage(ImageLayout layout) : layout(std::move(layout)) {}
  bool mapSegment(const ImageSegment &segment, std::span<const uint8_t> bytes, int fd,
                  uint64_t fileOffset);

  ImageLayout layout;
  uint8_t *base = nullptr;
};

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_IMAGELOADER_H
