//===- DeviceMemory.cpp - buffers, mapping and copies of a device ------------===//
#include "backends/opencl/runtime/ClError.h"
#include "backends/opencl/runtime/OpenclDevice.h"
#include "runtime/base/Checked.h"

#include <cstring>

using namespace hexin;
using namespace hexin::opencl;

// -- Memory -----------------------------------------------------------------------

Result<std::unique_ptr<hexin_buffer_t>> hexin_device_t::createBuffer(uint64_t bytes,
                                                                     void *hostMemory) {
  if (bytes == 0)
    return invalidArgument(what_ + ": a buffer needs at least one byte");
  if (bytes > device_.info.max_buffer_bytes || bytes > SIZE_MAX)
    return resourceExhausted(what_ + ": a buffer of " + std::to_string(bytes) +
                             " bytes; the device's largest is " +
                             std::to_string(device_.info.max_buffer_bytes) +
                             "; split the data or use smaller inputs");
  auto buffer = std::make_unique<hexin_buffer_t>();
  cl_mem_flags flags = CL_MEM_READ_WRITE | (hostMemory ? CL_MEM_USE_HOST_PTR : 0);
  cl_int code = CL_SUCCESS;
  buffer->mem =
      ClMem(api_, api_.clCreateBuffer(context_.get(), flags, bytes, hostMemory, &code));
  if (code != CL_SUCCESS)
    return clStatus(code, what_ + ": allocating " + std::to_string(bytes) + " bytes");
  buffer->id = nextBufferId_++;
  buffer->bytes = bytes;
  buffer->hostMemory = hostMemory;
  return buffer;
}

Result<std::unique_ptr<hexin_buffer_t>> hexin_device_t::allocate(uint64_t bytes) {
  if (!device_.sharesHostMemory || bytes == 0 || bytes > device_.info.max_buffer_bytes)
    return createBuffer(bytes, nullptr);
  // A page boundary and whole cache lines let integrated GPUs use it in place.
  constexpr uint64_t page = 4096;
  std::unique_ptr<void, hexin_buffer_t::FreeHostMemory> memory(
      std::aligned_alloc(page, (bytes + page - 1) / page * page));
  if (!memory)
    return resourceExhausted(what_ + ": no host memory for a buffer of " +
                             std::to_string(bytes) +
                             " bytes; use smaller inputs or fewer sessions");
  HEXIN_ASSIGN_OR_RETURN(auto buffer, createBuffer(bytes, memory.get()));
  buffer->ownedMemory = std::move(memory);
  return buffer;
}

Result<std::unique_ptr<hexin_buffer_t>> hexin_device_t::wrapHost(void *pointer,
                                                                 uint64_t bytes) {
  if (!device_.sharesHostMemory)
    return unsupported(what_ +
                       " has its own memory; copy the data instead of wrapping it");
  // CPUs take any element's alignment; GPUs share whole pages only.
  uint64_t alignment = device_.isCpu ? 16 : 4096;
  if (!pointer || reinterpret_cast<uintptr_t>(pointer) % alignment != 0)
    return invalidArgument(what_ + ": host memory must start at a multiple of " +
                           std::to_string(alignment) +
                           " bytes to be shared; copy it instead");
  HEXIN_ASSIGN_OR_RETURN(auto buffer, createBuffer(bytes, pointer));
  if (!hostPointer(*buffer))
    return unsupported(what_ +
                       ": the driver cannot share this host memory; copy it instead");
  return buffer;
}

void hexin_device_t::release(std::unique_ptr<hexin_buffer_t> buffer) {
  if (!buffer || !buffer->mapped)
    return;
  std::lock_guard lock(queueMutex_);
  cl_event done = nullptr;
  if (api_.clEnqueueUnmapMemObject(queue_.get(), buffer->mem.get(), buffer->hostMemory, 0,
                                   nullptr, &done) != CL_SUCCESS)
    return;
  ClEvent owned(api_, done);
  api_.clWaitForEvents(1, &done); // the caller may free wrapped memory next
}

void *hexin_device_t::hostPointer(hexin_buffer_t &buffer) {
  if (!buffer.hostMemory)
    return nullptr;
  std::lock_guard lock(queueMutex_);
  if (!buffer.mapped && !map(buffer, /*blocking=*/true, nullptr).ok())
    return nullptr;
  return buffer.hostMemory;
}

Status hexin_device_t::map(hexin_buffer_t &buffer, bool blocking, cl_event *event) {
  cl_int code = CL_SUCCESS;
  void *address = api_.clEnqueueMapBuffer(
      queue_.get(), buffer.mem.get(), blocking ? CL_TRUE : CL_FALSE,
      CL_MAP_READ | CL_MAP_WRITE, 0, buffer.bytes, 0, nullptr, event, &code);
  if (code != CL_SUCCESS)
    return clStatus(code, what_ + ": mapping a buffer of " +
                              std::to_string(buffer.bytes) + " bytes");
  buffer.mapped = true;
  if (address != buffer.hostMemory) // OpenCL 1.2, 5.2.4.1 promises this address
    return internalError(what_ + ": the driver moved memory it was told to use in place");
  return Status::success();
}

