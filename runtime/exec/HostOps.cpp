// The host's kernels, by libhexin_reference.
#include "runtime/exec/HostOps.h"

#if HEXIN_WITH_REFERENCE
#include "runtime/device/Library.h"
#include "runtime/host/HostTable.h"

#include <string_view>
#endif

namespace hexin {

#if HEXIN_WITH_REFERENCE

static Result<const host::HostTable *> load() {
  auto symbol = loadSymbol(libraryFolders("HEXIN_BACKEND_PATH"), host::referenceLibrary,
                           host::tableSymbol);
  if (!symbol)
    return unavailable(std::string("instructions on the host need ") +
                       host::referenceLibrary + ": " + symbol.status().message());
  const host::HostTable *table = reinterpret_cast<host::TableFn>(*symbol)();
  if (std::string_view(table->build) != HEXIN_BUILD_ID)
    return versionMismatch(std::string(host::referenceLibrary) + " is of build " +
                           table->build +
                           ", libhexin of " HEXIN_BUILD_ID ": install both together");
  return table;
}

/// Loaded once; a failure is final for the process.
static Result<const host::HostTable *> kernels() {
  static const Result<const host::HostTable *> loaded = load();
  return loaded;
}

bool isHostOp(const std::string &op) {
  auto table = kernels();
  return table && (*table)->isHostOp(op);
}

Result<std::vector<Value>> runHostOp(const std::string &op, const Attributes &attributes,
                                     std::span<const Value *const> operands,
                                     std::span<const HostResultType> results,
                                     std::span<Value *const> spent) {
  HEXIN_ASSIGN_OR_RETURN(const host::HostTable *table, kernels());
  std::vector<host::ResultType> types;
  for (const HostResultType &result : results)
    types.push_back({result.kind, result.dtype});
  return table->run(op, attributes, operands, types, spent);
}

Result<std::vector<Tensor>> runHostOp(const std::string &op, const Attributes &attributes,
                                      std::span<const Tensor *const> operands,
                                      std::span<const DType> resultTypes) {
  HEXIN_ASSIGN_OR_RETURN(const host::HostTable *table, kernels());
  return table->runReference(op, attributes, operands, resultTypes, {});
}

#else

static Status notBuilt(const std::string &op) {
  return unavailable("'" + op +
                     "' runs on the host, and this libhexin was built without "
                     "the reference kernels");
}

bool isHostOp(const std::string &) { return false; }

Result<std::vector<Value>> runHostOp(const std::string &op, const Attributes &,
                                     std::span<const Value *const>,
                                     std::span<const HostResultType>,
                                     std::span<Value *const>) {
  return notBuilt(op);
}

Result<std::vector<Tensor>> runHostOp(const std::string &op, const Attributes &,
                                      std::span<const Tensor *const>,
                                      std::span<const DType>) {
  return notBuilt(op);
}

#endif

} // namespace hexin
