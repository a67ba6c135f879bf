//===- HostKernels.h - kernels of values that live on the host ---------------===//
//
// Sequences, optionals, maps, tensors of strings, pictures: what no device has memory
// for. Ops of compiler/ir/ops/{Sequence,Text,Image}.td, and the ops that only move,
// compare or cast elements, when these are strings.
//
// Values are shared, not copied: an element of a sequence is the same tensor in every
// sequence it went into, so nobody writes to it. A list itself is copied, unless nobody
// uses it afterwards (`spent`): a loop that grows one does not copy it each time. A
// tensor without an owner is borrowed; it is copied where it would stay in a result.
//
// Thread-safety: keeps no state; any number of threads may call it.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_HOST_HOSTKERNELS_H
#define HEXIN_RUNTIME_HOST_HOSTKERNELS_H

#include "hexin/value.h"
#include "runtime/base/Attributes.h"

#include <span>
#include <string_view>
#include <vector>

namespace hexin::host {

struct ResultType {
  ValueKind kind = ValueKind::tensor;
  DType dtype = DType::f32; ///< of tensors
};

/// Whether `run` has a kernel for `op` whatever its operands are.
bool isHostOp(std::string_view op);

/// Runs `op`, its mnemonic without "hx."; operands in ODS order, nullptr for an absent
/// one. `spent`, empty or as long as these: the operand where the kernel may take its
/// contents away, as nobody uses it afterwards, whatever comes out; else nullptr. Kinds,
/// types and sizes of operands are checked: whoever wrote the program may have lied.
/// invalidArgument, outOfRange (a position outside of a sequence, an empty optional),
/// unsupported (no such kernel), unavailable (it needs libhexin_hostops).
Result<std::vector<Value>> run(std::string_view op, const Attributes &attributes,
                               std::span<const Value *const> operands,
                               std::span<const ResultType> results,
                               std::span<Value *const> spent = {});

} // namespace hexin::host

#endif // HEXIN_RUNTIME_HOST_HOSTKERNELS_H
