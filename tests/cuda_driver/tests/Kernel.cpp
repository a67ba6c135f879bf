//===- Kernel.cpp - runs PTX in a test ------------------------------------------------===//
#include "tests/cuda_driver/tests/Kernel.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace standin;

namespace {

/// The interpreter is compiled for x86-64-v3: elsewhere its tests are skipped, not
/// killed.
class Processor : public testing::Environment {
  void SetUp() override {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
      GTEST_SKIP() << "the interpreter needs a processor with AVX2 and FMA";
  }
};

[[maybe_unused]] const testing::Environment *const processor =
    testing::AddGlobalTestEnvironment(new Processor);

} // namespace

Kernel::Kernel(const std::string &ptx) {
  auto parsed = parseModule(ptx);
  if (auto *error = std::get_if<ParseError>(&parsed)) {
    ADD_FAILURE() << "line " << error->line << ": " << error->message << "\n" << ptx;
    std::abort();
  }
  module = std::move(std::get<std::unique_ptr<Module>>(parsed));
  launch.module = module.get();
  launch.entry = &module->entries.at(0);
  launch.block = {32, 1, 1};
  launch.target = module->target;
  for (const Global &global : module->globals) {
    DeviceAddress address = *memory.allocate(global.bytes);
    std::byte *host = memory.at(address, global.bytes);
    std::memset(host, 0, global.bytes);
    std::memcpy(host, global.init.data(), global.init.size());
    globals[global.name] = address;
  }
  launch.globals = &globals;
}

DeviceAddress Kernel::addBuffer(const std::byte *data, uint64_t bytes) {
  DeviceAddress address = *memory.allocate(bytes);
  if (data && bytes)
    std::memcpy(memory.at(address, bytes), data, bytes);
  size_t offset = launch.params.size();
  launch.params.resize(offset + 8);
  std::memcpy(launch.params.data() + offset, &address, 8);
  return address;
}

std::optional<Fault> Kernel::run() { return standin::run(launch, memory, counters); }

std::string standin::entry(const std::string &body, unsigned numParams, int target) {
  std::string text = ".version 8.6\n.target sm_" + std::to_string(target) +
                     "\n.address_size 64\n.visible .entry k(";
  for (unsigned i = 0; i < numParams; ++i)
    text += std::string(i ? "," : "") + ".param .u64 p" + std::to_string(i);
  text += ")\n{\n.reg .pred %p<10>;\n.reg .b16 %h<20>;\n.reg .b32 %r<50>;\n"
          ".reg .f32 %f<50>;\n.reg .f64 %d<30>;\n.reg .b64 %rd<30>;\n";
  return text + body + "\nret;\n}\n";
}

std::vector<uint64_t>
standin::evaluate(const std::string &text, const std::string &dstType,
                  const std::vector<std::string> &srcTypes,
                  const std::vector<std::vector<uint64_t>> &sources) {
  // Values travel as 64 bits and become what the register is by a truncation.
  auto bitsOf = [](const std::string &type) {
    if (type == "pred")
      return 1;
    if (type == "f16x2" || type == "bf16x2")
      return 32;
    return std::atoi(type.c_str() + type.find_first_of("0123456789"));
  };
  std::string body = ".reg .b64 %in<10>, %o;\n.reg .b32 %lane;\n"
                     "mov.u32 %lane, %tid.x;\nld.param.u64 %rd0, [p0];\n"
                     "ld.param.u64 %rd1, [p1];\nmad.wide.u32 %rd2, %lane, " +
                     std::to_string(8 * srcTypes.size()) +
                     ", %rd0;\nmad.wide.u32 %rd3, %lane, 8, %rd1;\n";
  std::string instruction = text;
  auto substitute = [&](unsigned number, const std::string &name) {
    std::string mark = "%" + std::to_string(number);
    for (size_t at; (at = instruction.find(mark)) != std::string::npos;)
      instruction.replace(at, mark.size(), name);
  };
  for (unsigned i = 0; i < srcTypes.size(); ++i) {
    std::string n = std::to_string(i), type = srcTypes[i];
    int bits = bitsOf(type);
    body += "ld.global.b64 %in" + n + ", [%rd2+" + std::to_string(8 * i) + "];\n";
    if (bits == 1)
      body += ".reg .pred %s" + n + ";\nsetp.ne.b64 %s" + n + ", %in" + n + ", 0;\n";
    else if (bits == 64)
      body += ".reg .b64 %s" + n + ";\nmov.b64 %s" + n + ", %in" + n + ";\n";
    else
      body += ".reg .b" + std::to_string(bits) + " %s" + n + ";\ncvt.u" +
              std::to_string(bits) + ".u64 %s" + n + ", %in" + n + ";\n";
    substitute(i + 1, "%s" + n);
  }
  int bits = bitsOf(dstType);
  substitute(0, "%dst");
  if (bits == 1)
    body += ".reg .pred %dst;\n" + instruction + "\nselp.b64 %o, 1, 0, %dst;\n";
  else
    body += ".reg .b" + std::to_string(bits) + " %dst;\n" + instruction +
            (bits == 64 ? "\nmov.b64 %o, %dst;\n"
                        : "\ncvt.u64.u" + std::to_string(bits) + " %o, %dst;\n");
  body += "st.global.b64 [%rd3], %o;\n";

  std::vector<uint64_t> results;
  for (size_t first = 0; first < sources.size(); first += 1024) {
    size_t count = std::min<size_t>(sources.size() - first, 1024);
    Kernel kernel(entry(body, 2));
    std::vector<uint64_t> flat;
    for (size_t row = first; row < first + count; ++row)
      flat.insert(flat.end(), sources[row].begin(), sources[row].end());
    kernel.buffer(flat);
    DeviceAddress out = kernel.buffer(count * 8);
    kernel.launch.block = {uint32_t(count), 1, 1};
    std::optional<Fault> fault = kernel.run();
    EXPECT_FALSE(fault) << fault->message;
    for (uint64_t value : kernel.read<uint64_t>(out, count))
      results.push_back(value);
  }
  return results;
}

ParseError standin::parseErrorOf(const std::string &ptx) {
  auto parsed = parseModule(ptx);
  if (auto *error = std::get_if<ParseError>(&parsed))
    return *error;
  return {};
}