Status hexin_device_t::unmapForDevice(hexin_buffer_t *buffer) {
  if (!buffer || !buffer->mapped || buffer->epoch == epoch_)
    return Status::success();
  cl_int code = api_.clEnqueueUnmapMemObject(queue_.get(), buffer->mem.get(),
                                             buffer->hostMemory, 0, nullptr, nullptr);
  if (code != CL_SUCCESS)
    return clStatus(code, what_ + ": unmapping a buffer");
  buffer->epoch = epoch_;
  unmapped_.push_back(buffer);
  return Status::success();
}

Status hexin_device_t::remap(cl_event *lastEvent) {
  Status status;
  for (hexin_buffer_t *buffer : unmapped_) {
    bool isLast = buffer == unmapped_.back();
    Status mapped = map(*buffer, /*blocking=*/false, isLast ? lastEvent : nullptr);
    if (status.ok())
      status = mapped;
  }
  unmapped_.clear();
  ++epoch_;
  return status;
}

// -- Copies -----------------------------------------------------------------------

Status hexin_device_t::checkRange(const hexin_buffer_t &buffer, uint64_t offset,
                                  uint64_t length, const char *role) const {
  if (rangeFits(offset, length, buffer.bytes))
    return Status::success();
  return outOfRange(what_ + ": copy " + role + " bytes " + std::to_string(offset) +
                    " .. + " + std::to_string(length) + " of a buffer of " +
                    std::to_string(buffer.bytes) + " bytes");
}

Status hexin_device_t::enqueueCopy(const hexin_copy &copy, cl_event *event) {
  cl_int code;
  if (copy.dst && copy.src)
    code = api_.clEnqueueCopyBuffer(queue_.get(), copy.src->mem.get(),
                                    copy.dst->mem.get(), copy.src_offset, copy.dst_offset,
                                    copy.length, 0, nullptr, event);
  else if (copy.dst)
    code = api_.clEnqueueWriteBuffer(
        queue_.get(), copy.dst->mem.get(), CL_FALSE, copy.dst_offset, copy.length,
        static_cast<const char *>(copy.src_pointer) + copy.src_offset, 0, nullptr, event);
  else
    code = api_.clEnqueueReadBuffer(
        queue_.get(), copy.src->mem.get(), CL_FALSE, copy.src_offset, copy.length,
        static_cast<char *>(copy.dst_pointer) + copy.dst_offset, 0, nullptr, event);
  return clStatus(code, what_ + ": copying " + std::to_string(copy.length) + " bytes");
}

Status hexin_device_t::copy(const hexin_copy &copy) {
  if (copy.length == 0)
    return Status::success();
  if ((!copy.dst && !copy.dst_pointer) || (!copy.src && !copy.src_pointer))
    return invalidArgument(what_ + ": a copy needs a buffer or a pointer on each side");
  if (copy.dst)
    HEXIN_RETURN_IF_ERROR(checkRange(*copy.dst, copy.dst_offset, copy.length, "to"));
  if (copy.src)
    HEXIN_RETURN_IF_ERROR(checkRange(*copy.src, copy.src_offset, copy.length, "from"));
  if (!copy.dst && !copy.src) {
    cl_int code = api_.clFinish(queue_.get());
    if (code != CL_SUCCESS)
      return clStatus(code, what_ + ": waiting before a copy");
    std::memmove(static_cast<char *>(copy.dst_pointer) + copy.dst_offset,
                 static_cast<const char *>(copy.src_pointer) + copy.src_offset,
                 copy.length);
    return Status::success();
  }
  cl_event copied = nullptr, remapped = nullptr;
  Status status;
  {
    std::lock_guard lock(queueMutex_);
    status = unmapForDevice(copy.dst);
    if (status.ok())
      status = unmapForDevice(copy.src);
    if (status.ok())
      status = enqueueCopy(copy, &copied);
    Status mapped = remap(&remapped);
    if (status.ok())
      status = mapped;
    api_.clFlush(queue_.get());
  }
  ClEvent copiedEvent(api_, copied), remappedEvent(api_, remapped);
  cl_event last = remapped ? remapped : copied;
  if (last) {
    cl_int code = api_.clWaitForEvents(1, &last);
    if (status.ok() && code != CL_SUCCESS)
      status =
          clStatus(code, what_ + ": copying " + std::to_string(copy.length) + " bytes");
  }
  return status;
}
