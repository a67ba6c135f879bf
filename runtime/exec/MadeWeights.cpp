#include "runtime/exec/MadeWeights.h"

#include "runtime/artifact/DerivedWeights.h"
#include "runtime/base/CacheDir.h"
#include "runtime/base/Guarded.h"
#include "runtime/base/Hash.h"
#include "runtime/base/Log.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <utility>

namespace hexin {
namespace {

/// All made weights of the user on this machine, together.
constexpr uint64_t maxCacheBytes = uint64_t(4) << 30;

/// That a thread makes before it writes them: they stay in its cache.
constexpr int64_t pieceBytes = 512 << 10;

using Shared = std::shared_ptr<const WeightBytes>;

/// A weight to be made.
struct Job {
  const fmt::Weight *weight;
  const fmt::Weight *source;
  DerivedForm form;
  std::span<const std::byte> panels;
  Shared made = nullptr;
  bool isShareable = true;
  bool isFromCache = false;
  Status status = {};

  /// Whose bytes they are: the same for whoever makes them out of the same panels.
  using Identity = std::pair<uint64_t, uint64_t>;
  Identity identity() const { return {weight->hash(), weight->length()}; }

  std::string cacheKey() const {
    std::string key = "hexin made weights 1";
    for (uint64_t field : {source->hash(), source->length(), weight->hash(),
                           weight->length(), uint64_t(weight->winograd_tile())})
      key += ' ' + std::to_string(field);
    return key;
  }

  Status fill(std::span<std::byte> bytes) const {
    return form.make(0, form.numParts(), panels, bytes);
  }

  /// The same in pieces. False where `append` says so; `status` tells whether that is
  /// all.
  bool fillPieces(const FileCache::Append &append) {
    const int64_t numParts = form.numParts(), each = form.partBytes();
    const int64_t atATime = std::clamp<int64_t>(pieceBytes / std::max<int64_t>(each, 1),
                                                1, std::max<int64_t>(numParts, 1));
    std::vector<std::byte> piece(static_cast<size_t>(atATime * each));
    for (int64_t first = 0; first < numParts; first += atATime) {
      int64_t last = std::min(first + atATime, numParts);
      std::span<std::byte> part = std::span(piece).first((last - first) * each);
      status = form.make(first, last, panels, part);
      if (!status || !append(part))
        return false;
    }
    return true;
  }
};

Result<Shared> makeInMemory(const Job &job) {
  uint64_t bytes = job.weight->length();
  void *memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return resourceExhausted("no memory for a weight of " + std::to_string(bytes) +
                             " bytes that is made when it is first used");
  ::madvise(memory, bytes, MADV_HUGEPAGE); // a hint: refusal costs speed only
  std::span<std::byte> span(static_cast<std::byte *>(memory), bytes);
  auto made = std::make_shared<WeightBytes>(span);
  HEXIN_RETURN_IF_ERROR(job.fill(span));
  ::mprotect(memory, bytes, PROT_READ);
  return Shared(std::move(made));
}

Status make(Job &job, const FileCache &cache) {
  std::string key = job.cacheKey();
  if (auto entry = cache.map(key)) {
    if (entry->bytes().size() == job.weight->length()) {
      job.isFromCache = true;
      job.made = std::make_shared<WeightBytes>(*std::move(entry));
      return Status::success();
    }
    cache.remove(key);
  }
  // A file that lies about its hashes harms nobody else.
  job.isShareable = hash64(job.panels) == job.source->hash();
  if (job.isShareable) {
    auto entry =
        cache.make(key, job.weight->length(), [&](const FileCache::Append &append) {
          return job.fillPieces(append);
        });
    HEXIN_RETURN_IF_ERROR(job.status);
    if (entry) {
      job.made = std::make_shared<WeightBytes>(*std::move(entry));
      return Status::success();
    }
  }
  HEXIN_ASSIGN_OR_RETURN(job.made, makeInMemory(job));
  return Status::success();
}

/// Each job once, the largest first, by all threads of the device.
void makeAll(std::vector<Job *> jobs, const FileCache &cache, const Device &device) {
  std::sort(jobs.begin(), jobs.end(), [](const Job *a, const Job *b) {
    return a->weight->length() > b->weight->length();
  });
  std::atomic<size_t> next{0};
  device.forRange(static_cast<int64_t>(jobs.size()), [&](int64_t, int64_t) {
    for (size_t i = next++; i < jobs.size(); i = next++)
      jobs[i]->status = guarded([&] { return make(*jobs[i], cache); });
  });
}

void logMade(const std::string &path, const std::vector<Job *> &jobs,
             const LogTimer &timer) {
  uint64_t bytes = 0, found = 0;
  for (const Job *job : jobs) {
    bytes += job->weight->length();
    found += job->isFromCache;
  }
  log(LogLevel::info, "made " + std::to_string(jobs.size() - found) + " weights of '" +
                          path + "' out of others and found " + std::to_string(found) +
                          " in the cache, " + std::to_string(bytes) + " bytes, " +
                          timer.elapsed());
}

} // namespace

WeightBytes::~WeightBytes() {
  if (!memory_.empty())
    ::munmap(memory_.data(), memory_.size());
}

Result<std::vector<Shared>> makeWeights(const Model::Impl &model,
                                        std::span<const uint32_t> weights,
                                        const Device &device) {
  static std::mutex mutex; // held while they are made: whoever wants the same waits
  static auto *known = new std::map<Job::Identity, std::weak_ptr<const WeightBytes>>;
  static auto *caches = new std::map<std::string, FileCache>; // each knows how full it is

  std::lock_guard lock(mutex);
  LogTimer timer;
  std::erase_if(*known, [](const auto &entry) { return entry.second.expired(); });
  std::vector<Job> jobs;
  jobs.reserve(weights.size());
  std::vector<Job *> missing;
  for (uint32_t index : weights) {
    const fmt::Weight *weight = model.header().weights()->Get(index);
    const fmt::Weight *source = model.header().weights()->Get(weight->derived_from());
    jobs.push_back(
        {.weight = weight,
         .source = source,
         .form = *DerivedForm::of(*weight, *source), // the verifier saw to that
         .panels =
             model.container.weights().subspan(source->offset(), source->length())});
    Job &job = jobs.back();
    if (auto found = known->find(job.identity()); found != known->end())
      job.made = found->second.lock();
    if (!job.made)
      missing.push_back(&job);
  }
  const std::string &folder = device.cacheDir();
  const FileCache &cache =
      caches
          ->try_emplace(folder,
                        folder.empty() ? "" : folder + "/" + cache_folder::weights,
                        maxCacheBytes)
          .first->second;
  makeAll(missing, cache, device);

  std::vector<Shared> made;
  for (Job &job : jobs) {
    HEXIN_RETURN_IF_ERROR(job.status);
    if (job.isShareable)
      known->insert_or_assign(job.identity(), job.made);
    made.push_back(std::move(job.made));
  }
  if (!missing.empty() && isLogged(LogLevel::info))
    logMade(model.path, missing, timer);
  return made;
}

} // namespace hexin
