//===- FakeInterpreter.cpp - a few kernels for tests of the driver -------------------===//
//
// Behind the same headers as the interpreter. A kernel does what its name says:
//
//   store (u64 dst, u32 value)         *dst = value
//   copy  (u64 dst, u64 src, u32 n)    n bytes
//   crash ()                           dies of an illegal address
//
// Names may go on behind a '_'. A parameter is any line with ".param"; ".u64" has 8
// bytes, others 4. ".global NAME BYTES" is a variable, ".shared BYTES", ".maxntid N" and
// ".reqntid N" belong to the entry above. "bad" anywhere is an error.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/ptx/Module.h"
#include "tests/cuda_driver/simt/Launch.h"

#include <cstring>
#include <sstream>

using namespace standin;

namespace {

void addParam(Entry &entry, uint32_t bytes) {
  uint32_t offset = (entry.paramBytes + bytes - 1) / bytes * bytes;
  entry.params.push_back({offset, bytes, bytes});
  entry.paramBytes = offset + bytes;
}

template <typename T> T read(const Launch &launch, size_t index) {
  T value;
  std::memcpy(&value, launch.params.data() + launch.entry->params.at(index).offset,
              sizeof value);
  return value;
}

Fault illegal(const Launch &launch) {
  return {700, "kernel '" + launch.entry->name + "' used memory that is not there"};
}

} // namespace

std::variant<std::unique_ptr<Module>, ParseError>
standin::parseModule(std::string_view text) {
  auto module = std::make_unique<Module>();
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string word, name;
    words >> word;
    if (word == "bad")
      return ParseError{number, "'bad' is not known"};
    if (word == ".version") {
      double version = 0;
      words >> version;
      module->version = int(version * 10 + 0.5);
    } else if (word == ".target") {
      words >> name;
      module->target = std::atoi(name.c_str() + 3);
    } else if (word == ".global") {
      Global global;
      words >> global.name >> global.bytes;
      global.init = {1, 2};
      module->globals.push_back(global);
    } else if (word == ".entry") {
      module->entries.emplace_back();
      words >> module->entries.back().name;
    } else if (word == ".param") {
      addParam(module->entries.back(), line.find(".u64") == line.npos ? 4 : 8);
    } else if (word == ".shared") {
      words >> module->entries.back().staticSharedBytes;
    } else if (word == ".maxntid") {
      words >> module->entries.back().maxThreads[0];
    } else if (word == ".reqntid") {
      words >> module->entries.back().requiredThreads[0];
    }
  }
  return module;
}

std::optional<Fault> standin::run(const Launch &launch, DeviceMemory &memory,
                                  Counters &counters) {
  counters.warpInstructions += 1;
  std::string_view what = launch.entry->name;
  what = what.substr(0, what.find('_'));
  if (what == "store") {
    std::byte *dst = memory.at(read<uint64_t>(launch, 0), 4);
    if (!dst)
      return illegal(launch);
    uint32_t value = read<uint32_t>(launch, 1);
    std::memcpy(dst, &value, 4);
  } else if (what == "copy") {
    uint32_t bytes = read<uint32_t>(launch, 2);
    std::byte *dst = memory.at(read<uint64_t>(launch, 0), bytes);
    std::byte *src = memory.at(read<uint64_t>(launch, 1), bytes);
    if (!dst || !src)
      return illegal(launch);
    std::memmove(dst, src, bytes);
  } else {
    return illegal(launch);
  }
  return std::nullopt;
}
