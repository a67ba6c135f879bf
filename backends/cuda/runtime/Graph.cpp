#include "backends/cuda/runtime/Graph.h"
#include "backends/cuda/runtime/Command.h"
#include "backends/cuda/runtime/CudaError.h"

#include <algorithm>
#include <iterator>

namespace hexin::cuda {

/// Of submissions that are remembered.
static constexpr size_t maxEntries = 64;

/// Graphs of the same commands in different memory.
static constexpr ptrdiff_t maxPlaces = 4;

GraphCache::~GraphCache() {
  while (!entries_.empty())
    drop(entries_.begin());
}

void GraphCache::drop(Entries::iterator entry) {
  if (entry->exec)
    api_.cuGraphExecDestroy(entry->exec);
  entries_.erase(entry);
}

void GraphCache::forgetCommand(uint64_t id) {
  for (auto entry = entries_.begin(); entry != entries_.end();)
    if (auto current = entry++;
        std::ranges::find(current->commands, id) != current->commands.end())
      drop(current);
}

void GraphCache::forgetBuffer(uint64_t id) {
  auto uses = [&](const Entry &entry) {
    for (size_t i = 0; i < entry.places.size(); i += hexin_command_t::placeWords)
      if (entry.places[i] == id)
        return true;
    return false;
  };
  for (auto entry = entries_.begin(); entry != entries_.end();)
    if (auto current = entry++; uses(*current))
      drop(current);
}

GraphCache::Entries::iterator GraphCache::find(const Entry &wanted) {
  return std::ranges::find_if(entries_, [&](const Entry &entry) {
    return entry.commands == wanted.commands && entry.places == wanted.places;
  });
}

Result<bool> GraphCache::replay(const hexin_submission &submission, CUstream stream,
                                const LaunchAll &launchAll) {
  Entry wanted;
  for (uint32_t i = 0; i < submission.command_count; ++i) {
    const hexin_command_t &command = *submission.commands[i];
    if (command.isEmpty())
      continue;
    wanted.commands.push_back(command.id());
    command.appendPlaces(submission, wanted.places);
  }
  if (wanted.commands.size() < 2)
    return false; // nothing to gain
  auto entry = find(wanted);
  if (entry == entries_.end()) {
    entries_.push_front(std::move(wanted));
    if (entries_.size() > maxEntries)
      drop(std::prev(entries_.end()));
    return false;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  if (!entry->exec && !entry->isRefused)
    HEXIN_RETURN_IF_ERROR(capture(*entry, launchAll));
  if (entry->isRefused)
    return false;
  if (CUresult code = api_.cuGraphLaunch(entry->exec, stream))
    return cudaStatus(code, "starting a graph of " +
                                std::to_string(entry->commands.size()) + " kernels");
  ++counts_.replayed;
  return true;
}

CUgraphExec GraphCache::takeOldest(const Entry &like) {
  auto isAlike = [&](const Entry &entry) {
    return entry.exec && entry.commands == like.commands;
  };
  if (!api_.cuGraphExecUpdate_v2 || std::ranges::count_if(entries_, isAlike) < maxPlaces)
    return nullptr;
  auto oldest = std::find_if(entries_.rbegin(), entries_.rend(), isAlike);
  CUgraphExec exec = oldest->exec;
  entries_.erase(std::next(oldest).base());
  return exec;
}

Result<CUgraph> GraphCache::record(const LaunchAll &launchAll) {
  if (CUresult code = api_.cuStreamBeginCapture_v2(captureStream_, captureThreadLocal))
    return cudaStatus(code, "beginning a capture");
  Status launched = launchAll(captureStream_);
  CUgraph graph = nullptr;
  CUresult ended = api_.cuStreamEndCapture(captureStream_, &graph);
  if (launched.ok() && ended == cudaSuccess)
    return graph;
  if (graph)
    api_.cuGraphDestroy(graph);
  return launched.ok() ? cudaStatus(ended, "ending a capture") : launched;
}

/// A driver that will not capture or instantiate is no failure: the entry is refused.
/// What fails in a launch would fail without a graph, too.
Status GraphCache::capture(Entry &entry, const LaunchAll &launchAll) {
  auto graph = record(launchAll);
  if (!graph) {
    entry.isRefused = true;
    return graph.status().code() == StatusCode::deviceLost ? graph.status()
                                                           : Status::success();
  }
  GraphUpdateResult result{};
  CUgraphExec reused = takeOldest(entry);
  if (reused && api_.cuGraphExecUpdate_v2(reused, *graph, &result) == cudaSuccess) {
    entry.exec = reused;
    ++counts_.updated;
  } else {
    if (reused)
      api_.cuGraphExecDestroy(reused);
    if (api_.cuGraphInstantiateWithFlags(&entry.exec, *graph, 0) == cudaSuccess) {
      ++counts_.captured;
    } else {
      entry.exec = nullptr;
      entry.isRefused = true;
    }
  }
  api_.cuGraphDestroy(*graph);
  return Status::success();
}

} // namespace hexin::cuda
