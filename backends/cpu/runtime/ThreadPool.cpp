#include "backends/cpu/runtime/ThreadPool.h"

#include "backends/cpu/runtime/Affinity.h"

#include <emmintrin.h>
#include <system_error>

namespace hexin::cpu {
namespace {

// About 20 to 50 microseconds: longer than the gap between two kernels of a
// submission, shorter than a scheduler slice by far.
constexpr int spinCount = 1000;

/// Returns once `value` is no longer `old`: spins first, sleeps then.
void waitWhile(const std::atomic<uint32_t> &value, uint32_t old) {
  for (int i = 0; i < spinCount; ++i) {
    if (value.load(std::memory_order_acquire) != old)
      return;
    _mm_pause();
  }
  value.wait(old, std::memory_order_acquire);
}

} // namespace

ThreadPool::ThreadPool(unsigned threads, bool pin) {
  const std::vector<int> &cores = inheritedCores();
  workers.reserve(threads);
  for (unsigned i = 1; i < threads; ++i) {
    auto worker = std::make_unique<Worker>();
    int core = pin ? cores[i % cores.size()] : -1;
    Worker *raw = worker.get();
    try {
      worker->thread = std::thread([this, raw, i, core] {
        if (core >= 0)
          pinThisThread(core);
        workerLoop(*raw, i);
      });
    } catch (const std::system_error &) {
      return;
    }
    workers.push_back(std::move(worker));
  }
}

ThreadPool::~ThreadPool() {
  stopping = true;
  for (auto &worker : workers) {
    worker->requested.fetch_add(1, std::memory_order_release);
    worker->requested.notify_one();
  }
  for (auto &worker : workers)
    worker->thread.join();
}

void ThreadPool::workerLoop(Worker &worker, unsigned index) {
  uint32_t seen = 0;
  while (true) {
    waitWhile(worker.requested, seen);
    // A worker that is asked again has finished the piece before: one at a time.
    ++seen;
    if (stopping)
      return;
    Share share = shareOf(jobItems, index, jobThreads);
    (*job)(share.begin, share.end, index);
    if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1)
      unfinished.notify_one();
  }
}

void ThreadPool::parallelFor(int64_t items, int64_t grain, RangeFn fn) {
  if (items <= 0)
    return;
  unsigned used = threadsFor(items, grain, threads());
  if (used == 1)
    return fn(0, items, 0);
  job = &fn;
  jobItems = items;
  jobThreads = used;
  unfinished.store(used - 1, std::memory_order_relaxed);
  for (unsigned i = 1; i < used; ++i) {
    workers[i - 1]->requested.fetch_add(1, std::memory_order_release);
    workers[i - 1]->requested.notify_one();
  }
  Share share = shareOf(items, 0, used);
  fn(share.begin, share.end, 0);
  while (uint32_t left = unfinished.load(std::memory_order_acquire))
    waitWhile(unfinished, left);
}

} // namespace hexin::cpu
