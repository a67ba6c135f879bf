#include "backends/cpu/runtime/Executor.h"

#include "backends/cpu/runtime/Dispatcher.h"
#include "backends/cpu/runtime/ThreadPool.h"

#include <map>
#include <utility>

namespace hexin::cpu {

std::shared_ptr<Executor> Executor::get(unsigned threads, bool pin) {
  static std::mutex mutex;
  static std::map<std::pair<unsigned, bool>, std::weak_ptr<Executor>> executors;
  std::lock_guard<std::mutex> lock(mutex);
  auto &entry = executors[{threads, pin}];
  auto executor = entry.lock();
  if (!executor) {
    executor.reset(new Executor(threads, pin));
    entry = executor;
  }
  return executor;
}

Executor::Executor(unsigned threads, bool pin)
    : numThreads(threads), pin(pin), memory(threads) {
  if (threads > 1)
    pool = std::make_unique<ThreadPool>(threads, pin);
}

Executor::~Executor() = default;

void Executor::run(Job job) {
  if (numThreads == 1) {
    InlineTeam team;
    auto body = [&] { job(team); };
    if (const auto *omp = shim.load(std::memory_order_acquire))
      omp->with_threads(
          1, [](void *context) { (*static_cast<decltype(body) *>(context))(); }, &body);
    else
      body();
    return;
  }
  std::lock_guard<std::mutex> lock(turn);
  if (dispatcher)
    dispatcher->run(job);
  else
    job(*pool);
}

void Executor::useOpenMp(const hexin_onednn_api &api) {
  std::lock_guard<std::mutex> lock(turn);
  if (shim.load(std::memory_order_relaxed))
    return;
  if (numThreads > 1) {
    dispatcher = std::make_unique<Dispatcher>(api, numThreads, pin);
    pool.reset();
  }
  shim.store(&api, std::memory_order_release);
}

} // namespace hexin::cpu
