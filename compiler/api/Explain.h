//===- Explain.h - the placement report -------------------------------------===//
#ifndef HEXIN_COMPILER_API_EXPLAIN_H
#define HEXIN_COMPILER_API_EXPLAIN_H

#include "runtime/artifact/hexin_generated.h"

#include <string>

namespace hexin::compiler {

/// Per instruction: source nodes, device, schedule, kernel, why not a better one;
/// then the counts of kernels, host ops, transfers and syncs of a run.
std::string explain(const fmt::ProgramT &program);

} // namespace hexin::compiler

#endif // HEXIN_COMPILER_API_EXPLAIN_H
