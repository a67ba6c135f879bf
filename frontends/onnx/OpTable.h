//===- OpTable.h - which function imports which version of which operator -------===//
//
// One row per (domain, operator, sinceVersion): a function stands from that
// version on, until the next row of the same operator. Families register their
// rows in ops/<Family>.cpp; registerAllOps lists the families.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPTABLE_H
#define HEXIN_FRONTENDS_ONNX_OPTABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <map>
#include <string>
#include <vector>

namespace hexin::onnx {

class OpBinder;

/// Builds the node's ops and sets its results. Errors go through the binder.
using ImportFn = void (*)(OpBinder &);

struct OpRow {
  static constexpr unsigned any = ~0u;

  const char *name;
  int sinceVersion;
  unsigned minInputs; ///< these must be given
  unsigned maxInputs;
  ImportFn import;
};

class OpTable {
public:
  void add(llvm::StringRef domain, llvm::ArrayRef<OpRow> rows);

  /// The row with the highest version not above `version`; null when there is
  /// none.
  const OpRow *find(llvm::StringRef domain, llvm::StringRef name, int64_t version) const;
  /// Whether any version of the operator is there.
  bool hasAnyVersion(llvm::StringRef domain, llvm::StringRef name) const;

  /// All rows of all families, built on first use.
  static const OpTable &get();

private:
  std::map<std::pair<std::string, std::string>, std::map<int64_t, OpRow>> rows;
};

/// "ai.onnx" and "" are the same domain.
llvm::StringRef canonicalDomain(llvm::StringRef domain);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPTABLE_H
