//===- Handles.h - handles that can be told from rubbish -----------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_DRIVER_HANDLES_H
#define HEXIN_TESTS_CUDA_DRIVER_DRIVER_HANDLES_H

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace standin {

/// The live objects of one kind. A handle is a number that no pointer has, never used
/// twice, and different for each kind: any wrong one is found out.
template <typename Handle, typename Object> class Handles {
public:
  explicit Handles(unsigned kind) : kind_(kind) {}

  Handle add(std::shared_ptr<Object> object) {
    static std::atomic<uint64_t> next{1};
    auto handle =
        reinterpret_cast<Handle>(uint64_t(0xC000 + kind_) << 48 | next.fetch_add(16));
    objects_.emplace(handle, std::move(object));
    return handle;
  }
  /// Null when `handle` is none of a live object.
  std::shared_ptr<Object> find(Handle handle) const {
    auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : found->second;
  }
  bool remove(Handle handle) { return objects_.erase(handle) != 0; }
  template <typename Predicate> size_t removeIf(Predicate predicate) {
    return std::erase_if(objects_,
                         [&](const auto &entry) { return predicate(*entry.second); });
  }
  size_t size() const { return objects_.size(); }

private:
  unsigned kind_;
  std::map<Handle, std::shared_ptr<Object>> objects_;
};

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_DRIVER_HANDLES_H
