//===- CudaDevice.h - one open CUDA device --------------------------------------------===//
//
// The device's primary context (shared with whatever else in the process uses it, so
// that pointers can be handed over) and one stream of ours. All methods are thread-safe
// and leave the caller's current context alone; the commands of one `submit` are not
// interleaved with others.
//
// When a kernel dies it takes the context along (deviceLost): from then on every call
// says so. The context goes with the last who holds it; a device that is closed and
// opened again has a new one.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_CUDADEVICE_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_CUDADEVICE_H

#include "backends/cuda/runtime/Buffer.h"
#include "backends/cuda/runtime/Command.h"
#include "backends/cuda/runtime/CudaApi.h"
#include "backends/cuda/runtime/DeviceList.h"
#include "backends/cuda/runtime/EventPool.h"
#include "backends/cuda/runtime/Graph.h"
#include "backends/cuda/runtime/Module.h"
#include "backends/cuda/runtime/Staging.h"
#include "hexin/status.h"
#include "runtime/device/hexin_device.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

/// A submission in flight.
struct hexin_event_t {
  hexin::cuda::CUevent done = nullptr;
  /// When profiling: before the first command, then behind each.
  std::vector<hexin::cuda::CUevent> marks;
  uint64_t *commandNs = nullptr; ///< the caller's, filled by wait
  uint64_t submittedNs = 0;      ///< steady clock
  std::string firstKernel, lastKernel;
  uint32_t onlyCommand = 0; ///< its number, from 1, where one alone launches something
};

struct hexin_device_t {
public:
  static hexin::Result<std::unique_ptr<hexin_device_t>>
  open(uint32_t index, const hexin_device_options &options);
  /// Everything made by it is gone.
  ~hexin_device_t();

  hexin::Result<std::unique_ptr<hexin_buffer_t>> allocate(uint64_t bytes);
  void release(std::unique_ptr<hexin_buffer_t> buffer);
  /// Memory of this device that somebody else has in the primary context.
  hexin::Result<std::unique_ptr<hexin_buffer_t>> wrap(uint64_t address, uint64_t bytes);
  /// What comes from now on runs behind what is in the CUstream `stream` now.
  hexin::Status waitStream(uint64_t stream);
  hexin::Status copy(const hexin_copy &copy);
  /// From another device, behind what both were given; returns when it is done.
  hexin::Status copyPeer(const hexin_buffer_t &dst, uint64_t dstOffset,
                         hexin_device_t &source, const hexin_buffer_t &src,
                         uint64_t srcOffset, uint64_t length);

  hexin::Result<std::unique_ptr<hexin_module_t>> load(const hexin_image &image);
  void unload(std::unique_ptr<hexin_module_t> module);
  hexin::Result<std::unique_ptr<hexin_command_t>> prepare(const hexin_command_desc &desc);
  void discard(std::unique_ptr<hexin_command_t> command);

  /// `failed` on failure: the number of the command, from 1, where one is to blame.
  hexin::Result<std::unique_ptr<hexin_event_t>> submit(const hexin_submission &submission,
                                                       uint32_t &failed);
  hexin::Status wait(hexin_event_t &event);

  /// "kernels_compiled": images that the driver was given; "graphs_captured",
  /// "graphs_updated", "graphs_replayed": see Graph.h. 0 for other names.
  uint64_t counter(const char *name) const;

private:
  hexin_device_t(const hexin::cuda::CudaApi &api, const hexin::cuda::GpuInfo &gpu);

  hexin::Status create(bool profiles);
  /// Why nothing can be done here any more; success while the device lives.
  hexin::Status usable(const hexin::cuda::CurrentContext &current) const;
  /// Passes `status` on, after remembering that the device is lost if it says so.
  hexin::Status note(hexin::Status status) const;

  hexin::Status bindAndLaunch(const hexin_submission &submission,
                              hexin::cuda::CUstream stream, hexin_event_t *timed,
                              uint32_t &failed);
  hexin::Result<std::unique_ptr<hexin_command_t>>
  prepareLibrary(const hexin_command_desc &desc);
  hexin::Status mark(hexin_event_t *timed);
  hexin::Status enqueue(const hexin_submission &submission, hexin_event_t &event,
                        uint32_t &failed);
  void giveBack(hexin_event_t &event);
  hexin::Status readTimes(const hexin_event_t &event) const;

  hexin::Status checkWrapped(uint64_t address, uint64_t bytes) const;
  hexin::Status checkCopy(const hexin_copy &copy) const;
  hexin::Result<hexin::cuda::CUevent> recordWork();
  void openPathTo(const hexin_device_t &peer);

  const hexin::cuda::CudaApi &api_;
  const hexin::cuda::GpuInfo &gpu_;
  const std::string what_; ///< "cuda:0 (name)"
  hexin::cuda::CUcontext context_ = nullptr;
  hexin::cuda::CUstream stream_ = nullptr, captureStream_ = nullptr;
  std::optional<hexin::cuda::EventPool> events_; // from here to graphs_: set by create
  std::optional<hexin::cuda::Staging> staging_;
  std::optional<hexin::cuda::GraphCache> graphs_; ///< none where the driver has none
  bool profiles_ = false;
  bool checks_ = false; ///< HEXIN_CUDA_CHECK=1: waits for each kernel

  std::mutex ltMutex_;
  /// cuBLASLt here, once a command asked for it; guarded by ltMutex_.
  std::unique_ptr<hexin::cuda::LtContext> lt_;
  std::mutex submitMutex_; ///< what is launched, bound, captured
  std::mutex peersMutex_;
  std::vector<hexin::cuda::CUcontext> peers_; ///< that were asked for; peersMutex_
  mutable std::mutex lostMutex_;
  mutable hexin::Status lost_; // guarded by lostMutex_
  std::atomic<uint64_t> nextId_{1}, compiled_{0};
};

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_CUDADEVICE_H
