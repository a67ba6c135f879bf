//===- hexin/compile.h - from a model file to a .hxm -------------------------===//
//
// The compiler is a library of its own (libhexin_compiler, which needs LLVM),
// loaded when one of these is called first. Without it they return unavailable.
//
// Thread-safe: compiles may run side by side, with their own threads each. Everything
// that is passed in is only read, and only during the call. Errors:
//   notFound           the model, a file of its weights or a name in the options
//   invalidArgument    an option is malformed, or does not fit the model
//   corruptData        the model or artifact contradicts itself
//   failedPrecondition the model breaks CompileOptions::maxError
//   unsupported        an op, type or opset that is not known; an op that a target does
//                      not take, with node, reason and remedy
//   versionMismatch    an artifact, or libhexin_compiler, of another version
//   ioError            a file cannot be read or written
//   resourceExhausted  no memory, or a limit passed
//   internal           a fault of ours
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILE_H
#define HEXIN_COMPILE_H

#include "hexin/status.h"

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace hexin {

/// A size of an input as the user wants it: a number; a name, which keeps it
/// dynamic and makes it equal to all sizes of that name, at whatever input; or
/// -1, which keeps what the model declares.
struct DimSpec {
  DimSpec() = default;
  template <std::integral T> DimSpec(T size) : size(static_cast<int64_t>(size)) {}
  DimSpec(std::string name) : name(std::move(name)) {}
  DimSpec(const char *name) : name(name) {}

  bool operator==(const DimSpec &) const = default;

  int64_t size = -1;
  std::string name = {}; ///< begins with a letter or '_', holds no ','
};

struct CompileOptions {
  std::vector<std::string> targets = {"cpu"}; ///< "cpu", "cuda", "opencl"
  /// Fixes or names input sizes: {{"x", {1, 3, "H", -1}}}. A size that is fixed at
  /// one input is fixed at all axes of its name.
  std::map<std::string, std::vector<DimSpec>> shapes = {};
  /// State: input name -> output name whose value it takes for the next run.
  std::map<std::string, std::string> states = {};
  /// Ops that may run off the device, by hx name ("layer_norm") or node name.
  std::vector<std::string> allowFallback = {};
  /// Ops or libraries to do without: "onednn", an hx op, a schedule. For tests,
  /// comparison and finding faults.
  std::vector<std::string> disable = {};
  /// Libraries ("onednn") that go before our kernels wherever they take a group,
  /// not only where they are known to be faster.
  std::vector<std::string> prefer = {};
  /// cpu image archs to emit; empty = all of x86-64-v2, -v3, -v4.
  std::vector<std::string> cpuArchs = {};
  /// Weights in a kernel's own form that follow from others in the artifact, and are up
  /// to four times as large (a convolution's, for Winograd): "lazy" ("" as well) has the
  /// runtime make them when a plan first takes such a kernel, and keep them in the cache
  /// folder; "full" ships them, so that nothing is left to do on a machine that never ran
  /// the model.
  std::string prepack = {};
  /// In which numbers products with constant weights are computed: "f32" ("" as well), or
  /// "bf16": both sides rounded to bf16, sums in f32, everything else f32.
  /// "int8-dynamic": where weights are of 8 bits with scales, the other side is rounded
  /// to 8 bits as well, by a scale that each run finds for each row. On targets without
  /// such products they stay f32.
  std::string precision = {};
  /// By how much of an output's largest value a `precision` may change it, against f32: a
  /// model that breaks it is refused (failedPrecondition). Measured when compiling for
  /// cpu, by a run on made inputs (runtime/exec/PrecisionCheck.h). 0: 1/16 (bf16), 1
  /// (int8-dynamic); infinity: as much as it likes, nothing is measured.
  double maxError = 0;
  std::string emit = {};   ///< "" writes the artifact; import, optimized, placed, kernels
                           ///< return that form as text instead
  bool explain = false;    ///< return the placement report as text
  bool verifyEach = false; ///< check the IR after every pass
  uint32_t threads = 0;    ///< compile threads; 0 = cores
  /// Where compiled kernels are kept for later compiles; "none" keeps them in this
  /// process only, "" takes $HEXIN_CACHE_DIR, else $XDG_CACHE_HOME/hexin, else
  /// ~/.cache/hexin.
  std::string cacheDir = {};
  /// Called from the thread that compiles, with 0 <= fraction <= 1; must not throw.
  std::function<void(const std::string &phase, double fraction)> progress = {};
};

struct CompileReport {
  std::string text; ///< what `emit` or `explain` asked for
  uint64_t artifactBytes = 0;
  uint64_t kernels = 0; ///< distinct kernels, per target
  /// Of them found in the cache, for every arch. Kernels that ship as text are
  /// written anew: that takes less than a look-up.
  uint64_t kernelsReused = 0;
  double seconds = 0;
  double error = 0; ///< measured of `precision`, see CompileOptions::maxError
};

/// Compiles the ONNX file `modelPath` into `outPath` (written beside it first
/// and renamed: an old file survives any failure).
HEXIN_EXPORT Result<CompileReport> compile(const std::string &modelPath,
                                           const std::string &outPath,
                                           const CompileOptions &options = {});

/// The same from memory. External data is not allowed here.
HEXIN_EXPORT Result<CompileReport> compile(std::span<const std::byte> model,
                                           const std::string &outPath,
                                           const CompileOptions &options = {});

/// Adds (or replaces) programs for `options.targets` in an artifact, from its
/// portable section; the source model is not needed.
HEXIN_EXPORT Result<CompileReport> retarget(const std::string &artifactPath,
                                            const std::string &outPath,
                                            const CompileOptions &options);

} // namespace hexin

#endif // HEXIN_COMPILE_H
