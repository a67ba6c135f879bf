//===- DeviceProgram.h - a model's program loaded on a device --------------------===//
//
// Code and weights on the device: loaded once per (model, device) in a process
// and shared by its sessions. Weights of devices with host memory are the mapping
// itself, without a copy.
//
// Immutable after load but for its commands and the weights that come late, which are
// guarded: safe from all threads.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_DEVICEPROGRAM_H
#define HEXIN_RUNTIME_EXEC_DEVICEPROGRAM_H

#include "runtime/artifact/ModelImpl.h"
#include "runtime/device/Device.h"
#include "runtime/exec/CommandCache.h"
#include "runtime/exec/MadeWeights.h"
#include "runtime/exec/ProgramInfo.h"

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hexin {

class DeviceProgram {
public:
  /// The program of `model` for `device`, loaded or shared. notFound when the
  /// model has none for it; unsupported when the device cannot take its code.
  static Result<std::shared_ptr<const DeviceProgram>>
  load(std::shared_ptr<const Model::Impl> model, std::shared_ptr<Device> device);

  struct WeightPlace {
    uint32_t chunk = 0;
    uint64_t offset = 0; ///< in the chunk
    bool isOnDevice = false;
  };

  const Model::Impl &model() const { return *model_; }
  const Device &device() const { return *device_; }
  const std::shared_ptr<Device> &sharedDevice() const { return device_; }
  const ProgramInfo &info() const { return *info_; }
  std::span<const Module> modules() const { return modules_; }
  /// Launches of this program that were prepared for its sessions.
  CommandCache &commands() const { return *commands_; }
  /// Buffers of weights: parts of the file, and behind them one per weight that comes
  /// late: one that is made out of another, or that only some variants of launches read
  /// and the device cannot read where it is.
  uint32_t numWeightChunks() const {
    return static_cast<uint32_t>(weightChunks_.size() + late_.size());
  }
  /// Null for a late weight that nobody has asked for yet.
  hexin_buffer *weightChunk(uint32_t chunk) const;
  /// The weight of a chunk that comes late.
  std::optional<uint32_t> lateWeight(uint32_t chunk) const;
  /// Makes and uploads those of these late weights that are not there, on the device's
  /// threads: they stay as long as this.
  Status placeLate(std::span<const uint32_t> weights) const;
  const WeightPlace &weightPlace(uint32_t weight) const { return weightPlaces_[weight]; }
  /// Whether the device has the teams that kernel `kernel` wants, if any.
  bool runsHere(const fmt::Kernel &kernel) const;
  uint64_t weightLength(uint32_t weight) const;
  /// The weight's bytes in the mapping; none of one that is made out of another.
  std::span<const std::byte> weightBytes(uint32_t weight) const;

private:
  DeviceProgram() = default;
  Status check(const fmt::Program &program) const;
  Status checkTeams() const;
  Status loadImages();
  std::string describeLoaded() const;
  Status loadWeights();
  /// Those bytes for the device: in place where it can, else a copy.
  Result<Buffer> placeWeights(std::span<const std::byte> bytes) const;

  struct Late {
    uint32_t weight;
    std::shared_ptr<const WeightBytes> bytes; // of one that is made; before its buffer
    Buffer buffer;
  };

  std::shared_ptr<const Model::Impl> model_;
  std::shared_ptr<Device> device_; // before what lives on it
  std::unique_ptr<ProgramInfo> info_;
  std::vector<Module> modules_;
  std::unique_ptr<CommandCache> commands_; // goes before what commands are made of
  std::vector<Buffer> weightChunks_;
  std::vector<WeightPlace> weightPlaces_;
  mutable std::mutex lateMutex_; // guards bytes and buffers of late_
  mutable std::vector<Late> late_;
  std::string imageArch_;        ///< the images' arch, of those the model has
  uint64_t weightsOnDevice_ = 0; ///< bytes
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_DEVICEPROGRAM_H
