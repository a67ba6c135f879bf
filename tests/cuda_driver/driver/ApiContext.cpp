//===- ApiContext.cpp - primary contexts and the thread's current one ----------------===//
#include "tests/cuda_driver/driver/Call.h"

using namespace standin;

namespace {

std::shared_ptr<Context> makeContext(Driver &driver, Device &device) {
  auto context = std::make_shared<Context>();
  context->device = &device;
  context->legacy = std::make_shared<Stream>();
  context->legacy->context = context.get();
  context->legacy->isLegacy = true;
  context->streams.push_back(context->legacy);
  context->handle = driver.contexts.add(context);
  return context;
}

} // namespace

namespace standin {

CUresult cuDevicePrimaryCtxRetain(CUcontext *out, CUdevice ordinal) {
  Call call("cuDevicePrimaryCtxRetain", Needs::initialised);
  if (call.isRefused())
    return call.result();
  Device *device = call.driver.device(ordinal);
  if (!device)
    return call.fail(CUDA_ERROR_INVALID_DEVICE, "no device " + std::to_string(ordinal));
  if (!out)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the context");
  if (device->isLost)
    return call.fail(CUDA_ERROR_DEVICE_UNAVAILABLE, "the device is lost");
  if (!device->primary)
    device->primary = makeContext(call.driver, *device);
  ++device->retains;
  *out = device->primary->handle;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice ordinal) {
  Call call("cuDevicePrimaryCtxRelease", Needs::initialised);
  if (call.isRefused())
    return call.result();
  Device *device = call.driver.device(ordinal);
  if (!device)
    return call.fail(CUDA_ERROR_INVALID_DEVICE, "no device " + std::to_string(ordinal));
  if (device->retains == 0)
    return call.fail(CUDA_ERROR_INVALID_CONTEXT, "the context is not retained");
  if (--device->retains == 0)
    call.driver.destroyContext(call.lock, *device);
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxReset_v2(CUdevice ordinal) {
  Call call("cuDevicePrimaryCtxReset", Needs::initialised);
  if (call.isRefused())
    return call.result();
  Device *device = call.driver.device(ordinal);
  if (!device)
    return call.fail(CUDA_ERROR_INVALID_DEVICE, "no device " + std::to_string(ordinal));
  if (device->primary)
    call.driver.destroyContext(call.lock, *device);
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxGetState(CUdevice ordinal, unsigned *flags, int *active) {
  Call call("cuDevicePrimaryCtxGetState", Needs::initialised);
  if (call.isRefused())
    return call.result();
  Device *device = call.driver.device(ordinal);
  if (!device)
    return call.fail(CUDA_ERROR_INVALID_DEVICE, "no device " + std::to_string(ordinal));
  if (!flags || !active)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the state");
  *flags = device->contextFlags;
  *active = device->primary != nullptr;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice ordinal, unsigned flags) {
  Call call("cuDevicePrimaryCtxSetFlags", Needs::initialised);
  if (call.isRefused())
    return call.result();
  Device *device = call.driver.device(ordinal);
  if (!device)
    return call.fail(CUDA_ERROR_INVALID_DEVICE, "no device " + std::to_string(ordinal));
  if (flags & ~CU_CTX_FLAGS_MASK)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "unknown flags");
  device->contextFlags = flags;
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  Call call("cuCtxSetCurrent", Needs::initialised);
  if (call.isRefused())
    return call.result();
  if (context && !call.driver.contexts.find(context))
    return call.fail(CUDA_ERROR_INVALID_CONTEXT, "the handle is none of a live context");
  std::vector<CUcontext> &stack = contextStack();
  if (!stack.empty())
    stack.pop_back();
  if (context)
    stack.push_back(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *context) {
  Call call("cuCtxGetCurrent", Needs::initialised);
  if (call.isRefused())
    return call.result();
  if (!context)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the context");
  *context = contextStack().empty() ? nullptr : contextStack().back();
  return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
  Call call("cuCtxPushCurrent", Needs::initialised);
  if (call.isRefused())
    return call.result();
  if (!call.driver.contexts.find(context))
    return call.fail(CUDA_ERROR_INVALID_CONTEXT, "the handle is none of a live context");
  contextStack().push_back(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext *context) {
  Call call("cuCtxPopCurrent", Needs::initialised);
  if (call.isRefused())
    return call.result();
  if (contextStack().empty())
    return call.fail(CUDA_ERROR_INVALID_CONTEXT, "no context is current in this thread");
  if (context)
    *context = contextStack().back();
  contextStack().pop_back();
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *device) {
  Call call("cuCtxGetDevice", Needs::context);
  if (call.isRefused())
    return call.result();
  if (!device)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the device");
  *device = call.device().ordinal;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize() {
  Call call("cuCtxSynchronize", Needs::context);
  if (call.isRefused() || call.isForbiddenInCapture())
    return call.result();
  ++call.driver.counted.synchronisations;
  call.driver.completeAll(call.lock, *call.context());
  return call.finish();
}

CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  Call call("cuCtxGetStreamPriorityRange", Needs::context);
  if (call.isRefused())
    return call.result();
  if (least)
    *least = 0;
  if (greatest)
    *greatest = -5;
  return CUDA_SUCCESS;
}

CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned flags) {
  Call call("cuCtxEnablePeerAccess", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Context> other = call.driver.contexts.find(peer);
  if (!other)
    return call.fail(CUDA_ERROR_INVALID_CONTEXT, "the handle is none of a live context");
  if (flags != 0)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "flags must be 0");
  if (other == call.context())
    return call.fail(CUDA_ERROR_INVALID_DEVICE, "a context is no peer of its own");
  if (!call.driver.config.hasPeerAccess)
    return call.fail(CUDA_ERROR_PEER_ACCESS_UNSUPPORTED,
                     "cuDeviceCanAccessPeer has said so");
  if (!call.context()->peers.insert(peer).second)
    return call.fail(CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED, "it was asked for before");
  ++call.driver.counted.peerAccesses;
  return CUDA_SUCCESS;
}

} // namespace standin
