//===- ApiCopy.cpp - copies and memsets ----------------------------------------------===//
//
// What the host sees of a copy depends on its memory: from page-locked memory it is read
// when the copy runs, other memory is read before the call returns; a copy to other
// memory is over when the call returns.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/driver/Call.h"

using namespace standin;

namespace {

enum class Side { host, device, either };

/// Finds the memory that [address, address + bytes) lies in; false: refused.
bool place(Call &call, uint64_t address, uint64_t bytes, Side side, const char *what,
           Place &out) {
  out.address = address;
  out.device = call.driver.deviceOf(address);
  if (side == Side::host ? out.device != nullptr : side == Side::device && !out.device) {
    call.fail(CUDA_ERROR_INVALID_VALUE,
              std::string(what) + (out.device ? " is device memory, host memory expected"
                                              : " is not device memory"));
    return false;
  }
  if (out.device ? !out.device->memory.at(address, bytes) : !address) {
    call.fail(CUDA_ERROR_INVALID_VALUE, std::string(what) + ": " + std::to_string(bytes) +
                                            " bytes do not fit the allocation");
    return false;
  }
  return true;
}

/// Of any context: a copy may run in another device's stream.
CUresult copy(Call &call, uint64_t dst, Side dstSide, uint64_t src, Side srcSide,
              size_t bytes, CUstream handle, bool isAsync) {
  if (call.isRefused() || (!isAsync && call.isForbiddenInCapture()))
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(handle);
  if (!stream || bytes == 0)
    return call.result();
  CopyAction action;
  action.bytes = bytes;
  if (!place(call, dst, bytes, dstSide, "the destination", action.dst) ||
      !place(call, src, bytes, srcSide, "the source", action.src))
    return call.result();
  if (!action.src.device && !action.dst.device)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "neither side is device memory");

  auto isPinned = [&](const Place &side) {
    return call.driver.pinnedAt(side.address, bytes) != call.driver.pinned.end();
  };
  bool readsNow = !action.src.device && !isPinned(action.src) && !stream->capture;
  bool endsNow = !action.dst.device && !isPinned(action.dst) && !stream->capture;
  if (readsNow) {
    auto *begin = reinterpret_cast<const std::byte *>(src);
    action.staged = std::make_shared<std::vector<std::byte>>(begin, begin + bytes);
  }
  std::shared_ptr<Work> work;
  CUresult result = call.driver.submit(call.lock, *stream, std::move(action), {}, &work);
  if (result)
    return call.fail(result, "the stream's capture forbids it");
  // Between two devices' memories (or within one) even the plain call does not wait.
  bool isOnDevice = srcSide == Side::device && dstSide == Side::device;
  if (work && (endsNow || (!isAsync && !isOnDevice)))
    call.driver.complete(call.lock, {work});
  return call.finish(*stream->context);
}

CUresult fill(Call &call, CUdeviceptr dst, uint32_t value, uint32_t elementBytes,
              size_t count, CUstream handle) {
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(handle);
  if (!stream || count == 0)
    return call.result();
  if (dst % elementBytes != 0)
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "the address is not a multiple of the element's size");
  if (count > SIZE_MAX / elementBytes)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "too many elements");
  FillAction action{{}, value, elementBytes, count};
  if (!place(call, dst, count * elementBytes, Side::device, "the destination",
             action.dst))
    return call.result();
  if (CUresult result = call.driver.submit(call.lock, *stream, action))
    return call.fail(result, "the stream's capture forbids it");
  return call.finish(*stream->context);
}

uint64_t number(const void *pointer) { return reinterpret_cast<uint64_t>(pointer); }

} // namespace

