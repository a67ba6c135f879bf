#include "compiler/ir/WeightStore.h"

#include "runtime/base/Hash.h"

#include <algorithm>
#include <cstring>
#include <mutex>

using namespace mlir;

namespace hexin::hx {

static std::span<const std::byte> bytesOf(const Tensor &tensor) {
  return {static_cast<const std::byte *>(tensor.data()), tensor.byteLength()};
}

static uint64_t hashOf(const Tensor &tensor) {
  Hasher hasher;
  int64_t dtype = static_cast<int64_t>(tensor.dtype());
  hasher.update(std::as_bytes(std::span(&dtype, 1)));
  hasher.update(std::as_bytes(tensor.dims()));
  hasher.update(bytesOf(tensor));
  return hasher.digest();
}

static bool isEqual(const Tensor &a, const Tensor &b) {
  if (a.dtype() != b.dtype() || !std::ranges::equal(a.dims(), b.dims()) ||
      a.byteLength() != b.byteLength())
    return false;
  return a.byteLength() == 0 || a.data() == b.data() ||
         std::memcmp(a.data(), b.data(), a.byteLength()) == 0;
}

std::string WeightStore::add(StringRef hint, Tensor tensor) {
  uint64_t hash = hashOf(tensor);
  std::lock_guard lock(mutex);
  for (const std::string &name : byHash[hash])
    if (isEqual(entries.find(name)->second.tensor, tensor))
      return name;
  std::string base = hint.empty() ? "weight" : hint.str();
  std::string name = base;
  for (unsigned suffix = 1; entries.contains(name); ++suffix)
    name = base + "_" + std::to_string(suffix);
  entries[name] = WeightEntry{std::move(tensor), hash};
  byHash[hash].push_back(name);
  return name;
}

const WeightEntry *WeightStore::find(StringRef name) const {
  std::lock_guard lock(mutex);
  auto it = entries.find(name);
  return it == entries.end() ? nullptr : &it->second;
}

//===----------------------------------------------------------------------===//
// Which store a module has
//===----------------------------------------------------------------------===//

namespace {
/// Compiles run side by side in one process, so the table is shared.
struct Attachments {
  std::mutex mutex;
  llvm::DenseMap<Operation *, WeightStore *> stores;
};
} // namespace

static Attachments &attachments() {
  static Attachments instance;
  return instance;
}

WeightStore *WeightStore::of(Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<ModuleOp>();
  if (!module)
    return nullptr;
  std::lock_guard lock(attachments().mutex);
  return attachments().stores.lookup(module);
}

void WeightStore::attach(ModuleOp module, WeightStore *store) {
  std::lock_guard lock(attachments().mutex);
  if (store)
    attachments().stores[module] = store;
  else
    attachments().stores.erase(module);
}

} // namespace hexin::hx
