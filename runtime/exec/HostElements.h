//===- HostElements.h - integers out of host tensors, for shape logic ------------===//
#ifndef HEXIN_RUNTIME_EXEC_HOSTELEMENTS_H
#define HEXIN_RUNTIME_EXEC_HOSTELEMENTS_H

#include "runtime/exec/ExprTable.h"

#include "hexin/value.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace hexin {

/// Element `index` of `bytes` as i64. Failed: outOfRange behind the last one,
/// overflow for a u64 that i64 cannot hold.
ExprResult readElement(DType dtype, std::span<const std::byte> bytes, int64_t index);

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_HOSTELEMENTS_H
