//===- ApiModule.cpp - modules and functions -----------------------------------------===//
#include "tests/cuda_driver/driver/Call.h"
#include "tests/cuda_driver/driver/Ptxas.h"

#include <cstring>

using namespace standin;

namespace {

constexpr int plainShared = 48 << 10; ///< bytes of a block without cuFuncSetAttribute

/// The newest PTX ISA (80: 8.0) that a driver of a CUDA version reads.
int newestPtx(int driverVersion) {
  int major = driverVersion / 1000, minor = driverVersion % 1000 / 10;
  if (major < 11)
    return major == 10 ? 63 + std::min(minor, 2) : 60;
  if (major == 11)
    return 70 + std::min(minor, 8);
  if (major == 12) {
    constexpr int ofMinor[] = {80, 81, 82, 83, 84, 85, 85, 86, 87, 88};
    return ofMinor[std::min(minor, 9)];
  }
  return 90 + (major - 13) * 10 + minor;
}

/// What the head of a text says, before the rest is read.
struct Head {
  int version = 0, target = 0; ///< 0: not said
  std::string suffix;          ///< "a" or "f" of the target
};

Head readHead(std::string_view text) {
  Head head;
  while (!text.empty() && !head.target) {
    std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    int major = 0, minor = 0, end = 0;
    if (std::sscanf(line.c_str(), " .version %d.%d", &major, &minor) == 2)
      head.version = major * 10 + minor;
    else if (std::sscanf(line.c_str(), " .target sm_%d%n", &head.target, &end) == 1 &&
             std::isalpha(static_cast<unsigned char>(line[size_t(end)])))
      head.suffix = line[size_t(end)];
  }
  return head;
}

/// Where the caller wants to read what is wrong with a text.
struct ErrorLog {
  ErrorLog(unsigned count, const CUjit_option *options, void **values) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
        buffer = static_cast<char *>(values[i]);
      else if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
        bytes = unsigned(reinterpret_cast<uintptr_t>(values[i]));
    write("");
  }
  void write(const std::string &text) {
    if (buffer && bytes)
      std::snprintf(buffer, bytes, "%s", text.c_str());
  }
  char *buffer = nullptr;
  unsigned bytes = 0;
};

CUresult checkHead(Call &call, const Head &head) {
  const Profile &profile = call.device().profile;
  if (!head.version || !head.target)
    return call.fail(CUDA_ERROR_INVALID_PTX,
                     "the text has no .version, or no .target sm_NN");
  int newest = newestPtx(call.driver.config.driverVersion);
  if (head.version > newest)
    return call.fail(CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
                     "PTX ISA " + std::to_string(head.version) + ", this driver reads " +
                         std::to_string(newest) + " at most (in tenths)");
  bool runs = head.suffix == "a"   ? head.target == profile.capability
              : head.suffix == "f" ? head.target / 10 == profile.capability / 10 &&
                                         head.target <= profile.capability
                                   : head.target <= profile.capability;
  if (!runs)
    return call.fail(CUDA_ERROR_NO_BINARY_FOR_GPU,
                     "the module is for sm_" + std::to_string(head.target) + head.suffix +
                         ", the device is " + profile.arch);
  return CUDA_SUCCESS;
}

/// Allocates and fills the module's variables; false: no room.
bool placeGlobals(Device &device, LoadedModule &loaded) {
  for (const Global &global : loaded.module->globals) {
    std::optional<DeviceAddress> address =
        device.memory.allocate(std::max<uint64_t>(global.bytes, 1));
    if (!address)
      return false;
    loaded.globals[global.name] = *address;
    std::byte *begin = device.memory.at(*address, global.bytes);
    std::memset(begin, 0, global.bytes);
    std::memcpy(begin, global.init.data(),
                std::min<size_t>(global.init.size(), global.bytes));
  }
  return true;
}

void releaseGlobals(Device &device, const LoadedModule &loaded) {
  for (const auto &[name, address] : loaded.globals)
    device.memory.release(address);
}

