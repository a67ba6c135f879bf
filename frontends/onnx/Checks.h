//===- Checks.h - what an import function asks of values that only a run knows ---===//
#ifndef HEXIN_FRONTENDS_ONNX_CHECKS_H
#define HEXIN_FRONTENDS_ONNX_CHECKS_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// Says that `condition` must not be 0: a contradiction of the model when it is known to
/// be, an hx.check for the run when that is not known. `message` shows shown[i] in place
/// of {i}; the node's name comes before it.
void check(OpBinder &b, hx::Dim condition, const llvm::Twine &message,
           llvm::ArrayRef<hx::Dim> shown = {});

/// The same for lower <= dim <= upper. `what` names it: "k", "axis 1 of the input".
void checkRange(OpBinder &b, hx::Dim dim, int64_t lower, int64_t upper,
                const llvm::Twine &what);
void checkEqual(OpBinder &b, hx::Dim lhs, const llvm::Twine &whatLhs, hx::Dim rhs,
                const llvm::Twine &whatRhs);

/// That `dim`, which `what` names, is a multiple of `divisor` > 0.
void checkMultiple(OpBinder &b, hx::Dim dim, int64_t divisor, const llvm::Twine &what);

/// The one integer of an operand that is read on the host. Of [n] elements of unknown n,
/// that n is 1 is for the run to check.
hx::Dim readOne(OpBinder &b, Value operand, const llvm::Twine &what);

/// `lengths`, of each of which it is checked that it lies between 0 and `limit`: by an
/// hx.check where they are read on the host, else by the kernel that reads them.
Value checkedLengths(OpBinder &b, Value lengths, hx::Dim limit, llvm::StringRef name);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_CHECKS_H
