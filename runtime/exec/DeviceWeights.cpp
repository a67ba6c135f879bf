// DeviceProgram: weights.
#include "runtime/exec/DeviceProgram.h"

#include "runtime/artifact/DerivedWeights.h"
#include "runtime/artifact/Format.h"

#include <algorithm>
#include <string>
#include <utility>

namespace hexin {
namespace {

using fmt::sizeOf;

/// Unused weights between two used ones are uploaded along up to this size, so
/// that few buffers are made.
constexpr uint64_t maxWeightGapBytes = 64 * 1024;

struct WeightChunk {
  uint64_t begin;
  uint64_t end;
};

/// The parts of the weights section that the device needs, none larger than a
/// buffer may be. Fails when one weight is.
Result<std::vector<WeightChunk>> splitWeights(const fmt::Header &header,
                                              std::span<const uint32_t> used,
                                              uint64_t maxBytes) {
  std::vector<const fmt::Weight *> weights;
  for (uint32_t index : used)
    weights.push_back(header.weights()->Get(index));
  std::sort(weights.begin(), weights.end(), [](const auto *a, const auto *b) {
    return std::pair(a->offset(), a->length()) < std::pair(b->offset(), b->length());
  });
  std::vector<WeightChunk> chunks;
  for (const fmt::Weight *weight : weights) {
    uint64_t end = weight->offset() + weight->length();
    if (weight->length() > maxBytes)
      return resourceExhausted("a weight of " + std::to_string(weight->length()) +
                               " bytes is larger than the device's largest buffer, " +
                               std::to_string(maxBytes) + " bytes");
    if (!chunks.empty() && weight->offset() <= chunks.back().end + maxWeightGapBytes &&
        std::max(end, chunks.back().end) - chunks.back().begin <= maxBytes)
      chunks.back().end = std::max(end, chunks.back().end);
    else
      chunks.push_back({weight->offset(), end});
  }
  return chunks;
}

} // namespace

/// A device with memory of its own is given at first what it reads in any case: of a
/// product that a library may run instead of our kernel, the weights of both would lie
/// there. Where they are the mapping itself that costs nothing.
Status DeviceProgram::loadWeights() {
  const fmt::Header &header = model_->header();
  weightPlaces_.resize(sizeOf(header.weights()));
  std::vector<bool> isCertain(weightPlaces_.size(), device_->canWrapHost());
  std::vector<uint32_t> used;
  for (uint32_t v = 0; v < info_->storage.size(); ++v) {
    if (info_->storage[v] != Storage::weight || !info_->usedOnDevice[v])
      continue;
    uint32_t weight = info_->storageIndex[v];
    if (info_->certainOnDevice[v])
      isCertain[weight] = true;
    if (!std::exchange(weightPlaces_[weight].isOnDevice, true))
      used.push_back(weight);
  }
  // What has no bytes yet, or may not be read, is not in the file's chunks.
  auto firstLate = std::partition(used.begin(), used.end(), [&](uint32_t w) {
    return isCertain[w] && !isDerived(*header.weights()->Get(w));
  });
  for (auto weight = firstLate; weight != used.end(); ++weight)
    late_.push_back({*weight, nullptr, Buffer()});
  used.erase(firstLate, used.end());
  HEXIN_ASSIGN_OR_RETURN(auto chunks,
                         splitWeights(header, used, device_->maxBufferBytes()));

  std::span<const std::byte> section = model_->container.weights();
  for (const WeightChunk &chunk : chunks) {
    uint64_t bytes = chunk.end - chunk.begin;
    weightsOnDevice_ += bytes;
    HEXIN_ASSIGN_OR_RETURN(Buffer buffer,
                           placeWeights(section.subspan(chunk.begin, bytes)));
    weightChunks_.push_back(std::move(buffer));
  }
  for (uint32_t i = 0; i < late_.size(); ++i)
    weightPlaces_[late_[i].weight].chunk =
        static_cast<uint32_t>(weightChunks_.size() + i);
  for (uint32_t weight : used) {
    uint64_t begin = header.weights()->Get(weight)->offset();
    uint64_t end = begin + header.weights()->Get(weight)->length();
    for (uint32_t c = 0; c < chunks.size(); ++c)
      if (begin >= chunks[c].begin && end <= chunks[c].end) {
        weightPlaces_[weight].chunk = c;
        weightPlaces_[weight].offset = begin - chunks[c].begin;
        break;
      }
  }
  return Status::success();
}

Result<Buffer> DeviceProgram::placeWeights(std::span<const std::byte> bytes) const {
  if (device_->canWrapHost()) {
    // Commands only read from weights: the verifier saw to that. A device may refuse
    // memory that is not aligned to its liking.
    auto wrapped = device_->wrapHost(const_cast<std::byte *>(bytes.data()), bytes.size());
    if (wrapped)
      return wrapped;
  }
  HEXIN_ASSIGN_OR_RETURN(Buffer buffer, device_->allocate(bytes.size()));
  HEXIN_RETURN_IF_ERROR(device_->upload(bytes.data(), buffer.get(), 0, bytes.size()));
  return buffer;
}

hexin_buffer *DeviceProgram::weightChunk(uint32_t chunk) const {
  if (chunk < weightChunks_.size())
    return weightChunks_[chunk].get();
  std::lock_guard lock(lateMutex_);
  return late_[chunk - weightChunks_.size()].buffer.get();
}

std::optional<uint32_t> DeviceProgram::lateWeight(uint32_t chunk) const {
  if (chunk < weightChunks_.size() || chunk >= numWeightChunks())
    return std::nullopt;
  return late_[chunk - weightChunks_.size()].weight; // never changes
}

Status DeviceProgram::placeLate(std::span<const uint32_t> weights) const {
  if (weights.empty())
    return Status::success();
  std::lock_guard lock(lateMutex_);
  std::vector<Late *> underived;
  std::vector<uint32_t> indices;
  for (uint32_t weight : weights) {
    Late &entry = late_[weightPlaces_[weight].chunk - weightChunks_.size()];
    if (entry.buffer)
      continue;
    if (isDerived(*model_->header().weights()->Get(weight))) {
      underived.push_back(&entry);
      indices.push_back(weight);
      continue;
    }
    HEXIN_ASSIGN_OR_RETURN(entry.buffer, placeWeights(weightBytes(weight)));
  }
  HEXIN_ASSIGN_OR_RETURN(auto made, makeWeights(*model_, indices, *device_));
  for (size_t i = 0; i < underived.size(); ++i) {
    HEXIN_ASSIGN_OR_RETURN(underived[i]->buffer, placeWeights(made[i]->bytes()));
    underived[i]->bytes = std::move(made[i]);
  }
  return Status::success();
}

uint64_t DeviceProgram::weightLength(uint32_t weight) const {
  return model_->header().weights()->Get(weight)->length();
}

std::span<const std::byte> DeviceProgram::weightBytes(uint32_t weight) const {
  const fmt::Weight *entry = model_->header().weights()->Get(weight);
  if (isDerived(*entry))
    return {};
  return model_->container.weights().subspan(entry->offset(), entry->length());
}

} // namespace hexin