CUresult load(Call &call, CUmodule *out, const void *image, ErrorLog log) {
  Driver &driver = call.driver;
  if (!out || !image)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no image, or nowhere to put the handle");
  if (driver.config.failModule.strikes())
    return call.fail(CUDA_ERROR_INVALID_IMAGE, "told to fail (FAIL_MODULE)");
  auto *text = static_cast<const char *>(image);
  if (!std::strncmp(text, "\x7F\x45LF", 4) || !std::strncmp(text, "\x50\xED\x55\xBA", 4))
    return call.fail(CUDA_ERROR_NO_BINARY_FOR_GPU,
                     "machine code; the stand-in runs PTX text only");

  Head head = readHead(text);
  if (CUresult result = checkHead(call, head))
    return result;
  auto loaded = std::make_shared<LoadedModule>();
  loaded->context = call.context().get();
  if (!driver.config.ptxas.empty()) {
    std::string arch = head.suffix.empty()
                           ? call.device().profile.arch
                           : "sm_" + std::to_string(head.target) + head.suffix;
    Verdict verdict = askPtxas(driver.config.ptxas, text, arch);
    if (!verdict.isAccepted) {
      log.write(verdict.log);
      return call.fail(CUDA_ERROR_INVALID_PTX, "ptxas refused the text: " + verdict.log);
    }
    loaded->registers = std::move(verdict.registers);
  }
  auto parsed = parseModule(text);
  if (auto *error = std::get_if<ParseError>(&parsed)) {
    std::string why = "line " + std::to_string(error->line) + ": " + error->message;
    log.write(why);
    return call.fail(CUDA_ERROR_INVALID_PTX, why);
  }
  loaded->module = std::move(std::get<std::unique_ptr<Module>>(parsed));
  if (!placeGlobals(call.device(), *loaded)) {
    releaseGlobals(call.device(), *loaded);
    return call.fail(CUDA_ERROR_OUT_OF_MEMORY, "no room for the module's variables");
  }
  *out = driver.modules.add(loaded);
  return call.finish();
}

std::shared_ptr<Function> findFunction(Call &call, CUfunction handle) {
  std::shared_ptr<Function> function = call.driver.functions.find(handle);
  if (!function)
    call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a live function");
  return function;
}

} // namespace

namespace standin {

CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  Call call("cuModuleLoadData", Needs::context);
  if (call.isRefused() || call.isForbiddenInCapture())
    return call.result();
  return load(call, module, image, ErrorLog(0, nullptr, nullptr));
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned optionCount,
                            CUjit_option *options, void **optionValues) {
  Call call("cuModuleLoadDataEx", Needs::context);
  if (call.isRefused() || call.isForbiddenInCapture())
    return call.result();
  if (optionCount && (!options || !optionValues))
    return call.fail(CUDA_ERROR_INVALID_VALUE, "options without their arrays");
  for (unsigned i = 0; i < optionCount; ++i)
    if (options[i] >= CU_JIT_NUM_OPTIONS)
      return call.fail(CUDA_ERROR_INVALID_VALUE, "an unknown option");
  return load(call, module, image, ErrorLog(optionCount, options, optionValues));
}

CUresult cuModuleUnload(CUmodule handle) {
  Call call("cuModuleUnload", Needs::release);
  if (call.isRefused() || call.isForbiddenInCapture())
    return call.result();
  std::shared_ptr<LoadedModule> module = call.driver.modules.find(handle);
  if (!module)
    return call.fail(CUDA_ERROR_INVALID_HANDLE,
                     "the handle is none of a live module (unloaded twice?)");
  // What was queued may use it to its end.
  Context &context = *module->context;
  call.driver.modules.remove(handle);
  call.driver.completeAll(call.lock, context);
  for (const auto &[name, function] : module->functions)
    call.driver.functions.remove(function);
  releaseGlobals(*context.device, *module);
  return call.finish();
}

