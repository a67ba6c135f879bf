//===- CommandCache.h - prepared commands, shared by plans and sessions -----------===//
//
// A command is prepared against slots, offsets in them, params and sizes; not against
// memory. So whoever needs the same launch of the same program on the same device may
// use the same command: the next iteration of a loop, a plan for other sizes that this
// launch does not hang on, another session. One cache per DeviceProgram.
//
// Plans hold commands by CommandRef. What no plan holds is kept, most recently held
// last to go, up to a budget; what plans hold counts in their own (PlanCache).
//
// Thread-safe. Nothing is prepared under its lock: two sessions may prepare the same
// command at once, and one of the two is dropped.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_COMMANDCACHE_H
#define HEXIN_RUNTIME_EXEC_COMMANDCACHE_H

#include "runtime/device/Device.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hexin {

class CommandCache;

/// Everything that a command hangs on, as numbers: PlanBuilder makes it.
using CommandKey = std::vector<int64_t>;

struct CachedCommand {
  Command command;
  uint64_t bytes = 0; ///< a guess: what a device keeps per command is not known
  // -- CommandCache
  uint64_t holders = 0;
  std::list<CachedCommand *>::iterator order; // in CommandCache::held_ or idle_
  const CommandKey *key = nullptr;
};

/// Holds a command; an empty one holds none. The cache outlives it.
class CommandRef {
public:
  CommandRef() = default;
  CommandRef(CommandRef &&other) noexcept
      : cache_(other.cache_), cached_(std::exchange(other.cached_, nullptr)) {}
  CommandRef &operator=(CommandRef &&other) noexcept {
    std::swap(cache_, other.cache_);
    std::swap(cached_, other.cached_);
    return *this;
  }
  ~CommandRef();

  explicit operator bool() const { return cached_; }
  hexin_command *get() const { return cached_->command.get(); }
  uint64_t bytes() const { return cached_->bytes; }

private:
  friend class CommandCache;
  CommandRef(CommandCache &cache, CachedCommand &cached)
      : cache_(&cache), cached_(&cached) {}

  CommandCache *cache_ = nullptr;
  CachedCommand *cached_ = nullptr;
};

class CommandCache {
public:
  /// `maxIdleBytes`: of commands that nobody holds.
  explicit CommandCache(uint64_t maxIdleBytes) : maxIdleBytes_(maxIdleBytes) {}
  CommandCache(const CommandCache &) = delete;
  CommandCache &operator=(const CommandCache &) = delete;

  /// The command of `key`, or an empty reference.
  CommandRef find(const CommandKey &key);
  /// Adds a command; gives the one that is there where somebody was faster.
  CommandRef insert(CommandKey key, Command command, uint64_t bytes);

  /// All commands, held or not.
  size_t size() const;
  uint64_t idleBytes() const;

private:
  friend class CommandRef;
  struct Hash {
    size_t operator()(const CommandKey &key) const;
  };
  using Commands = std::unordered_map<CommandKey, CachedCommand, Hash>;
  CommandRef hold(CachedCommand &cached); // mutex_ held
  // These two allocate nothing: destructors call them.
  void release(CachedCommand &cached);
  /// Takes out what is over the budget, one at a time; empty when nothing is.
  Commands::node_type takeExcess();

  const uint64_t maxIdleBytes_;
  mutable std::mutex mutex_; // guards everything below
  Commands commands_;
  std::list<CachedCommand *> held_; // in no order
  std::list<CachedCommand *> idle_; // most recently held first
  uint64_t idleBytes_ = 0;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_COMMANDCACHE_H
