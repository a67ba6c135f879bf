//===- PeerCopy.cpp - copies between devices ------------------------------------------===//
//
// The driver copies straight where the one device may access the other's memory, and
// through the host's memory in pieces of its own where it may not.
//
//===----------------------------------------------------------------------===//
#include "backends/cuda/runtime/CudaDevice.h"
#include "backends/cuda/runtime/CudaError.h"
#include "runtime/base/Checked.h"

#include <algorithm>

using namespace hexin;
using namespace hexin::cuda;

/// An event behind what the device was given so far; to be given back to events_.
Result<CUevent> hexin_device_t::recordWork() {
  CurrentContext current(api_, context_);
  HEXIN_RETURN_IF_ERROR(usable(current));
  HEXIN_ASSIGN_OR_RETURN(CUevent event, events_->take());
  CUresult code = api_.cuEventRecord(event, stream_);
  if (code == cudaSuccess)
    return event;
  events_->give(event);
  return note(cudaStatus(code, what_ + ": marking what a copy waits for"));
}

/// Once for each. What the driver says is no matter: without access it copies too.
void hexin_device_t::openPathTo(const hexin_device_t &peer) {
  std::lock_guard lock(peersMutex_);
  if (std::ranges::find(peers_, peer.context_) != peers_.end())
    return;
  peers_.push_back(peer.context_);
  int can = 0;
  if (api_.cuDeviceCanAccessPeer && api_.cuCtxEnablePeerAccess &&
      api_.cuDeviceCanAccessPeer(&can, gpu_.id, peer.gpu_.id) == cudaSuccess && can)
    api_.cuCtxEnablePeerAccess(peer.context_, 0);
}

Status hexin_device_t::copyPeer(const hexin_buffer_t &dst, uint64_t dstOffset,
                                hexin_device_t &source, const hexin_buffer_t &src,
                                uint64_t srcOffset, uint64_t length) {
  std::string doing =
      what_ + ": a copy of " + std::to_string(length) + " bytes from " + source.what_;
  if (!api_.cuMemcpyPeerAsync)
    return unsupported(doing + ": the driver has none between devices");
  if (!rangeFits(dstOffset, length, dst.bytes) ||
      !rangeFits(srcOffset, length, src.bytes))
    return outOfRange(doing + " goes beyond a buffer: of " + std::to_string(src.bytes) +
                      " bytes from " + std::to_string(srcOffset) + " on, of " +
                      std::to_string(dst.bytes) + " from " + std::to_string(dstOffset) +
                      " on");
  HEXIN_ASSIGN_OR_RETURN(CUevent written, source.recordWork());
  CurrentContext current(api_, context_);
  Status status = usable(current);
  if (status.ok()) {
    openPathTo(source);
    CUresult code = api_.cuStreamWaitEvent(stream_, written, 0);
    if (code == cudaSuccess)
      code = api_.cuMemcpyPeerAsync(dst.address + dstOffset, context_,
                                    src.address + srcOffset, source.context_, length,
                                    stream_);
    if (code == cudaSuccess)
      code = api_.cuStreamSynchronize(stream_);
    status = cudaStatus(code, doing);
  }
  source.events_->give(written);
  // A driver that does not copy so is no failure: the host's way is left.
  bool isFinal = status.ok() || status.code() == StatusCode::deviceLost ||
                 status.code() == StatusCode::resourceExhausted;
  return isFinal ? status : unsupported(status.message());
}
