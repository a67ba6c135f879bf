//===- NodeAttributes.h - which attributes a node may have ------------------------===//
//
// What an exporter misspells, or writes for another version of the operator (`axes` of
// a Squeeze 13), would change nothing in silence: it is refused, as ONNX Runtime does.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_NODEATTRIBUTES_H
#define HEXIN_FRONTENDS_ONNX_NODEATTRIBUTES_H

#include "frontends/onnx/wire/Model.h"

#include "llvm/ADT/StringRef.h"

namespace hexin::onnx {

/// The name of an attribute that `node` has twice; else empty.
llvm::StringRef repeatedAttribute(const Node &node);

/// Says which attribute of `node` its operator does not have at this opset, and which it
/// has; empty when all is well, or nothing is known of the operator. Names that begin
/// with "__" are anybody's.
std::string unknownAttribute(llvm::StringRef domain, const Node &node, int64_t opset);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_NODEATTRIBUTES_H
