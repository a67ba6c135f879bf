//===- Dims.h - a tensor's sizes as text ------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_DIMS_H
#define HEXIN_RUNTIME_BASE_DIMS_H

#include <cstdint>
#include <span>
#include <string>

namespace hexin {

/// "[2, 3]"
std::string formatDims(std::span<const int64_t> dims);

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_DIMS_H
