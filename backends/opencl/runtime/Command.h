//===- Command.h - a prepared kernel launch ----------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_COMMAND_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_COMMAND_H

#include "backends/opencl/runtime/ClApi.h"
#include "backends/opencl/runtime/DeviceList.h"
#include "backends/opencl/runtime/Module.h"
#include "hexin/status.h"
#include "runtime/device/hexin_device.h"

#include <string>
#include <vector>

/// A kernel object with its sizes and scalars set; buffers are set when it is
/// submitted. Used under the device's queue mutex after it was made.
struct hexin_command_t {
public:
  /// Looks the kernel up and sets its scalars. `what` names the device.
  static hexin::Result<std::unique_ptr<hexin_command_t>>
  prepare(const hexin::opencl::ClApi &api, const hexin::opencl::ClDevice &device,
          const hexin_command_desc &desc, const std::string &what);

  const std::string &name() const { return name_; }
  bool isEmpty() const { return globalSize_ == 0; }

  /// Points the bindings at `slots`, after checking each range.
  hexin::Status bind(const hexin_submission &submission);
  /// Enqueues the launch; `event` may be null.
  hexin::Status enqueue(cl_command_queue queue, cl_event *event);

  /// How this launch looks to a driver that compiles per launch form.
  std::string launchForm() const;
  /// A launch of that form in which no item does anything.
  hexin::Status enqueueEmpty(cl_command_queue queue, cl_event *event);

private:
  struct Binding {
    uint32_t slot;
    uint32_t elementBytes;
    uint64_t offset, length;
    uint64_t boundId = 0; ///< buffer and offset that the kernel has now
    uint64_t boundOffset = ~uint64_t(0);
  };

  hexin_command_t(const hexin::opencl::ClApi &api, std::string name, std::string what)
      : api_(api), name_(std::move(name)), what_(std::move(what)) {}

  hexin::Status chooseSizes(const hexin::opencl::ClDevice &device,
                            const hexin_command_desc &desc);
  hexin::Status chooseTeam(const hexin::opencl::ClDevice &device,
                           const hexin_command_desc &desc);
  hexin::Status setScalars(const hexin_command_desc &desc);
  hexin::Status setArg(uint32_t index, size_t bytes, const void *value);
  hexin::Status launch(cl_command_queue queue, size_t globalSize, cl_event *event);

  const hexin::opencl::ClApi &api_;
  std::string name_, what_;
  hexin::opencl::ClKernel kernel_;
  std::vector<Binding> bindings_;
  cl_long items_ = 0;
  uint32_t itemsArg_ = 0;
  size_t globalSize_ = 0, localSize_ = 1;
};

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_COMMAND_H
