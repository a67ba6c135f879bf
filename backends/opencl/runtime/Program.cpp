#include "backends/opencl/runtime/Program.h"
#include "backends/opencl/abi/OpenclText.h"
#include "backends/opencl/runtime/ClError.h"

#include <vector>

namespace hexin::opencl {

static std::string buildOptions(const ClDevice &device) {
  std::string options = "-cl-std=CL1.2";
  if (device.roundsDivideAndSqrt)
    options += " -cl-fp32-correctly-rounded-divide-sqrt";
  if (device.info.flags & HEXIN_DEVICE_FP16)
    options += " -D" + std::string(hasFp16Macro);
  if (device.info.flags & HEXIN_DEVICE_LOCAL_MEMORY)
    options += " -D" + std::string(localMemoryMacro);
  if (!device.hasFma)
    options += " -D" + std::string(slowFmaMacro);
  return options;
}

/// Everything that decides whether a binary serves. The first line is the
/// version of this cache's contents.
static std::string makeCacheKey(const ClDevice &device, const std::string &options,
                                std::string_view source) {
  return "hexin opencl program 1\n" + device.driver + "\n" + device.name + "\n" +
         options + "\n" + std::string(source);
}

/// What fits into an error message; compilers put the first error first.
static std::string boundedLog(std::string log) {
  constexpr size_t maxBytes = 700;
  while (!log.empty() && (log.back() == '\0' || log.back() == '\n'))
    log.pop_back();
  if (log.size() > maxBytes)
    log = log.substr(0, maxBytes) + " ...";
  return log.empty() ? "the driver gave no build log" : log;
}

static std::string buildLog(const ClApi &api, cl_program program, cl_device_id device) {
  constexpr size_t maxBytes = 1 << 20;
  size_t bytes = 0;
  if (api.clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, nullptr,
                                &bytes) != CL_SUCCESS ||
      bytes == 0 || bytes > maxBytes)
    return {};
  std::string log(bytes, '\0');
  if (api.clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, bytes, log.data(),
                                nullptr) != CL_SUCCESS)
    return {};
  return log;
}

std::shared_ptr<Program> Program::find(const Origin &origin, std::string_view source) {
  std::string options = buildOptions(origin.device);
  std::shared_ptr<Program> program(
      new Program(origin, makeCacheKey(origin.device, options, source)));
  return program->buildFromCache(options) ? program : nullptr;
}

Result<std::shared_ptr<Program>> Program::build(const Origin &origin,
                                                std::string_view source) {
  std::string options = buildOptions(origin.device);
  std::shared_ptr<Program> program(
      new Program(origin, makeCacheKey(origin.device, options, source)));
  HEXIN_RETURN_IF_ERROR(program->buildFromSource(options, source));
  return program;
}

bool Program::buildFromCache(const std::string &options) {
  std::optional<std::vector<std::byte>> binary = origin_.cache.find(cacheKey_);
  if (!binary)
    return false;
  const auto *bytes = reinterpret_cast<const unsigned char *>(binary->data());
  size_t length = binary->size();
  cl_int binaryStatus = CL_SUCCESS, code = CL_SUCCESS;
  ClProgram program(origin_.api, origin_.api.clCreateProgramWithBinary(
                                     origin_.context, 1, &origin_.device.id, &length,
                                     &bytes, &binaryStatus, &code));
  if (code == CL_SUCCESS && binaryStatus == CL_SUCCESS)
    code = origin_.api.clBuildProgram(program.get(), 1, &origin_.device.id,
                                      options.c_str(), nullptr, nullptr);
  if (code != CL_SUCCESS || binaryStatus != CL_SUCCESS) {
    origin_.cache.remove(cacheKey_); // whole, but not what this driver takes
    return false;
  }
  program_ = std::move(program);
  return true;
}

Status Program::buildFromSource(const std::string &options, std::string_view source) {
  const char *text = source.data();
  size_t length = source.size();
  cl_int code = CL_SUCCESS;
  ClProgram program(origin_.api, origin_.api.clCreateProgramWithSource(
                                     origin_.context, 1, &text, &length, &code));
  if (code != CL_SUCCESS)
    return clStatus(code, origin_.what + ": creating a program");
  code = origin_.api.clBuildProgram(program.get(), 1, &origin_.device.id, options.c_str(),
                                    nullptr, nullptr);
  if (code != CL_SUCCESS)
    return {clStatus(code, "").code(),
            clStatus(code, origin_.what + ": building the kernels").message() +
                "; build log: " +
                boundedLog(buildLog(origin_.api, program.get(), origin_.device.id))};
  program_ = std::move(program);
  hasNewCode_ = true;
  return Status::success();
}

bool Program::claimWarmUp(const std::string &launchForm) {
  std::lock_guard lock(mutex_);
  return warmedUp_.insert(launchForm).second;
}

void Program::storeBinary() {
  constexpr size_t maxBytes = size_t(1) << 30;
  size_t bytes = 0;
  if (origin_.api.clGetProgramInfo(program_.get(), CL_PROGRAM_BINARY_SIZES, sizeof bytes,
                                   &bytes, nullptr) != CL_SUCCESS ||
      bytes == 0 || bytes > maxBytes)
    return;
  std::vector<std::byte> binary(bytes);
  auto *to = reinterpret_cast<unsigned char *>(binary.data());
  if (origin_.api.clGetProgramInfo(program_.get(), CL_PROGRAM_BINARIES, sizeof to, &to,
                                   nullptr) == CL_SUCCESS)
    origin_.cache.store(cacheKey_, binary);
}

Program::~Program() {
  try {
    if (program_ && hasNewCode_ && origin_.cache.isEnabled())
      storeBinary();
  } catch (...) {
    // Out of memory: the cache does without this program.
  }
}

} // namespace hexin::opencl
