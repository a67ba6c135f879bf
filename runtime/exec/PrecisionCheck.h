//===- PrecisionCheck.h - what products of less than f32 make of a model -------------===//
#ifndef HEXIN_RUNTIME_EXEC_PRECISIONCHECK_H
#define HEXIN_RUNTIME_EXEC_PRECISIONCHECK_H

#include "hexin/compile.h"

#include <functional>
#include <string>

namespace hexin {

using CompileTo = std::function<Result<CompileReport>(const std::string &path,
                                                      const CompileOptions &options)>;

/// `compileTo(outPath, options)`; and where `options.precision` is less than f32 on the
/// cpu, first beside it, and in f32 as well: both run on inputs made by rule, and a model
/// that breaks `options.maxError` is refused by `name`. Where bf16 breaks it, so is tried
/// what is left when convolutions of one channel stay f32 (disable = "bf16-signals").
///
/// The rule: floats uniform in [-2, 2), integers and booleans 0 or 1, the same numbers on
/// every machine; first axes of unknown size are 1, others the first of a few sizes that
/// the model takes. A number that is finite in one and not in the other is off by
/// infinity.
Result<CompileReport> compileMeasured(const std::string &name, const std::string &outPath,
                                      const CompileOptions &options, CompileTo compileTo);

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_PRECISIONCHECK_H
