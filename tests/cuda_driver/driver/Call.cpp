//===- Call.cpp - the first line of every function of the API ------------------------===//
#include "tests/cuda_driver/driver/Call.h"

using namespace standin;

thread_local bool standin::isInHostFunction = false;
thread_local CUstreamCaptureMode standin::threadCaptureMode =
    CU_STREAM_CAPTURE_MODE_GLOBAL;

std::vector<CUcontext> &standin::contextStack() {
  thread_local std::vector<CUcontext> stack;
  thread_local uint64_t generation = 0;
  if (generation != standin::driver().generation) {
    generation = standin::driver().generation;
    stack.clear();
  }
  return stack;
}

const char *standin::errorName(CUresult code) {
  switch (code) {
#define STANDIN_ERROR(name, value, text)                                                 \
  case name:                                                                             \
    return #name;
#include "tests/cuda_driver/driver/Errors.def"
#undef STANDIN_ERROR
  }
  return nullptr;
}

Call::Call(const char *name, Needs needs)
    : driver(standin::driver()), lock(driver.mutex), name_(name) {
  if (isInHostFunction) {
    fail(CUDA_ERROR_NOT_PERMITTED, "a stream's host function may not call the driver");
    return;
  }
  if (needs == Needs::nothing)
    return;
  if (!driver.isInitialised) {
    fail(CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called, or failed");
    return;
  }
  if (needs == Needs::initialised)
    return;
  std::vector<CUcontext> &stack = contextStack();
  if (stack.empty() || !stack.back()) {
    fail(CUDA_ERROR_INVALID_CONTEXT, "no context is current in this thread");
    return;
  }
  context_ = driver.contexts.find(stack.back());
  if (!context_)
    fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the thread's context was released");
  else if (context_->error && needs != Needs::release)
    fail(CUresult(context_->error), "an earlier kernel broke the context");
}

CUresult Call::fail(CUresult code, const std::string &why) {
  const char *codeName = errorName(code);
  std::string text = std::string(name_) + ": " + why + " (" +
                     (codeName ? codeName : std::to_string(code).c_str()) + ")";
  if (driver.config.isVerbose)
    std::fprintf(stderr, "cuda stand-in: %s\n", text.c_str());
  driver.setError(std::move(text));
  return result_ = code;
}

CUresult Call::finish(const Context &context) {
  if (context.error)
    return result_ = CUresult(context.error); // its first report stays the last error
  return result_;
}

bool Call::isForbiddenInCapture() {
  if (!driver.breaksCapture())
    return false;
  fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
       "not allowed while a stream is captured; the capture is invalid now");
  return true;
}

std::shared_ptr<Stream> Call::stream(CUstream handle, bool isOfAnyContext) {
  if (!handle || handle == CU_STREAM_LEGACY_HANDLE)
    return context_->legacy;
  if (handle == CU_STREAM_PER_THREAD_HANDLE) {
    std::shared_ptr<Stream> &stream = context_->perThread[std::this_thread::get_id()];
    if (!stream) {
      stream = std::make_shared<Stream>();
      stream->context = context_.get();
      context_->streams.push_back(stream);
    }
    return stream;
  }
  std::shared_ptr<Stream> stream = driver.streams.find(handle);
  if (!stream) {
    fail(CUDA_ERROR_INVALID_HANDLE, "the stream's handle is none of a live stream");
    return nullptr;
  }
  if (!isOfAnyContext && stream->context != context_.get()) {
    fail(CUDA_ERROR_INVALID_HANDLE, "the stream is of another context than the current");
    return nullptr;
  }
  if (stream->context->error) {
    fail(CUresult(stream->context->error),
         "an earlier kernel broke the stream's context");
    return nullptr;
  }
  return stream;
}
