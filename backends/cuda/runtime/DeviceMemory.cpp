//===- DeviceMemory.cpp - buffers and copies of a device ------------------------------===//
#include "backends/cuda/runtime/CudaDevice.h"
#include "backends/cuda/runtime/CudaError.h"
#include "runtime/base/Checked.h"

#include <cstring>

using namespace hexin;
using namespace hexin::cuda;

// -- Memory -----------------------------------------------------------------------

Result<std::unique_ptr<hexin_buffer_t>> hexin_device_t::allocate(uint64_t bytes) {
  if (bytes == 0)
    return invalidArgument(what_ + ": a buffer needs at least one byte");
  if (bytes > gpu_.info.max_buffer_bytes || bytes > SIZE_MAX)
    return resourceExhausted(what_ + ": a buffer of " + std::to_string(bytes) +
                             " bytes; the device has " +
                             std::to_string(gpu_.info.max_buffer_bytes) +
                             "; split the data or use smaller inputs");
  CurrentContext current(api_, context_);
  HEXIN_RETURN_IF_ERROR(usable(current));
  auto buffer = std::make_unique<hexin_buffer_t>();
  bool isOrdered = gpu_.hasMemoryPools && api_.hasStreamOrderedMemory();
  CUresult code = isOrdered ? api_.cuMemAllocAsync(&buffer->address, bytes, stream_)
                            : api_.cuMemAlloc_v2(&buffer->address, bytes);
  if (code != cudaSuccess)
    return note(
        cudaStatus(code, what_ + ": allocating " + std::to_string(bytes) + " bytes"));
  buffer->kind = isOrdered ? hexin_buffer_t::streamOrdered : hexin_buffer_t::plain;
  buffer->bytes = bytes;
  buffer->id = nextId_++;
  return buffer;
}

void hexin_device_t::release(std::unique_ptr<hexin_buffer_t> buffer) {
  if (!buffer)
    return;
  CurrentContext current(api_, context_);
  if (graphs_) {
    std::lock_guard lock(submitMutex_);
    graphs_->forgetBuffer(buffer->id);
  }
  // Of a lost device nothing can be released; its memory goes with the context.
  if (buffer->kind == hexin_buffer_t::streamOrdered)
    api_.cuMemFreeAsync(buffer->address, stream_);
  else if (buffer->kind == hexin_buffer_t::plain)
    api_.cuMemFree_v2(buffer->address);
}

// -- Copies -----------------------------------------------------------------------

Status hexin_device_t::checkCopy(const hexin_copy &copy) const {
  if ((!copy.dst && !copy.dst_pointer) || (!copy.src && !copy.src_pointer))
    return invalidArgument(what_ + ": a copy needs a buffer or a pointer on each side");
  auto check = [&](const hexin_buffer_t *buffer, uint64_t offset, const char *role) {
    if (!buffer || rangeFits(offset, copy.length, buffer->bytes))
      return Status::success();
    return outOfRange(what_ + ": copy " + role + " bytes " + std::to_string(offset) +
                      " .. + " + std::to_string(copy.length) + " of a buffer of " +
                      std::to_string(buffer->bytes) + " bytes");
  };
  HEXIN_RETURN_IF_ERROR(check(copy.dst, copy.dst_offset, "to"));
  HEXIN_RETURN_IF_ERROR(check(copy.src, copy.src_offset, "from"));
  if (copy.dst && copy.dst == copy.src &&
      copy.dst_offset < copy.src_offset + copy.length &&
      copy.src_offset < copy.dst_offset + copy.length)
    return invalidArgument(what_ + ": a copy's two ranges of one buffer overlap");
  return Status::success();
}

Status hexin_device_t::copy(const hexin_copy &copy) {
  if (copy.length == 0)
    return Status::success();
  HEXIN_RETURN_IF_ERROR(checkCopy(copy));
  CurrentContext current(api_, context_);
  HEXIN_RETURN_IF_ERROR(usable(current));
  // Of the host's memory; there is none where a buffer stands instead.
  auto to = [&] { return static_cast<char *>(copy.dst_pointer) + copy.dst_offset; };
  auto from = [&] {
    return static_cast<const char *>(copy.src_pointer) + copy.src_offset;
  };
  Status status;
  if (copy.dst && copy.src)
    status = cudaStatus(api_.cuMemcpyDtoDAsync_v2(copy.dst->address + copy.dst_offset,
                                                  copy.src->address + copy.src_offset,
                                                  copy.length, stream_),
                        "copying on the device");
  else if (copy.dst)
    status = staging_->upload(copy.dst->address + copy.dst_offset, from(), copy.length,
                              stream_);
  else if (copy.src)
    status = staging_->download(to(), copy.src->address + copy.src_offset, copy.length,
                                stream_);
  else {
    status = cudaStatus(api_.cuStreamSynchronize(stream_), "waiting before a copy");
    if (status.ok())
      std::memmove(to(), from(), copy.length);
  }
  return note(status.withContext(what_ + ": a copy of " + std::to_string(copy.length) +
                                 " bytes"));
}
