#include "tests/backends/cpu/KernelFixture.h"

#include "backends/cpu/compiler/CpuTarget.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>
#include <sstream>

namespace hexin::test {

std::vector<std::string> runnableArchs() {
  hexin_device_info info{};
  info.struct_size = sizeof(info);
  hexin_error error{};
  error.struct_size = sizeof(error);
  uint32_t count = 1;
  EXPECT_EQ(cpuApi().enumerate(&count, &info, &error), 0u);
  std::vector<std::string> archs;
  std::istringstream list(info.image_archs);
  for (std::string arch; std::getline(list, arch, ';');)
    archs.push_back(arch);
  return archs;
}

std::string compileKernels(const std::string &text, const std::string &arch,
                           std::string *messages) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect,
                  mlir::math::MathDialect, mlir::memref::MemRefDialect,
                  mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  std::string collected;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &d) {
    collected += d.str() + "\n";
    return mlir::success();
  });
  std::string bytes;
  if (auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context)) {
    TargetOptions options;
    options.archs = {arch};
    auto target = createCpuTarget(options);
    auto image = target->emitImage(*module, target->variants()[0]);
    if (mlir::succeeded(image))
      bytes = std::move(image->bytes);
  }
  if (messages)
    *messages = collected;
  else
    EXPECT_FALSE(bytes.empty()) << collected;
  return bytes;
}

static hexin_error emptyError() {
  hexin_error error{};
  error.struct_size = sizeof(error);
  return error;
}

LoadedKernels::LoadedKernels(const std::string &bytes, const std::string &arch,
                             unsigned threads, int fd, size_t offset) {
  hexin_device_options options{};
  options.struct_size = sizeof(options);
  options.threads = threads;
  hexin_error error = emptyError();
  EXPECT_EQ(cpuApi().open(0, &options, &device, &error), 0u) << error.message;
  hexin_image image{};
  image.struct_size = sizeof(image);
  image.arch = arch.c_str();
  image.data = bytes.data();
  image.size = bytes.size();
  image.fd = fd;
  image.file_offset = offset;
  EXPECT_EQ(cpuApi().load(device, &image, &module, &error), 0u) << error.message;
}

LoadedKernels::~LoadedKernels() {
  if (module)
    cpuApi().unload(device, module);
  cpuApi().close(device);
}

void LoadedKernels::run(const std::string &name, std::vector<std::span<std::byte>> memory,
                        std::vector<int64_t> params, int64_t items, int64_t grain) {
  const hexin_device_api &api = cpuApi();
  hexin_error error = emptyError();
  std::vector<hexin_slot> slots;
  std::vector<hexin_binding> bindings;
  for (auto [i, span] : llvm::enumerate(memory)) {
    hexin_buffer *buffer = nullptr;
    ASSERT_EQ(api.wrap_host(device, span.data(), span.size(), &buffer, &error), 0u)
        << error.message;
    slots.push_back({buffer, 0});
    hexin_binding binding{};
    binding.slot = i;
    binding.length = span.size();
    bindings.push_back(binding);
  }
  hexin_command_desc desc{};
  desc.struct_size = sizeof(desc);
  desc.kind = HEXIN_COMMAND_KERNEL;
  desc.module = module;
  desc.name = name.c_str();
  desc.bindings = bindings.data();
  desc.binding_count = bindings.size();
  desc.params = params.data();
  desc.param_count = params.size();
  desc.items = items;
  desc.grain = grain;
  EXPECT_EQ(runCommand(device, desc, slots), "");
}

} // namespace hexin::test
