//===- Compile.h - the compiler as one call ---------------------------------===//
#ifndef HEXIN_COMPILER_API_COMPILE_H
#define HEXIN_COMPILER_API_COMPILE_H

#include "hexin/compile.h"

#include <cstddef>
#include <span>
#include <string>

namespace hexin::compiler {

/// The model: a file, or bytes when `path` is empty.
struct Source {
  std::string path;
  std::span<const std::byte> bytes;
};

/// What hexin/compile.h promises, in this library. Each call has its own MLIR
/// context, so calls may run in parallel.
Result<CompileReport> compile(const Source &source, const std::string &outPath,
                              const CompileOptions &options);
Result<CompileReport> retarget(const std::string &artifactPath,
                               const std::string &outPath, const CompileOptions &options);

} // namespace hexin::compiler

#endif // HEXIN_COMPILER_API_COMPILE_H
