//===- Scalars.h - single elements of a tensor as double --------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_SCALARS_H
#define HEXIN_RUNTIME_TOOLS_SCALARS_H

#include "hexin/value.h"

#include <optional>

namespace hexin::cli {

/// Element `index` of `tensor` as a double (64-bit integers may round); nullopt
/// for complex and storage-only types.
std::optional<double> elementAsDouble(const Tensor &tensor, int64_t index);

/// Stores `value` as element `index`, rounded to the tensor's type. False when
/// the type cannot hold it: a fraction or a number out of range in an integer
/// type, or a complex or storage-only type.
bool storeElement(Tensor &tensor, int64_t index, double value);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_SCALARS_H
