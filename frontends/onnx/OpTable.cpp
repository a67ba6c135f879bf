#include "frontends/onnx/OpTable.h"

#include "frontends/onnx/ops/Families.h"

namespace hexin::onnx {

llvm::StringRef canonicalDomain(llvm::StringRef domain) {
  return domain == "ai.onnx" ? "" : domain;
}

void OpTable::add(llvm::StringRef domain, llvm::ArrayRef<OpRow> newRows) {
  for (const OpRow &row : newRows)
    rows[{domain.str(), row.name}][row.sinceVersion] = row;
}

const OpRow *OpTable::find(llvm::StringRef domain, llvm::StringRef name,
                           int64_t version) const {
  auto op = rows.find({canonicalDomain(domain).str(), name.str()});
  if (op == rows.end())
    return nullptr;
  auto above = op->second.upper_bound(version);
  return above == op->second.begin() ? nullptr : &std::prev(above)->second;
}

bool OpTable::hasAnyVersion(llvm::StringRef domain, llvm::StringRef name) const {
  return rows.count({canonicalDomain(domain).str(), name.str()}) != 0;
}

const OpTable &OpTable::get() {
  static const OpTable table = [] {
    OpTable filled;
    registerAllOps(filled);
    return filled;
  }();
  return table;
}

} // namespace hexin::onnx
