//===- AxisRuns.h - axes that a transpose keeps side by side ------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_AXISRUNS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_AXISRUNS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace hexin::codegen {

/// Axes of the result [first, end) that are neighbours in the operand too.
struct AxisRun {
  size_t first, end;
};

/// All of them, in the result's order.
inline llvm::SmallVector<AxisRun> runsOf(llvm::ArrayRef<int64_t> perm) {
  llvm::SmallVector<AxisRun> runs;
  for (size_t axis = 0; axis < perm.size(); ++axis)
    if (axis > 0 && perm[axis] == perm[axis - 1] + 1)
      ++runs.back().end;
    else
      runs.push_back({axis, axis + 1});
  return runs;
}

/// The run that stands last in the operand.
inline size_t lastOfOperand(llvm::ArrayRef<AxisRun> runs, llvm::ArrayRef<int64_t> perm) {
  size_t last = 0;
  while (perm[runs[last].end - 1] != static_cast<int64_t>(perm.size()) - 1)
    ++last;
  return last;
}

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_AXISRUNS_H
