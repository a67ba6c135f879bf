//===- Call.h - the first line of every function of the API --------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_DRIVER_CALL_H
#define HEXIN_TESTS_CUDA_DRIVER_DRIVER_CALL_H

#include "tests/cuda_driver/driver/Driver.h"

namespace standin {

enum class Needs {
  nothing,
  initialised,
  context, ///< a current one, that no kernel has broken
  release  ///< a current one; a broken one too: what is given back goes, and the
           ///< context's error is the result of finish()
};

/// Takes the lock for as long as it lives, and checks what any call may fail with.
///
///   Call call("cuMemAlloc", Needs::context);
///   if (call.isRefused())
///     return call.result();
class Call {
public:
  Call(const char *name, Needs needs);

  bool isRefused() const { return result_ != CUDA_SUCCESS; }
  CUresult result() const { return result_; }

  /// Notes why the call fails.
  CUresult fail(CUresult code, const std::string &why);
  /// Success, or what the context died of while the call ran.
  CUresult finish() { return finish(*context_); }
  CUresult finish(const Context &context);
  /// Refuses a call that no capture allows.
  bool isForbiddenInCapture();

  /// The stream of a handle, with the default streams; null (and result()) when it is
  /// none, or its context is broken. `isOfAnyContext`: need not be the current one's.
  std::shared_ptr<Stream> stream(CUstream handle, bool isOfAnyContext = true);

  Driver &driver;
  Lock lock;
  std::shared_ptr<Context> context() const { return context_; }
  Device &device() const { return *context_->device; }

private:
  const char *name_;
  CUresult result_ = CUDA_SUCCESS;
  std::shared_ptr<Context> context_;
};

/// The contexts of this thread, the current one last; handles may be stale.
std::vector<CUcontext> &contextStack();

const char *errorName(CUresult code); ///< null: unknown

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_DRIVER_CALL_H
