//===- DeviceMemory.h - allocations in an address range of their own ------------===//
//
// Device addresses are no host addresses: a host that dereferences one crashes, and
// a kernel that is given a host pointer faults, as with a GPU. Fresh memory is
// poisoned (0xFF: NaN as a float, -1 as an integer).
//
// Thread-safe.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_SIMT_DEVICEMEMORY_H
#define HEXIN_TESTS_CUDA_DRIVER_SIMT_DEVICEMEMORY_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace standin {

using DeviceAddress = uint64_t;

class DeviceMemory {
public:
  /// No two devices (`ordinal`) share an address.
  explicit DeviceMemory(uint64_t capacity, unsigned ordinal = 0)
      : capacity_(capacity), next_(DeviceAddress(0xDE + ordinal) << 48 | 0x10000) {}

  struct Range {
    DeviceAddress begin = 0;
    uint64_t bytes = 0;
    std::byte *host = nullptr; ///< where `begin` lies on the host
  };

  /// 256-byte aligned; with a gap behind it that belongs to nobody. nullopt: no room.
  std::optional<DeviceAddress> allocate(uint64_t bytes);
  static constexpr int poison = 0xFF;
  /// Makes host memory (mapped or registered by the caller, who keeps it alive) visible
  /// to kernels, under a device address.
  DeviceAddress map(std::byte *host, uint64_t bytes);
  /// False when `address` is not the beginning of a live allocation.
  bool release(DeviceAddress address);

  /// The live range that holds `address`; nullopt when there is none.
  std::optional<Range> find(DeviceAddress address) const;
  /// [address, address + bytes) on the host, or null when it is not inside one range.
  std::byte *at(DeviceAddress address, uint64_t bytes) const;

  uint64_t capacity() const { return capacity_; }
  uint64_t used() const;
  size_t liveAllocations() const;

private:
  DeviceAddress place(std::byte *host, uint64_t bytes); ///< under `mutex_`

  uint64_t capacity_;
  mutable std::mutex mutex_;
  std::map<DeviceAddress, Range> ranges_;
  std::map<DeviceAddress, std::unique_ptr<std::byte[]>> owned_;
  uint64_t used_ = 0;
  DeviceAddress next_; // not canonical on x86-64
};

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_SIMT_DEVICEMEMORY_H
