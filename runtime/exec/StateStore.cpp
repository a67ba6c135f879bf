#include "runtime/exec/StateStore.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/exec/InputCheck.h"

#include <algorithm>
#include <cstring>

namespace hexin {
namespace {

constexpr std::string_view blobMagic = "HXST";
constexpr uint32_t blobVersion = 1;

template <typename T> void put(std::vector<std::byte> &blob, const T &value) {
  auto *bytes = reinterpret_cast<const std::byte *>(&value);
  blob.insert(blob.end(), bytes, bytes + sizeof value);
}

/// Reads a blob from the front; every read is checked.
class BlobReader {
public:
  explicit BlobReader(std::span<const std::byte> blob) : rest(blob) {}

  template <typename T> bool get(T &value) {
    auto bytes = take(sizeof value);
    if (bytes.size() != sizeof value)
      return false;
    std::memcpy(&value, bytes.data(), sizeof value);
    return true;
  }
  /// The next `count` bytes, or fewer when there are none.
  std::span<const std::byte> take(uint64_t count) {
    auto taken = rest.first(static_cast<size_t>(std::min<uint64_t>(count, rest.size())));
    rest = rest.subspan(taken.size());
    return taken;
  }
  bool atEnd() const { return rest.empty(); }

private:
  std::span<const std::byte> rest;
};

Result<uint64_t> byteLength(DType dtype, std::span<const int64_t> dims) {
  auto elements = checkedNumElements(dims);
  auto bytes = elements ? checkedMul(*elements, byteWidth(dtype)) : std::nullopt;
  if (!bytes)
    return invalidArgument("the sizes " + formatDims(dims) +
                           " of a state overflow 64 bits");
  return static_cast<uint64_t>(*bytes);
}

} // namespace

Status StateStore::initialise(uint32_t state, std::span<const int64_t> dims) {
  // First: the device knows what it can hold before the contents are made.
  HEXIN_ASSIGN_OR_RETURN(uint64_t bytes, byteLength(model_.states[state].dtype, dims));
  HEXIN_RETURN_IF_ERROR(memory_.reserve(memory_.slots().state(state), bytes));
  HEXIN_ASSIGN_OR_RETURN(Tensor value, initialValue(state, dims));
  return write(state, dims, value.data(), value.byteLength());
}

Result<Tensor> StateStore::initialValue(uint32_t state,
                                        std::span<const int64_t> dims) const {
  HEXIN_ASSIGN_OR_RETURN(Tensor value,
                         Tensor::allocate(model_.states[state].dtype, dims));
  std::memset(value.data(), 0, value.byteLength());
  if (model_.header().states()->Get(state)->random())
    value.as<int64_t>()[0] = static_cast<int64_t>(seed_);
  return value;
}

Status StateStore::write(uint32_t state, std::span<const int64_t> dims, const void *data,
                         uint64_t bytes) {
  uint32_t slot = memory_.slots().state(state);
  HEXIN_RETURN_IF_ERROR(memory_.reserve(slot, bytes));
  HEXIN_RETURN_IF_ERROR(memory_.upload(slot, 0, data, bytes));
  states_[state].dims.assign(dims.begin(), dims.end());
  states_[state].isSet = true;
  return Status::success();
}

void StateStore::advance(uint32_t state, std::span<const int64_t> dims, bool isInPlace) {
  if (!isInPlace)
    memory_.swap(memory_.slots().state(state), memory_.slots().nextState(state));
  states_[state].dims.assign(dims.begin(), dims.end());
}

Result<uint32_t> StateStore::find(const std::string &name) const {
  std::string names;
  for (uint32_t i = 0; i < model_.states.size(); ++i) {
    if (model_.states[i].name == name)
      return i;
    names += (names.empty() ? "'" : ", '") + model_.states[i].name + "'";
  }
  return notFound("the model has no state '" + name + "'; its states are " +
                  (names.empty() ? "none" : names));
}

Status StateStore::check(uint32_t state, DType dtype,
                         std::span<const int64_t> dims) const {
  const StateInfo &info = model_.states[state];
  bool fits = dtype == info.dtype && dims.size() == info.dims.size();
  for (size_t axis = 0; fits && axis < dims.size(); ++axis)
    fits = dims[axis] >= 0 && (info.dims[axis] < 0 || dims[axis] == info.dims[axis]);
  if (!fits)
    return invalidArgument("state '" + info.name + "': expected " +
                           std::string(toString(info.dtype)) + " " +
                           formatDims(info.dims) + " (-1 for any size), got " +
                           std::string(toString(dtype)) + " " + formatDims(dims));
  return Status::success();
}

Result<Tensor> StateStore::read(uint32_t state) {
  std::vector<int64_t> dims = states_[state].dims;
  if (!states_[state].isSet) { // as the first run would find it
    dims = model_.states[state].dims;
    const auto *first = model_.header().states()->Get(state)->first_dims();
    for (uint32_t axis = 0; axis < dims.size(); ++axis)
      if (dims[axis] < 0)
        dims[axis] = std::max<int64_t>(fmt::sizeOf(first) ? first->Get(axis) : 0, 0);
  }
  if (!states_[state].isSet)
    return initialValue(state, dims);
  HEXIN_ASSIGN_OR_RETURN(Tensor value,
                         Tensor::allocate(model_.states[state].dtype, dims));
  HEXIN_RETURN_IF_ERROR(memory_.download(memory_.slots().state(state), 0, value.data(),
                                         value.byteLength()));
  return value;
}

Result<Tensor> StateStore::get(const std::string &name) {
  HEXIN_ASSIGN_OR_RETURN(uint32_t state, find(name));
  return read(state);
}

Status StateStore::set(const std::string &name, const Tensor &value) {
  HEXIN_ASSIGN_OR_RETURN(uint32_t state, find(name));
  HEXIN_RETURN_IF_ERROR(check(state, value.dtype(), value.dims()));
  if (!value.isOnHost())
    return invalidArgument("state '" + name +
                           "': expected a tensor on the host, got one "
                           "on '" +
                           value.device() + "'; copyTo() brings it there");
  return write(state, value.dims(), value.data(), value.byteLength());
}

void StateStore::reset(uint32_t state) { states_[state].isSet = false; }

void StateStore::reset() {
  for (State &state : states_)
    state.isSet = false;
}

Result<std::vector<std::byte>> StateStore::exportAll() {
  std::vector<std::byte> blob;
  auto magic = std::as_bytes(std::span(blobMagic));
  blob.insert(blob.end(), magic.begin(), magic.end());
  put(blob, blobVersion);
  put(blob, size());
  for (uint32_t i = 0; i < size(); ++i) {
    HEXIN_ASSIGN_OR_RETURN(Tensor value, read(i));
    auto name = std::as_bytes(std::span(model_.states[i].name));
    put(blob, static_cast<uint32_t>(name.size()));
    blob.insert(blob.end(), name.begin(), name.end());
    put(blob, static_cast<uint32_t>(value.dtype()));
    put(blob, static_cast<uint32_t>(value.dims().size()));
    for (int64_t dim : value.dims())
      put(blob, dim);
    auto *data = static_cast<const std::byte *>(value.data());
    blob.insert(blob.end(), data, data + value.byteLength());
  }
  return blob;
}

Status StateStore::importAll(std::span<const std::byte> blob) {
  struct Entry {
    uint32_t state;
    std::vector<int64_t> dims;
    std::span<const std::byte> contents;
  };
  const Status cutOff = corruptData("the exported state is cut off or damaged");
  BlobReader reader(blob);
  auto magic = reader.take(blobMagic.size());
  if (magic.size() != blobMagic.size() ||
      std::memcmp(magic.data(), blobMagic.data(), magic.size()) != 0)
    return corruptData("this is no exported state: it does not start with 'HXST'");
  uint32_t version, count;
  if (!reader.get(version) || !reader.get(count))
    return cutOff;
  if (version != blobVersion)
    return versionMismatch("exported state of version " + std::to_string(version) +
                           "; this build reads " + std::to_string(blobVersion));
  if (count != size())
    return invalidArgument("the exported state has " + std::to_string(count) +
                           " states, the model " + std::to_string(size()));
  // All is checked before anything is changed.
  std::vector<Entry> entries;
  std::vector<bool> isSeen(size());
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t nameLength, dtype, rank;
    if (!reader.get(nameLength))
      return cutOff;
    auto name = reader.take(nameLength);
    if (name.size() != nameLength || !reader.get(dtype) || !reader.get(rank))
      return cutOff;
    HEXIN_ASSIGN_OR_RETURN(
        uint32_t state,
        find(std::string(reinterpret_cast<const char *>(name.data()), name.size())));
    if (isSeen[state] || dtype > static_cast<uint32_t>(DType::f4e2m1) ||
        rank != model_.states[state].dims.size())
      return cutOff;
    isSeen[state] = true;
    Entry entry{state, std::vector<int64_t>(rank), {}};
    for (int64_t &dim : entry.dims)
      if (!reader.get(dim))
        return cutOff;
    HEXIN_RETURN_IF_ERROR(check(state, static_cast<DType>(dtype), entry.dims));
    HEXIN_ASSIGN_OR_RETURN(uint64_t bytes,
                           byteLength(static_cast<DType>(dtype), entry.dims));
    entry.contents = reader.take(bytes);
    if (entry.contents.size() != bytes)
      return cutOff;
    entries.push_back(std::move(entry));
  }
  if (!reader.atEnd())
    return cutOff;
  for (const Entry &entry : entries)
    HEXIN_RETURN_IF_ERROR(
        write(entry.state, entry.dims, entry.contents.data(), entry.contents.size()));
  return Status::success();
}

} // namespace hexin
