//===- Schedule.cpp - when queued work runs ------------------------------------------===//
//
// As late as the API allows: nothing runs before somebody waits for it, and then only
// what that one needs, in any order that the waits between the actions leave open. So a
// host that reads too early sees old data, and a stream that forgot an event most likely
// does too.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/driver/Driver.h"

#include <chrono>
#include <unordered_set>

using namespace standin;

namespace {

bool isReady(Work &work) {
  auto isDone = [](const std::shared_ptr<Work> &other) { return other->isDone; };
  while (!work.waitsFor.empty() && isDone(work.waitsFor.back()))
    work.waitsFor.pop_back();
  return work.waitsFor.empty();
}

void addWait(std::vector<std::shared_ptr<Work>> &waits,
             const std::shared_ptr<Work> &work) {
  if (work && !work->isDone)
    waits.push_back(work);
}

} // namespace

CUresult Driver::submit(Lock &lock, Stream &stream, Action action,
                        std::vector<std::shared_ptr<Work>> after,
                        std::shared_ptr<Work> *out) {
  if (stream.capture)
    return addNode(stream, std::move(action));

  Context &context = *stream.context;
  auto work = std::make_shared<Work>();
  addWait(work->waitsFor, stream.last);
  for (const std::shared_ptr<Work> &other : after)
    addWait(work->waitsFor, other);
  // The default stream waits for all streams that do not opt out, and they for it.
  if (stream.isLegacy) {
    for (const std::shared_ptr<Stream> &other : context.streams) {
      if (!other->isBlocking() || other.get() == &stream)
        continue;
      if (other->capture) {
        other->capture->isInvalid = true;
        return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
      }
      addWait(work->waitsFor, other->last);
    }
    for (const std::shared_ptr<Work> &other : context.orphans)
      addWait(work->waitsFor, other);
    context.orphans.clear(); // this work now stands for them
  } else if (stream.isBlocking()) {
    addWait(work->waitsFor, context.legacy->last);
  }

  work->serial = nextSerial_++;
  work->context = &context;
  work->action = std::move(action);
  stream.last = work;
  pending_.push_back(work);
  if (out)
    *out = work;

  if (config.schedule == Schedule::early)
    complete(lock, {work});
  else if (config.schedule == Schedule::mixed)
    while (!isRunning_ && random_() % 3 == 0) {
      std::shared_ptr<Work> ready = pickReady(pending_);
      if (!ready)
        break;
      runOne(lock, *ready);
    }
  return CUDA_SUCCESS;
}

std::vector<std::shared_ptr<Work>>
Driver::needs(const std::vector<std::shared_ptr<Work>> &targets) {
  std::vector<std::shared_ptr<Work>> found;
  std::unordered_set<const Work *> seen;
  std::vector<std::shared_ptr<Work>> open;
  for (const std::shared_ptr<Work> &target : targets)
    addWait(open, target);
  while (!open.empty()) {
    std::shared_ptr<Work> work = std::move(open.back());
    open.pop_back();
    if (!seen.insert(work.get()).second)
      continue;
    for (const std::shared_ptr<Work> &other : work->waitsFor)
      addWait(open, other);
    found.push_back(std::move(work));
  }
  std::sort(found.begin(), found.end(),
            [](const auto &a, const auto &b) { return a->serial < b->serial; });
  return found;
}

std::shared_ptr<Work> Driver::pickReady(const std::vector<std::shared_ptr<Work>> &among) {
  std::vector<std::shared_ptr<Work>> ready;
  for (const std::shared_ptr<Work> &work : among) {
    if (work->isDone || work->isRunning || !isReady(*work))
      continue;
    if (config.seed == 0)
      return work;
    ready.push_back(work);
  }
  return ready.empty() ? nullptr : ready[random_() % ready.size()];
}

void Driver::runOne(Lock &lock, Work &work) {
  isRunning_ = work.isRunning = true;
  Context &context = *work.context;
  if (!context.error) {
    if (std::optional<Fault> fault = perform(lock, context, work.action)) {
      ++counted.faults;
      context.error = fault->code;
      setError(fault->message);
      std::fprintf(stderr, "cuda stand-in: device %d: %s\n", context.device->ordinal,
                   fault->message.c_str());
    }
  }
  work.finishedNs = std::chrono::steady_clock::now().time_since_epoch().count();
  work.isDone = true;
  work.waitsFor.clear();
  work.action = EmptyAction{};
  std::erase_if(pending_, [&](const auto &other) { return other.get() == &work; });
  isRunning_ = false;
  ranOne_.notify_all();
}

void Driver::complete(Lock &lock, const std::vector<std::shared_ptr<Work>> &targets) {
  std::vector<std::shared_ptr<Work>> needed = needs(targets);
  while (true) {
    std::erase_if(needed, [](const auto &work) { return work->isDone; });
    if (needed.empty())
      return;
    // Another thread's action; it may be what we need, too.
    if (isRunning_) {
      ranOne_.wait(lock);
      continue;
    }
    std::shared_ptr<Work> work = pickReady(needed);
    runOne(lock, *work); // waits point to earlier work only: one of it is always ready
  }
}

bool Driver::completeAll(Lock &lock, const Context &context) {
  std::vector<std::shared_ptr<Work>> ours;
  for (const std::shared_ptr<Work> &work : pending_)
    if (work->context == &context)
      ours.push_back(work);
  complete(lock, ours);
  return !ours.empty();
}

void Driver::progress(Lock &lock, const std::shared_ptr<Work> &target) {
  if (!target || target->isDone || isRunning_)
    return;
  std::shared_ptr<Work> work = pickReady(needs({target}));
  if (work)
    runOne(lock, *work);
}
