#include "runtime/exec/FaultReport.h"

#include "runtime/device/KernelAbi.h"

#include <cstring>
#include <span>

namespace hexin {

FaultReport::FaultReport(const fmt::Program &program, SessionMemory &memory)
    : program_(program), memory_(memory), rows_(fmt::sizeOf(program.faults())) {}

Status FaultReport::reset() {
  if (rows_.empty())
    return Status::success();
  std::span<Row> rows(rows_);
  std::memset(rows.data(), 0, rows.size_bytes());
  uint32_t slot = memory_.slots().faults;
  HEXIN_RETURN_IF_ERROR(memory_.reserve(slot, rows.size_bytes()));
  return memory_.upload(slot, 0, rows.data(), rows.size_bytes());
}

Status FaultReport::take() {
  if (rows_.empty())
    return Status::success();
  std::span<Row> rows(rows_);
  HEXIN_RETURN_IF_ERROR(
      memory_.download(memory_.slots().faults, 0, rows.data(), rows.size_bytes()));
  for (uint32_t i = 0; i < rows.size(); ++i) {
    auto [sizeAndOne, index] = rows[i];
    if (sizeAndOne == 0)
      continue;
    bool countsFromEnd = sizeAndOne > 0;
    const fmt::Fault *fault = program_.faults()->Get(i);
    std::string where = fault->op() ? fault->op()->str() : "an op";
    if (fault->node())
      where = "'" + fault->node()->str() + "' (" + where + ")";
    HEXIN_RETURN_IF_ERROR(reset());
    if (sizeAndOne < -lengthFault / 2)
      return outOfRange(where + ": length " + std::to_string(index) +
                        " is outside of its axis: expected one from 0 to " +
                        std::to_string(sizeAndOne + lengthFault));
    int64_t size = countsFromEnd ? sizeAndOne - 1 : -(sizeAndOne + 1);
    return outOfRange(where + ": index " + std::to_string(index) +
                      " is outside of its axis: expected one from " +
                      std::to_string(countsFromEnd ? -size : 0) + " to " +
                      std::to_string(size - 1));
  }
  return Status::success();
}

} // namespace hexin