CUresult cuModuleGetFunction(CUfunction *out, CUmodule handle, const char *name) {
  Call call("cuModuleGetFunction", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<LoadedModule> module = call.driver.modules.find(handle);
  if (!module)
    return call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a live module");
  if (!out || !name)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no name, or nowhere to put the handle");
  CUfunction &function = module->functions[name];
  if (!function) {
    auto hasName = [&](const Entry &entry) { return entry.name == name; };
    auto entry = std::ranges::find_if(module->module->entries, hasName);
    if (entry == module->module->entries.end()) {
      module->functions.erase(name);
      return call.fail(CUDA_ERROR_NOT_FOUND,
                       "the module has no kernel '" + std::string(name) + "'");
    }
    auto made = std::make_shared<Function>();
    made->module = module;
    made->entry = &*entry;
    made->maxDynamicShared = plainShared - int(entry->staticSharedBytes);
    // Without ptxas a guess that never stands in the way of a full block.
    auto known = module->registers.find(name);
    made->registers = known != module->registers.end()
                          ? known->second
                          : int(std::min(entry->registers, 64u));
    function = call.driver.functions.add(made);
  }
  *out = function;
  return call.finish();
}

CUresult cuModuleGetGlobal_v2(CUdeviceptr *address, size_t *bytes, CUmodule handle,
                              const char *name) {
  Call call("cuModuleGetGlobal", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<LoadedModule> module = call.driver.modules.find(handle);
  if (!module)
    return call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a live module");
  if (!name)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no name");
  for (const Global &global : module->module->globals) {
    if (global.name != name)
      continue;
    if (address)
      *address = module->globals[name];
    if (bytes)
      *bytes = global.bytes;
    return call.finish();
  }
  return call.fail(CUDA_ERROR_NOT_FOUND,
                   "the module has no variable '" + std::string(name) + "'");
}

CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute,
                            CUfunction handle) {
  Call call("cuFuncGetAttribute", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Function> function = findFunction(call, handle);
  if (!function)
    return call.result();
  if (!value)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the answer");
  const Entry &entry = *function->entry;
  auto said = [](const std::array<uint32_t, 3> &dims) {
    return dims[0] ? int(dims[0] * std::max(dims[1], 1u) * std::max(dims[2], 1u)) : 1024;
  };
  switch (attribute) {
  case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    *value =
        std::min({1024, said(entry.maxThreads), said(entry.requiredThreads),
                  function->registers ? 65536 / function->registers / 32 * 32 : 1024});
    break;
  case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
    *value = int(entry.staticSharedBytes);
    break;
  case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES: {
    uint64_t bytes = 0;
    for (const Global &global : function->module->module->globals)
      bytes += global.isConstant ? global.bytes : 0;
    *value = int(bytes);
    break;
  }
  case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
    *value = int(entry.localBytes);
    break;
  case CU_FUNC_ATTRIBUTE_NUM_REGS:
    *value = function->registers;
    break;
  case CU_FUNC_ATTRIBUTE_PTX_VERSION:
    *value = function->module->module->target; // as hardware: the arch, not the ISA
    break;
  case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
    *value = call.device().profile.capability;
    break;
  case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
    *value = 0;
    break;
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
    *value = function->maxDynamicShared;
    break;
  case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    *value = function->carveout;
    break;
  default:
    return call.fail(CUDA_ERROR_INVALID_VALUE, "an attribute that is not kept");
  }
  return call.finish();
}

CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute,
                            int value) {
  Call call("cuFuncSetAttribute", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Function> function = findFunction(call, handle);
  if (!function)
    return call.result();
  if (attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) {
    int most =
        call.device().profile.sharedOptin() - int(function->entry->staticSharedBytes);
    if (value < 0 || value > most)
      return call.fail(CUDA_ERROR_INVALID_VALUE, std::to_string(value) +
                                                     " bytes of shared memory, at most " +
                                                     std::to_string(most) + " are left");
    function->maxDynamicShared = value;
  } else if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) {
    if (value < -1 || value > 100)
      return call.fail(CUDA_ERROR_INVALID_VALUE, "a share in percent, or -1");
    function->carveout = value;
  } else {
    return call.fail(CUDA_ERROR_INVALID_VALUE, "an attribute that cannot be set");
  }
  return call.finish();
}

CUresult cuFuncSetCacheConfig(CUfunction handle, CUfunc_cache config) {
  Call call("cuFuncSetCacheConfig", Needs::context);
  if (call.isRefused() || !findFunction(call, handle))
    return call.result();
  if (config > CU_FUNC_CACHE_PREFER_EQUAL)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no such preference");
  return call.finish();
}

} // namespace standin
