//===- Scope.h - what a graph or function body can see ----------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_SCOPE_H
#define HEXIN_FRONTENDS_ONNX_SCOPE_H

#include "frontends/onnx/HxBuilder.h"
#include "frontends/onnx/wire/Model.h"

#include "llvm/ADT/StringMap.h"

namespace hexin::onnx {

struct Scope {
  Scope *parent = nullptr; ///< of a subgraph; names and opsets are found there too
  mlir::Block *block = nullptr;
  const Graph *graph = nullptr; ///< null in function bodies
  llvm::StringMap<Value> values;
  llvm::StringMap<const TensorData *> initializers;
  llvm::StringMap<int64_t> opsets; ///< canonical domain -> version
  /// Function bodies: the call's attributes by name, defaults included.
  const llvm::StringMap<const Attribute *> *callAttributes = nullptr;
  std::string prefix;  ///< of node names inside: "call/"
  std::string context; ///< for messages: "function 'F' called by node 'x'"
  llvm::SmallVector<const Function *> calls; ///< that this is inlined by, outermost first

  /// What becomes of the outputs: those of a region, values that are handed on by name to
  /// the scope that the nodes are inlined into, or something that only the caller knows.
  enum class End { region, names, other } end = End::other;
  llvm::SmallVector<std::pair<std::string, std::string>> handsOn; ///< inside, outside

  void setOpsets(llvm::ArrayRef<OpsetImport> imports);
  int64_t opset(llvm::StringRef domain) const; ///< 0 when not imported
  const Attribute *callAttribute(llvm::StringRef name) const;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_SCOPE_H
