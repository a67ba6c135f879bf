//===- Refused.h - operators that are not imported on purpose -----------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_MICROSOFT_REFUSED_H
#define HEXIN_FRONTENDS_ONNX_OPS_MICROSOFT_REFUSED_H

#include "llvm/ADT/StringRef.h"

namespace hexin::onnx {

/// Why an operator of ONNX Runtime's is refused by name, and what to do instead; empty
/// for others.
llvm::StringRef refusalOf(llvm::StringRef domain, llvm::StringRef opType);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_MICROSOFT_REFUSED_H
