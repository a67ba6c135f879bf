#include "tests/backends/opencl/OpenclTesting.h"
#include "backends/opencl/compiler/OpenclTarget.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

namespace hexin::test {

std::string emitOpencl(const std::string &mlirText, std::string *errors) {
  mlir::DialectRegistry registry;
  registry
      .insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::gpu::GPUDialect,
              mlir::math::MathDialect, mlir::memref::MemRefDialect, mlir::scf::SCFDialect,
              mlir::ub::UBDialect, mlir::vector::VectorDialect>();
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string diagnostics;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    diagnostics += diagnostic.str() + "\n";
    return mlir::success();
  });
  std::string text;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(mlirText, &context);
  if (!module) {
    ADD_FAILURE() << "the test's module does not parse: " << diagnostics;
    return "";
  }
  auto target = createOpenclTarget({});
  auto image = target->emitImage(*module, target->variants().front());
  if (mlir::succeeded(image))
    text = image->bytes;
  if (errors)
    *errors = diagnostics;
  else
    EXPECT_EQ(diagnostics, "");
  return text;
}

std::string kernel(const std::string &name, const std::vector<std::string> &elements,
                   unsigned params, const std::string &body, unsigned written) {
  std::string arguments, writes;
  for (size_t i = 0; i < elements.size(); ++i) {
    arguments += "%b" + std::to_string(i) + ": memref<?x" + elements[i] + ">, ";
    writes +=
        std::string(i ? ", " : "") + (i + written >= elements.size() ? "true" : "false");
  }
  for (unsigned i = 0; i < params; ++i)
    arguments += "%p" + std::to_string(i) + ": i64, ";
  return "func.func @" + name + "(" + arguments +
         "%begin: index, %end: index) attributes {" +
         "hx.bindings = " + std::to_string(elements.size()) +
         " : i64, hx.params = " + std::to_string(params) +
         " : i64, hx.writes = array<i1: " + writes +
         ">} {\n  %one_ = arith.constant 1 : index\n" +
         "  scf.for %i = %begin to %end step %one_ {\n" + body + "\n  }\n  return\n}\n";
}

TestDevice::TestDevice(const char *cacheDir, bool profile) {
  api = hexin_backend_query(HEXIN_DEVICE_ABI_MAJOR);
  error.struct_size = sizeof error;
  info.struct_size = sizeof info;
  uint32_t count = 1;
  if (!api || api->enumerate(&count, &info, &error) != 0 || count == 0)
    return;
  hexin_device_options options{};
  options.struct_size = sizeof options;
  options.cache_dir = cacheDir;
  options.profile = profile;
  EXPECT_EQ(api->open(0, &options, &device, &error), 0u) << error.message;
}

TestDevice::~TestDevice() {
  if (device)
    api->close(device);
}

hexin_module *TestDevice::load(const std::string &source) {
  hexin_image image{};
  image.struct_size = sizeof image;
  image.arch = "opencl-c-1.2";
  image.data = source.data();
  image.size = source.size();
  image.fd = -1;
  hexin_module *module = nullptr;
  return api->load(device, &image, &module, &error) == 0 ? module : nullptr;
}

std::string runKernel(TestDevice &test, hexin_module *module, const std::string &name,
                      const std::vector<Bound> &bounds,
                      const std::vector<int64_t> &params, int64_t items, int64_t grain,
                      uint32_t teamThreads) {
  const hexin_device_api &api = *test.api;
  std::vector<hexin_buffer *> buffers;
  std::vector<hexin_slot> slots;
  std::vector<hexin_binding> bindings;
  std::string failure;
  auto check = [&](uint32_t code) {
    if (code != 0 && failure.empty())
      failure = test.error.message;
    return code == 0;
  };
  for (const Bound &bound : bounds) {
    hexin_buffer *buffer = nullptr;
    if (!check(api.allocate(test.device, bound.bytes, &buffer, &test.error)))
      break;
    hexin_copy in{};
    in.struct_size = sizeof in;
    in.dst = buffer;
    in.src_pointer = bound.data;
    in.length = bound.bytes;
    check(api.copy(test.device, &in, &test.error));
    hexin_binding binding{};
    binding.slot = static_cast<uint32_t>(slots.size());
    binding.length = bound.bytes;
    buffers.push_back(buffer);
    slots.push_back({buffer, 0});
    bindings.push_back(binding);
  }
  hexin_command_desc desc{};
  desc.struct_size = sizeof desc;
  desc.module = module;
  desc.name = name.c_str();
  desc.bindings = bindings.data();
  desc.binding_count = static_cast<uint32_t>(bindings.size());
  desc.params = params.data();
  desc.param_count = static_cast<uint32_t>(params.size());
  desc.items = items;
  desc.grain = grain;
  desc.team_threads = teamThreads;
  hexin_command *command = nullptr;
  hexin_event *event = nullptr;
  if (failure.empty() && check(api.prepare(test.device, &desc, &command, &test.error))) {
    hexin_submission submission{};
    submission.struct_size = sizeof submission;
    submission.command_count = 1;
    submission.commands = &command;
    submission.slots = slots.data();
    submission.slot_count = static_cast<uint32_t>(slots.size());
    if (check(api.submit(test.device, &submission, &event, &test.error)))
      check(api.wait(test.device, event, &test.error));
    api.discard(test.device, command);
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    hexin_copy out{};
    out.struct_size = sizeof out;
    out.src = buffers[i];
    out.dst_pointer = bounds[i].data;
    out.length = bounds[i].bytes;
    check(api.copy(test.device, &out, &test.error));
    api.release(test.device, buffers[i]);
  }
  return failure;
}

} // namespace hexin::test
