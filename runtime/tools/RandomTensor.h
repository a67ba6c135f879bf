//===- RandomTensor.h - reproducible random inputs --------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_RANDOMTENSOR_H
#define HEXIN_RUNTIME_TOOLS_RANDOMTENSOR_H

#include "hexin/value.h"

#include <span>
#include <string_view>

namespace hexin::cli {

/// Floats in [0, 1), integers and booleans 0 or 1. Element i is a function of
/// (seed, name, i), so no order of evaluation can change it.
Result<Tensor> randomTensor(DType dtype, std::span<const int64_t> dims,
                            std::string_view name, uint64_t seed);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_RANDOMTENSOR_H
