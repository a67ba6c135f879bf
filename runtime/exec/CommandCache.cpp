#include "runtime/exec/CommandCache.h"

#include "runtime/base/Hash.h"

namespace hexin {

CommandRef::~CommandRef() {
  if (cached_)
    cache_->release(*cached_);
}

size_t CommandCache::Hash::operator()(const CommandKey &key) const {
  return static_cast<size_t>(hash64(std::as_bytes(std::span(key))));
}

CommandRef CommandCache::hold(CachedCommand &cached) {
  if (cached.holders++ == 0) {
    held_.splice(held_.begin(), idle_, cached.order);
    idleBytes_ -= cached.bytes;
  }
  return CommandRef(*this, cached);
}

CommandRef CommandCache::find(const CommandKey &key) {
  std::lock_guard lock(mutex_);
  auto found = commands_.find(key);
  return found == commands_.end() ? CommandRef() : hold(found->second);
}

CommandRef CommandCache::insert(CommandKey key, Command command, uint64_t bytes) {
  std::list<CachedCommand *> order(1); // first: nothing may fail behind the emplace
  std::lock_guard lock(mutex_);
  auto [entry, isNew] = commands_.try_emplace(std::move(key));
  CachedCommand &cached = entry->second;
  if (!isNew)
    return hold(cached); // `command` goes behind the lock, with the arguments
  cached.command = std::move(command);
  cached.bytes = bytes;
  cached.key = &entry->first;
  cached.order = order.begin();
  *cached.order = &cached;
  held_.splice(held_.begin(), order);
  cached.holders = 1;
  return CommandRef(*this, cached);
}

void CommandCache::release(CachedCommand &cached) {
  {
    std::lock_guard lock(mutex_);
    if (--cached.holders > 0)
      return;
    idle_.splice(idle_.begin(), held_, cached.order);
    idleBytes_ += cached.bytes;
  }
  while (takeExcess()) // what it gives is destroyed here, without the lock
    ;
}

CommandCache::Commands::node_type CommandCache::takeExcess() {
  std::lock_guard lock(mutex_);
  if (idleBytes_ <= maxIdleBytes_)
    return {};
  CachedCommand &oldest = *idle_.back();
  idle_.pop_back();
  idleBytes_ -= oldest.bytes;
  return commands_.extract(commands_.find(*oldest.key));
}

size_t CommandCache::size() const {
  std::lock_guard lock(mutex_);
  return commands_.size();
}

uint64_t CommandCache::idleBytes() const {
  std::lock_guard lock(mutex_);
  return idleBytes_;
}

} // namespace hexin
