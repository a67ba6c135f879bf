//===- Module.h - a PTX text, read ---------------------------------------------===//
//
// What the driver half must know of a module before it runs anything. The code of
// an entry is opaque here; simt/Launch.h runs it.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_PTX_MODULE_H
#define HEXIN_TESTS_CUDA_DRIVER_PTX_MODULE_H

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace standin {

struct Code; ///< decoded instructions of an entry (ptx/Code.h)

struct Param {
  uint32_t offset = 0, bytes = 0, align = 1; ///< within the parameter block
};

struct Entry {
  std::string name;
  std::vector<Param> params;
  uint32_t paramBytes = 0;
  std::array<uint32_t, 3> maxThreads{},
      requiredThreads{}; ///< .maxntid, .reqntid; 0: not said
  uint32_t staticSharedBytes = 0, localBytes = 0;
  uint32_t registers = 0; ///< 32-bit registers declared; what ptxas makes of them is less
  std::shared_ptr<const Code> code;
};

/// A variable of the module in global or constant memory.
struct Global {
  std::string name;
  uint64_t bytes = 0, align = 1;
  bool isConstant = false;
  std::vector<uint8_t> init; ///< may be shorter than bytes; the rest is 0
};

struct Module {
  int version = 0;             ///< PTX ISA: 80 for ".version 8.0"
  int target = 0;              ///< 80 for ".target sm_80"
  bool isArchSpecific = false; ///< sm_90a and the like: runs on that very arch only
  std::vector<Entry> entries;
  std::vector<Global> globals;
};

/// What is wrong with a text, with the line it is in (from 1; 0: the whole).
struct ParseError {
  int line = 0;
  std::string message;
};

/// Reads all of `text`, and refuses every instruction, type, register or symbol it
/// does not know: nothing is skipped.
std::variant<std::unique_ptr<Module>, ParseError> parseModule(std::string_view text);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_PTX_MODULE_H
