//===- Literals.h - lists of attributes as constants ------------------------------===//
//
// Lists of any length: what is too long for a literal becomes a weight.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_LITERALS_H
#define HEXIN_FRONTENDS_ONNX_OPS_LITERALS_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// `values` at `sizes`, rounded to `type` (a number); null and an error of the binder
/// when their counts differ. `what` names it in messages.
Value literal(OpBinder &b, llvm::ArrayRef<double> values, llvm::ArrayRef<int64_t> sizes,
              mlir::Type type, llvm::StringRef what);
Value literal(OpBinder &b, llvm::ArrayRef<int64_t> values, llvm::ArrayRef<int64_t> sizes,
              mlir::Type type, llvm::StringRef what);

/// The numbers of a tensor attribute; nullopt when it is not there. Reports a tensor
/// that cannot be read or holds no floats.
std::optional<llvm::SmallVector<double>> tensorFloats(OpBinder &b, llvm::StringRef name);

/// The same for a tensor of integers.
std::optional<llvm::SmallVector<int64_t>> tensorInts(OpBinder &b, llvm::StringRef name);

/// Class labels or keys: exactly one of both kinds.
struct Labels {
  llvm::SmallVector<std::string> strings;
  llvm::SmallVector<int64_t> ints;
  bool areStrings() const { return !strings.empty(); }
  size_t size() const { return areStrings() ? strings.size() : ints.size(); }
};

/// The one of two list attributes that is there; reports when none or both are.
Labels readLabels(OpBinder &b, llvm::StringRef ints, llvm::StringRef strings);

/// labels[index]
Value labelAt(OpBinder &b, const Labels &labels, Value index);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_LITERALS_H
