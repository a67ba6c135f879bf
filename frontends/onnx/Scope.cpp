#include "frontends/onnx/Scope.h"

#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace hexin::onnx {

void Scope::setOpsets(ArrayRef<OpsetImport> imports) {
  for (const OpsetImport &import : imports)
    opsets[canonicalDomain(StringRef(import.domain))] = import.version;
}

int64_t Scope::opset(StringRef domain) const {
  auto it = opsets.find(domain);
  if (it != opsets.end())
    return it->second;
  return parent ? parent->opset(domain) : 0;
}

const Attribute *Scope::callAttribute(StringRef name) const {
  if (callAttributes) {
    auto it = callAttributes->find(name);
    return it == callAttributes->end() ? nullptr : it->second;
  }
  return parent ? parent->callAttribute(name) : nullptr;
}

} // namespace hexin::onnx