namespace standin {

CUresult cuMemcpy(CUdeviceptr dst, CUdeviceptr src, size_t bytes) {
  Call call("cuMemcpy", Needs::context);
  return copy(call, dst, Side::either, src, Side::either, bytes, nullptr, false);
}

CUresult cuMemcpyAsync(CUdeviceptr dst, CUdeviceptr src, size_t bytes, CUstream stream) {
  Call call("cuMemcpyAsync", Needs::context);
  return copy(call, dst, Side::either, src, Side::either, bytes, stream, true);
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr dst, const void *src, size_t bytes) {
  Call call("cuMemcpyHtoD", Needs::context);
  return copy(call, dst, Side::device, number(src), Side::host, bytes, nullptr, false);
}

CUresult cuMemcpyDtoH_v2(void *dst, CUdeviceptr src, size_t bytes) {
  Call call("cuMemcpyDtoH", Needs::context);
  return copy(call, number(dst), Side::host, src, Side::device, bytes, nullptr, false);
}

CUresult cuMemcpyDtoD_v2(CUdeviceptr dst, CUdeviceptr src, size_t bytes) {
  Call call("cuMemcpyDtoD", Needs::context);
  return copy(call, dst, Side::device, src, Side::device, bytes, nullptr, false);
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr dst, const void *src, size_t bytes,
                              CUstream stream) {
  Call call("cuMemcpyHtoDAsync", Needs::context);
  return copy(call, dst, Side::device, number(src), Side::host, bytes, stream, true);
}

CUresult cuMemcpyDtoHAsync_v2(void *dst, CUdeviceptr src, size_t bytes, CUstream stream) {
  Call call("cuMemcpyDtoHAsync", Needs::context);
  return copy(call, number(dst), Side::host, src, Side::device, bytes, stream, true);
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr dst, CUdeviceptr src, size_t bytes,
                              CUstream stream) {
  Call call("cuMemcpyDtoDAsync", Needs::context);
  return copy(call, dst, Side::device, src, Side::device, bytes, stream, true);
}

CUresult cuMemcpyPeerAsync(CUdeviceptr dst, CUcontext dstContext, CUdeviceptr src,
                           CUcontext srcContext, size_t bytes, CUstream stream) {
  Call call("cuMemcpyPeerAsync", Needs::context);
  if (call.isRefused())
    return call.result();
  for (auto [handle, address] : {std::pair{dstContext, dst}, {srcContext, src}}) {
    std::shared_ptr<Context> context = call.driver.contexts.find(handle);
    if (!context)
      return call.fail(CUDA_ERROR_INVALID_CONTEXT,
                       "the handle is none of a live context");
    if (context->error)
      return call.fail(CUresult(context->error), "an earlier kernel broke the context");
    if (bytes && call.driver.deviceOf(address) != context->device)
      return call.fail(CUDA_ERROR_INVALID_VALUE, "the memory is not of that context");
  }
  return copy(call, dst, Side::device, src, Side::device, bytes, stream, true);
}

CUresult cuMemsetD8_v2(CUdeviceptr dst, unsigned char value, size_t count) {
  Call call("cuMemsetD8", Needs::context);
  return fill(call, dst, value, 1, count, nullptr);
}

CUresult cuMemsetD16_v2(CUdeviceptr dst, unsigned short value, size_t count) {
  Call call("cuMemsetD16", Needs::context);
  return fill(call, dst, value, 2, count, nullptr);
}

CUresult cuMemsetD32_v2(CUdeviceptr dst, unsigned value, size_t count) {
  Call call("cuMemsetD32", Needs::context);
  return fill(call, dst, value, 4, count, nullptr);
}

CUresult cuMemsetD8Async(CUdeviceptr dst, unsigned char value, size_t count,
                         CUstream stream) {
  Call call("cuMemsetD8Async", Needs::context);
  return fill(call, dst, value, 1, count, stream);
}

CUresult cuMemsetD16Async(CUdeviceptr dst, unsigned short value, size_t count,
                          CUstream stream) {
  Call call("cuMemsetD16Async", Needs::context);
  return fill(call, dst, value, 2, count, stream);
}

CUresult cuMemsetD32Async(CUdeviceptr dst, unsigned value, size_t count,
                          CUstream stream) {
  Call call("cuMemsetD32Async", Needs::context);
  return fill(call, dst, value, 4, count, stream);
}

} // namespace standin
