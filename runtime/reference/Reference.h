//===- Reference.h - plain kernels for every hx op on host memory ----------===//
//
// One clear kernel per hx op. They are the oracle for tests, the engine of
// constant folding and plan-time evaluation, and the host's kernels.
//
// f16, bf16, f32 and f64 compute in f64 and round once, on storing; integers
// wrap. Elements of f64 tensors are f64 throughout, so a whole model can be run
// in f64 to judge another engine.
//
// Thread-safety: `run` keeps no state; any number of threads may call it. It
// starts no threads itself.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_REFERENCE_H
#define HEXIN_RUNTIME_REFERENCE_REFERENCE_H

#include "hexin/value.h"
#include "runtime/base/Attributes.h"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace hexin::reference {

/// A half-open box of a result: axis i from begin[i] up to end[i].
struct OutputBox {
  std::vector<int64_t> begin;
  std::vector<int64_t> end;
};

struct RunOptions {
  /// Compute only these elements of result 0, which then has the box's sizes.
  /// matmul, matmul_integer, conv and conv_integer do no more work than that;
  /// the other ops compute all of it and cut. Further results stay whole.
  std::optional<OutputBox> box;

  /// A result that would take more bytes is resourceExhausted before anything
  /// is allocated for it. Folding sets it to what it may keep.
  int64_t maxResultBytes = int64_t(64) << 30;
};

/// Runs hx op `op`: its mnemonic without "hx.", as in "unary" or "conv".
///
/// `operands` are row-major, in ODS order; an absent optional operand is
/// nullptr, trailing ones may be left off. Attribute names and keywords are
/// those of compiler/ir/ops/*.td. `resultTypes` has one element type per
/// result; fewer than the op has means that the rest are not wanted (the
/// indices of pool). Sizes of results are computed here, independently of the
/// compiler's shape functions.
///
/// Results own their memory and never alias an operand.
///
/// Errors: invalidArgument (operands, attributes or sizes that do not fit
/// together), outOfRange (an index outside its tensor), unsupported (an op or
/// element type without a kernel), resourceExhausted (no memory, or above
/// `maxResultBytes`).
Result<std::vector<Tensor>> run(std::string_view op, const Attributes &attributes,
                                std::span<const Tensor *const> operands,
                                std::span<const DType> resultTypes,
                                const RunOptions &options = {});

/// Whether `run` knows `op`.
bool supports(std::string_view op);

/// The names of all ops that `run` knows.
std::vector<std::string_view> ops();

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_REFERENCE_H
