#include "backends/cpu/runtime/Workspaces.h"

#include "runtime/base/Checked.h"

#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace hexin::cpu {
namespace {

constexpr uint64_t hugePageBytes = uint64_t(2) << 20;

/// A page and a little, so that threads' workspaces do not fall on the same lines of
/// caches.
constexpr uint64_t pageBytes = 4096, skewBytes = 320;

uint64_t physicalBytes() {
  return uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGE_SIZE));
}

} // namespace

Status Workspaces::reserve(uint64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  if (bytes > physicalBytes())
    return resourceExhausted("no memory for a workspace of " + std::to_string(bytes) +
                             " bytes; the machine has " +
                             std::to_string(physicalBytes()));
  uint64_t rounded = (bytes + pageBytes - 1) / pageBytes * pageBytes + skewBytes;
  if (rounded <= bytesPerThread)
    return {};
  HEXIN_ASSIGN_OR_RETURN(Set set, make(rounded));
  bytesPerThread = rounded;
  // What is idle is too small for good; what is out comes back and is dropped.
  made -= idle.size();
  idle.clear();
  idle.reserve(++made);
  idle.push_back(std::move(set));
  return {};
}

Result<Workspaces::Lease> Workspaces::lease() {
  Lease lease;
  std::lock_guard<std::mutex> lock(mutex);
  if (bytesPerThread == 0)
    return lease;
  if (idle.empty()) {
    HEXIN_ASSIGN_OR_RETURN(lease.set, make(bytesPerThread));
    idle.reserve(++made);
  } else {
    lease.set = std::move(idle.back());
    idle.pop_back();
  }
  lease.owner = this;
  return lease;
}

void Workspaces::giveBack(Set set) {
  std::lock_guard<std::mutex> lock(mutex);
  if (set.bytesPerThread == bytesPerThread)
    idle.push_back(std::move(set));
  else
    --made;
}

Result<Workspaces::Set> Workspaces::make(uint64_t bytes) const {
  auto total = checkedMul(static_cast<int64_t>(bytes), threads);
  void *memory = nullptr;
  bool isLarge = total && static_cast<uint64_t>(*total) >= hugePageBytes;
  if (!total || static_cast<uint64_t>(*total) > physicalBytes() ||
      posix_memalign(&memory, isLarge ? hugePageBytes : pageBytes, *total) != 0)
    return resourceExhausted("no memory for workspaces of " + std::to_string(bytes) +
                             " bytes for each of " + std::to_string(threads) +
                             " threads");
  if (isLarge)
    madvise(memory, *total, MADV_HUGEPAGE); // a hint: refusal costs speed only
  Set set;
  set.memory.reset(static_cast<uint8_t *>(memory));
  set.bytesPerThread = bytes;
  return set;
}

} // namespace hexin::cpu
