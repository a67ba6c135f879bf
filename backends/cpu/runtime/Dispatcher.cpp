#include "backends/cpu/runtime/Dispatcher.h"

#include "backends/cpu/runtime/Affinity.h"

namespace hexin::cpu {
namespace {

class OpenMpTeam : public Team {
public:
  OpenMpTeam(const hexin_onednn_api &shim, unsigned threads)
      : shim(shim), numThreads(threads) {}

  unsigned threads() const override { return numThreads; }

  void parallelFor(int64_t items, int64_t grain, RangeFn fn) override {
    if (items <= 0)
      return;
    if (threadsFor(items, grain, numThreads) == 1)
      return fn(0, items, 0);
    // The whole team takes part even when fewer parts are worth it: a region of
    // another size makes libgomp end and start threads.
    struct Context {
      const RangeFn &fn;
      int64_t items;
      unsigned used;
    } context{fn, items, threadsFor(items, grain, numThreads)};
    shim.parallel(
        numThreads,
        [](void *opaque, unsigned index, unsigned count) {
          auto &c = *static_cast<Context *>(opaque);
          unsigned used = c.used < count ? c.used : count;
          if (index >= used)
            return;
          Share share = shareOf(c.items, index, used);
          c.fn(share.begin, share.end, index);
        },
        &context);
  }

private:
  const hexin_onednn_api &shim;
  unsigned numThreads;
};

} // namespace

Dispatcher::Dispatcher(const hexin_onednn_api &shim, unsigned threads, bool pin)
    : thread([this, &shim, threads, pin] { loop(shim, threads, pin); }) {}

Dispatcher::~Dispatcher() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  wake.notify_one();
  thread.join();
}

void Dispatcher::run(Job newJob) {
  std::unique_lock<std::mutex> lock(mutex);
  job = &newJob;
  wake.notify_one();
  finished.wait(lock, [&] { return job == nullptr; });
}

void Dispatcher::loop(const hexin_onednn_api &shim, unsigned threads, bool pin) {
  shim.set_threads(threads);
  if (pin)
    shim.parallel(
        threads,
        [](void *, unsigned index, unsigned) {
          const auto &cores = inheritedCores();
          pinThisThread(cores[index % cores.size()]);
        },
        nullptr);
  OpenMpTeam team(shim, threads);
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    wake.wait(lock, [&] { return job || stopping; });
    if (!job)
      return;
    const Job current = *job;
    lock.unlock();
    current(team);
    lock.lock();
    job = nullptr;
    finished.notify_one();
  }
}

} // namespace hexin::cpu
