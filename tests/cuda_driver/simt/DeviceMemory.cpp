//===- DeviceMemory.cpp - allocations in an address range of their own ----------===//
#include "tests/cuda_driver/simt/DeviceMemory.h"

#include <cstring>
#include <new>

using namespace standin;

namespace {
constexpr uint64_t alignment = 256;
/// Unowned bytes behind each range. Addresses are never used twice, so that what still
/// uses released memory is always found.
constexpr uint64_t gap = 64 << 10;
} // namespace

DeviceAddress DeviceMemory::place(std::byte *host, uint64_t bytes) {
  DeviceAddress address = next_;
  ranges_.emplace(address, Range{address, bytes, host});
  next_ = (address + bytes + gap + alignment - 1) & ~(alignment - 1);
  return address;
}

std::optional<DeviceAddress> DeviceMemory::allocate(uint64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    if (bytes > capacity_ - used_)
      return std::nullopt;
    used_ += bytes;
  }
  std::unique_ptr<std::byte[]> storage(new (std::nothrow) std::byte[bytes]);
  if (storage)
    std::memset(storage.get(), poison, bytes);

  std::lock_guard lock(mutex_);
  if (!storage) {
    used_ -= bytes;
    return std::nullopt;
  }
  DeviceAddress address = place(storage.get(), bytes);
  owned_.emplace(address, std::move(storage));
  return address;
}

DeviceAddress DeviceMemory::map(std::byte *host, uint64_t bytes) {
  std::lock_guard lock(mutex_);
  return place(host, bytes);
}

bool DeviceMemory::release(DeviceAddress address) {
  std::lock_guard lock(mutex_);
  auto range = ranges_.find(address);
  if (range == ranges_.end())
    return false;
  if (owned_.erase(address))
    used_ -= range->second.bytes;
  ranges_.erase(range);
  return true;
}

std::optional<DeviceMemory::Range> DeviceMemory::find(DeviceAddress address) const {
  std::lock_guard lock(mutex_);
  auto after = ranges_.upper_bound(address);
  if (after == ranges_.begin())
    return std::nullopt;
  const Range &range = std::prev(after)->second;
  if (address - range.begin >= range.bytes)
    return std::nullopt;
  return range;
}

std::byte *DeviceMemory::at(DeviceAddress address, uint64_t bytes) const {
  std::optional<Range> range = find(address);
  if (!range)
    return nullptr;
  uint64_t offset = address - range->begin;
  return bytes <= range->bytes - offset ? range->host + offset : nullptr;
}

uint64_t DeviceMemory::used() const {
  std::lock_guard lock(mutex_);
  return used_;
}

size_t DeviceMemory::liveAllocations() const {
  std::lock_guard lock(mutex_);
  return ranges_.size();
}
