//===- Helpers.h - functions that kernels of one OpenCL C text call ----------===//
//
// What needs more than one expression (rounding to f16/bf16, division that
// cannot trap, minimum/maximum with NaN and signed zeros) is a `static inline`
// function of the text. A helper is printed once, when the first kernel asks
// for it, in the order of asking: the text is deterministic.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_COMPILER_HELPERS_H
#define HEXIN_BACKENDS_OPENCL_COMPILER_HELPERS_H

#include "backends/opencl/compiler/CType.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

namespace hexin::opencl {

enum class Division { divs, divu, rems, remu, floordivs, ceildivs, ceildivu };

class Helpers {
public:
  // Each returns the name of the function.

  /// f16 bits -> float, exact.
  std::string widenF16(unsigned lanes);
  /// float or double -> bits of `to` (f16 or bf16), to nearest even.
  std::string narrow(CType from, CType to);
  /// Integer division of any divisor: x/0 is x, MIN/-1 wraps.
  std::string divide(Division kind, CType type);
  /// arith.minimumf / maximumf on float or double.
  std::string minMax(bool isMax, CType type);

  /// a * b + c in f32, in one rounding where that is fast.
  std::string looseFma();

  /// The functions asked for so far.
  const std::string &text() const { return text_; }
  bool usesF16() const { return usesF16_; }

private:
  /// True when `name` is asked for the first time.
  bool add(llvm::StringRef name) { return known_.insert(name).second; }

  std::string text_;
  llvm::StringSet<> known_;
  bool usesF16_ = false;
};

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_COMPILER_HELPERS_H
