//===- ConstantContents.h - small integer data as numbers -------------------------===//
#ifndef HEXIN_COMPILER_IR_CONSTANTCONTENTS_H
#define HEXIN_COMPILER_IR_CONSTANTCONTENTS_H

#include "mlir/IR/Value.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace hexin::hx {

/// Row-major elements of an hx.constant or hx.weight of at most `maxElements`
/// elements: integers, bools, or floats that all hold integers. nullopt for
/// anything else, and for a weight whose module has no WeightStore.
std::optional<std::vector<int64_t>> constantContents(mlir::Value value,
                                                     int64_t maxElements);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_CONSTANTCONTENTS_H
