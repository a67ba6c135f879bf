#include "frontends/onnx/NodeAttributes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

#include <map>

using llvm::StringRef;

namespace hexin::onnx {
namespace {

struct AttributeRow {
  const char *domain;
  const char *op;
  int64_t sinceVersion;
  const char *names; ///< with blanks between
};

constexpr AttributeRow attributeRows[] = {
#define ATTRIBUTES(domain, op, sinceVersion, names) {domain, op, sinceVersion, names},
#include "frontends/onnx/AttributeNames.def"
#undef ATTRIBUTES
};

using Versions = std::map<int64_t, StringRef>;

/// By domain and operator.
const std::map<std::pair<StringRef, StringRef>, Versions> &attributeTable() {
  static const auto table = [] {
    std::map<std::pair<StringRef, StringRef>, Versions> made;
    for (const AttributeRow &row : attributeRows)
      made[{row.domain, row.op}][row.sinceVersion] = row.names;
    return made;
  }();
  return table;
}

} // namespace

StringRef repeatedAttribute(const Node &node) {
  for (auto [i, attribute] : llvm::enumerate(node.attributes))
    for (const Attribute &before : llvm::ArrayRef(node.attributes).take_front(i))
      if (before.name == attribute.name)
        return StringRef(attribute.name);
  return {};
}

std::string unknownAttribute(StringRef domain, const Node &node, int64_t opset) {
  auto op = attributeTable().find({domain, StringRef(node.opType)});
  if (node.attributes.empty() || op == attributeTable().end())
    return {};
  auto above = op->second.upper_bound(opset);
  if (above == op->second.begin())
    return {};
  llvm::SmallVector<StringRef> names;
  std::prev(above)->second.split(names, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (const Attribute &attribute : node.attributes) {
    StringRef name(attribute.name);
    if (llvm::is_contained(names, name) || name.starts_with("__"))
      continue;
    return "attribute '" + name.str() + "' is none of " + std::string(node.opType) +
           " at opset " + std::to_string(opset) + ": it has " +
           (names.empty() ? "none" : "'" + llvm::join(names, "', '") + "'");
  }
  return {};
}

} // namespace hexin::onnx
