//===- MadeWeights.h - the bytes of weights that are made out of others ---------===//
//
// Made once in a process, whatever sessions and devices want them, and kept in the cache
// folder (cache_folder::weights): written piece by piece into a file there and mapped, so
// that they take no memory of the process's own, in this process and the next ones.
// Without a folder, or with a full disk, they are in memory.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_MADEWEIGHTS_H
#define HEXIN_RUNTIME_EXEC_MADEWEIGHTS_H

#include "runtime/artifact/ModelImpl.h"
#include "runtime/base/FileCache.h"
#include "runtime/device/Device.h"

#include "hexin/status.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace hexin {

/// Immutable, aligned to 64 bytes.
class WeightBytes {
public:
  explicit WeightBytes(FileCache::Mapped mapped) : mapped_(std::move(mapped)) {}
  /// Owns memory that mmap() gave.
  explicit WeightBytes(std::span<std::byte> memory) : memory_(memory) {}
  ~WeightBytes();
  WeightBytes(const WeightBytes &) = delete;
  WeightBytes &operator=(const WeightBytes &) = delete;

  std::span<const std::byte> bytes() const {
    return mapped_ ? mapped_->bytes() : std::span<const std::byte>(memory_);
  }

private:
  std::optional<FileCache::Mapped> mapped_;
  std::span<std::byte> memory_;
};

/// Bytes per weight of `weights`, all of which are derived (DerivedWeights.h). Uses the
/// device's threads (Device::forRange) and cache folder. Thread-safe.
///   resourceExhausted  there is no memory for them
Result<std::vector<std::shared_ptr<const WeightBytes>>>
makeWeights(const Model::Impl &model, std::span<const uint32_t> weights,
            const Device &device);

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_MADEWEIGHTS_H
