//===- FaultReport.h - what kernels found wrong with their data --------------------===//
//
// The memory behind a program's `faults` value (runtime/artifact/hexin.fbs, Fault):
// kernels that meet a bad index write its row, a session reads the rows after each
// run. Rows are zeroed when the session is made and after a fault, so that a run
// without one costs a read of a few bytes. Not thread-safe: used inside the
// session's turn.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_FAULTREPORT_H
#define HEXIN_RUNTIME_EXEC_FAULTREPORT_H

#include "runtime/artifact/Format.h"
#include "runtime/exec/SessionMemory.h"

#include "hexin/status.h"

#include <array>
#include <cstdint>
#include <vector>

namespace hexin {

class FaultReport {
public:
  FaultReport(const fmt::Program &program, SessionMemory &memory);

  /// Gives the rows memory and zeroes them.
  Status reset();

  /// The run's first fault in program order as outOfRange, after which the rows are
  /// zeros again. To be called when nothing is in flight.
  Status take();

private:
  using Row = std::array<int64_t, 2>; // size + 1 (negated: from 0 on), index

  const fmt::Program &program_;
  SessionMemory &memory_;
  std::vector<Row> rows_; // one per fault of the program
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_FAULTREPORT_H
