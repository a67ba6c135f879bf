#include "tests/backends/cpu/CpuApi.h"

#include <cstdlib>
#include <dlfcn.h>
#include <iostream>

namespace hexin::test {

const hexin_device_api &cpuApi() {
  static const hexin_device_api *api = [] {
    void *library = dlopen(HEXIN_BACKEND_CPU_FILE, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      std::cerr << dlerror() << "\n";
      std::exit(1);
    }
    auto query =
        reinterpret_cast<hexin_backend_query_fn>(dlsym(library, "hexin_backend_query"));
    return query(HEXIN_DEVICE_ABI_MAJOR);
  }();
  return *api;
}

std::string runCommand(hexin_device *device, const hexin_command_desc &desc,
                       std::span<const hexin_slot> slots, int repeats) {
  const hexin_device_api &api = cpuApi();
  hexin_error error{};
  error.struct_size = sizeof(error);
  hexin_command *command = nullptr;
  bool isRight = api.prepare(device, &desc, &command, &error) == 0;
  if (isRight) {
    hexin_submission submission{};
    submission.struct_size = sizeof(submission);
    submission.command_count = 1;
    submission.commands = &command;
    submission.slots = slots.data();
    submission.slot_count = slots.size();
    for (int i = 0; i < repeats && isRight; ++i) {
      hexin_event *event = nullptr;
      isRight = api.submit(device, &submission, &event, &error) == 0 &&
                api.wait(device, event, &error) == 0;
    }
    api.discard(device, command);
  }
  for (const hexin_slot &slot : slots)
    api.release(device, slot.buffer);
  return isRight ? "" : error.message;
}

} // namespace hexin::test
