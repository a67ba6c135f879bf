#include "backends/cpu/onednn/Weights.h"

#include "backends/cpu/onednn/Op.h"
#include "runtime/base/DType.h"
#include "runtime/base/Packing.h"

#include <map>
#include <mutex>
#include <sstream>
#include <vector>

namespace hexin::onednn {
namespace {

using dnnl::memory;

/// All packed weights of the user on this machine, together.
constexpr uint64_t maxCacheBytes = uint64_t(2) << 30;

void write(std::ostream &os, const char *name, const Dims &dims) {
  os << name;
  for (int64_t d : dims)
    os << ' ' << d;
  os << '\n';
}

void write(std::ostream &os, const memory::desc &desc) {
  os << "type " << static_cast<int>(desc.get_data_type()) << '\n';
  write(os, "dims", desc.get_dims());
  write(os, "strides", desc.get_strides());
}

/// Everything that decides the packed bytes; "" when that cannot be said.
std::string cacheKey(const WeightSource &source, const memory::desc &packed) {
  if (source.binding.content_hash == 0 ||
      packed.get_format_kind() != memory::format_kind::blocked)
    return "";
  std::ostringstream os;
  const dnnl_version_t *version = dnnl_version();
  os << "hexin onednn weights 1\n"
     << version->major << '.' << version->minor << '.' << version->patch << ' '
     << version->hash << "\nisa " << static_cast<int>(dnnl::get_effective_cpu_isa())
     << "\nhash " << source.binding.content_hash << "\nconv " << source.isConv
     << "\ntransposed " << source.isTransposed << '\n';
  write(os, "panels", source.panels);
  write(os, source.plain);
  write(os, packed);
  write(os, "padded", packed.get_padded_dims());
  write(os, "offsets", packed.get_padded_offsets());
  write(os, "blocks", packed.get_inner_blks());
  write(os, "axes", packed.get_inner_idxs());
  os << "offset " << packed.get_submemory_offset() << "\nbytes " << packed.get_size();
  return os.str();
}

/// The plain weights out of their panels.
std::vector<std::byte> unpack(const WeightSource &source) {
  const hexin_binding &binding = source.binding;
  if (source.panels.size() != 2)
    throwInvalid("expected panels = [width, groups]");
  auto form = source.isConv         ? PlainForm::conv
              : source.isTransposed ? PlainForm::matmulTransposed
                                    : PlainForm::matmul;
  auto shape =
      makePanelShape(form, dimsOf(binding), source.panels[0],
                     byteWidth(static_cast<DType>(binding.dtype)), source.panels[1]);
  if (!shape.ok())
    throwInvalid(shape.status().message());
  if (binding.length < shape->packedBytes())
    throwInvalid("the weights' panels take " + std::to_string(shape->packedBytes()) +
                 " bytes, there are " + std::to_string(binding.length));
  std::vector<std::byte> plain(shape->plainBytes());
  const auto *stored = static_cast<const std::byte *>(binding.host_data);
  if (Status status = unpackPanels(*shape, {stored, shape->packedBytes()}, plain);
      !status.ok())
    throwInvalid(status.message());
  return plain;
}

memory reorder(const WeightSource &source, const memory::desc &packed) {
  std::vector<std::byte> unpacked;
  const void *plainData = source.binding.host_data;
  if (!source.panels.empty()) {
    unpacked = unpack(source);
    plainData = unpacked.data();
  }
  memory plain(source.plain, engine(), const_cast<void *>(plainData));
  memory result(packed, engine());
  dnnl::stream stream(engine());
  dnnl::reorder(plain, result).execute(stream, plain, result);
  stream.wait();
  return result;
}

std::shared_ptr<PackedWeights> findOrMake(const WeightSource &source,
                                          const memory::desc &packed,
                                          const FileCache &cache, WeightCounts &counts) {
  std::string key = cache.isEnabled() ? cacheKey(source, packed) : "";
  if (auto entry = key.empty() ? std::nullopt : cache.map(key)) {
    if (entry->bytes().size() == packed.get_size()) {
      ++counts.cached;
      memory mapped(packed, engine(), const_cast<std::byte *>(entry->bytes().data()));
      return std::make_shared<PackedWeights>(
          PackedWeights{std::move(mapped), std::move(entry)});
    }
    cache.remove(key);
  }
  ++counts.reordered;
  auto made = std::make_shared<PackedWeights>(
      PackedWeights{reorder(source, packed), std::nullopt});
  if (!key.empty())
    cache.store(key, {static_cast<const std::byte *>(made->memory.get_data_handle()),
                      packed.get_size()});
  return made;
}

} // namespace

std::shared_ptr<PackedWeights> packWeights(const WeightSource &source,
                                           const memory::desc &packed,
                                           const std::string &cacheFolder,
                                           WeightCounts &counts) {
  struct Known {
    uint64_t contentHash;
    Dims panels;
    memory::desc plain, packed;
    std::weak_ptr<PackedWeights> weights;
  };
  static std::mutex mutex;
  static std::vector<Known> known;
  static std::map<std::string, FileCache> caches; // each remembers how full it is
  std::lock_guard<std::mutex> lock(mutex);
  std::erase_if(known, [](const Known &entry) { return entry.weights.expired(); });
  uint64_t hash = source.binding.content_hash;
  for (const Known &entry : known)
    if (hash != 0 && entry.contentHash == hash && entry.panels == source.panels &&
        entry.plain == source.plain && entry.packed == packed)
      if (auto weights = entry.weights.lock())
        return weights;
  const FileCache &cache =
      caches.try_emplace(cacheFolder, cacheFolder, maxCacheBytes).first->second;
  auto made = findOrMake(source, packed, cache, counts);
  if (hash != 0)
    known.push_back({hash, source.panels, source.plain, packed, made});
  return made;
}

} // namespace hexin::onednn
