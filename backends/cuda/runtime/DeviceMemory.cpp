//===- DeviceMemory.cpp - buffers and copies of a device ------------------------------===//
#include "backends/cuda/runtime/CudaDevice.h"
#include "backends/cuda/runtime/CudaError.h"
#include "runtime/base/Checked.h"

#include <cstdio>
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
  if (buffer->kind == hexin_buffer_t::wrapped)
    return; // a graph of it holds the address, which is all that a graph needs
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

// -- Memory of others --------------------------------------------------------------

/// As far as the driver says where things are.
Status hexin_device_t::checkWrapped(uint64_t address, uint64_t bytes) const {
  char where[32];
  std::snprintf(where, sizeof where, "0x%llx", static_cast<unsigned long long>(address));
  std::string what = what_ + ": memory at " + where;
  auto ask = [&](PointerAttribute attribute, auto &value) {
    return api_.cuPointerGetAttribute(&value, attribute, address) == cudaSuccess;
  };
  unsigned type = 0;
  int ordinal = 0;
  if (!ask(pointerMemoryType, type) || !ask(pointerDeviceOrdinal, ordinal))
    return invalidArgument(what + " is none that the driver has given out; it was freed, "
                                  "or is no device address");
  if (type == memoryTypeHost)
    return invalidArgument(what + " is the host's; hand it in as a host tensor");
  if (ordinal != static_cast<int>(gpu_.info.index))
    return invalidArgument(what + " is of device cuda:" + std::to_string(ordinal) +
                           "; copy it to this one, or run on that");
  CUdeviceptr start = 0;
  size_t length = 0;
  if (ask(pointerRangeStart, start) && ask(pointerRangeBytes, length) &&
      !rangeFits(address - start, bytes, length))
    return invalidArgument(what + ": " + std::to_string(bytes) +
                           " bytes are asked for, its allocation ends after " +
                           std::to_string(start + length - address));
  return Status::success();
}

Result<std::unique_ptr<hexin_buffer_t>> hexin_device_t::wrap(uint64_t address,
                                                             uint64_t bytes) {
  CurrentContext current(api_, context_);
  HEXIN_RETURN_IF_ERROR(usable(current));
  HEXIN_RETURN_IF_ERROR(checkWrapped(address, bytes));
  auto buffer = std::make_unique<hexin_buffer_t>();
  buffer->kind = hexin_buffer_t::wrapped;
  buffer->address = address;
  buffer->bytes = bytes;
  buffer->id = address | hexin_buffer_t::isAddress;
  return buffer;
}

Status hexin_device_t::waitStream(uint64_t stream) {
  CurrentContext current(api_, context_);
  HEXIN_RETURN_IF_ERROR(usable(current));
  std::string doing = what_ + ": waiting for the caller's stream";
  HEXIN_ASSIGN_OR_RETURN(CUevent event, events_->take());
  CUresult code = api_.cuEventRecord(event, reinterpret_cast<CUstream>(stream));
  if (code == cudaSuccess)
    code = api_.cuStreamWaitEvent(stream_, event, 0);
  events_->give(event); // a wait holds on to what was recorded when it was made
  if (code == cudaInvalidHandle)
    return invalidArgument(doing +
                           ": it is no live stream of the device's primary context");
  return note(cudaStatus(code, doing));
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
