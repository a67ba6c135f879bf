#include "runtime/host/HostKernels.h"

#include "runtime/base/ValueCheck.h"
#include "runtime/host/Kernel.h"

#include <new>
#include <stdexcept>

namespace hexin::host {
namespace {

constexpr size_t anyNumber = ~size_t(0);

struct KernelRow {
  std::string_view name;
  Values (*run)(const Call &);
  size_t required; ///< the first so many operands must be there
  size_t operands; ///< with the optional ones
  size_t results = 1;
};

constexpr KernelRow kernels[] = {
    {"share", runShare, 1, 1},
    {"seq_make", runSeqMake, 0, anyNumber},
    {"seq_at", runSeqAt, 2, 2},
    {"seq_insert", runSeqInsert, 2, 3},
    {"seq_erase", runSeqErase, 1, 2},
    {"seq_length", runSeqLength, 1, 1},
    {"seq_split", runSeqSplit, 1, 2},
    {"seq_concat", runSeqConcat, 1, 1},
    {"opt_make", runOptMake, 0, 1},
    {"opt_get", runOptGet, 1, 1},
    {"opt_has", runOptHas, 1, 1},
    {"map_make", runMapMake, 1, 1},
    {"map_read", runMapRead, 1, 1},
    {"string_constant", runConstant, 0, 0},
    {"string_concat", runStringConcat, 2, 2},
    {"string_split", runStringSplit, 1, 1, 2},
    {"string_normalize", runStringNormalize, 1, 1},
    {"lookup", runLookup, 1, 1},
    {"ngram_count", runNgramCount, 1, 1},
    {"regex_match", runRegexMatch, 1, 1},
    {"decode_image", runDecodeImage, 1, 1},
};

const KernelRow *find(std::string_view op) {
  for (const KernelRow &row : kernels)
    if (row.name == op)
      return &row;
  return nullptr;
}

Values runChecked(const Call &call) {
  if (const KernelRow *row = find(call.op)) {
    if (call.operands.size() < row->required || call.operands.size() > row->operands ||
        call.results.size() != row->results)
      return invalidArgument("it has " + std::to_string(call.operands.size()) +
                             " operands and " + std::to_string(call.results.size()) +
                             " results");
    bool isVariadic = row->operands == anyNumber;
    for (size_t i = 0; i < call.operands.size(); ++i)
      if (!call.operands[i] && (isVariadic || i < row->required))
        return invalidArgument("operand " + std::to_string(i) + " is missing");
    return row->run(call);
  }
  if (call.op == "cast")
    return runCast(call);
  if (movesStrings(call.op))
    return runMoves(call);
  return unsupported("there is no kernel for it on the host");
}

} // namespace

bool isHostOp(std::string_view op) { return find(op) != nullptr; }

Values run(std::string_view op, const Attributes &attributes,
           std::span<const Value *const> operands, std::span<const ResultType> results,
           std::span<Value *const> spent) {
  Status status;
  try {
    Values values = runChecked({op, attributes, operands, results, spent});
    if (values.ok())
      return values;
    status = values.status();
  } catch (const std::bad_alloc &) {
    status = resourceExhausted("no memory for its result");
  } catch (const std::length_error &) {
    status = resourceExhausted("its result would be larger than any memory");
  }
  return status.withContext("hx." + std::string(op));
}

} // namespace hexin::host
