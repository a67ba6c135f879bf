//===- Npy.h - NumPy's .npy files ------------------------------------------===//
//
// Format versions 1 to 3, little endian, plain element types; no pickles, no
// structured types. Reading is bounded: the header is at most 64 KiB and the
// sizes in it must agree with the length of the file before memory is taken.
//
// Types that NumPy does not know are stored as their bits: bf16 as uint16, the
// 8-bit floats as uint8, 4- and 2-bit integers as one int8 or uint8 each.
// Strings are UTF-32 arrays (dtype '<U…').
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_NPY_H
#define HEXIN_RUNTIME_TOOLS_NPY_H

#include "hexin/status.h"
#include "hexin/value.h"

#include <optional>
#include <string>

namespace hexin::cli {

struct NpyFile {
  Value value;                ///< a tensor or a string tensor, row-major
  bool wasTransposed = false; ///< the file was in Fortran order
};

/// Reads `path`. `expected` decides what bits mean: uint16 or 2 raw bytes are
/// taken as bf16 where that is expected, uint8/int8 or 1 raw byte as an 8-bit or
/// narrower type. Any other difference to `expected` is left to the caller.
Result<NpyFile> readNpy(const std::string &path,
                        std::optional<DType> expected = std::nullopt);

/// Writes a tensor or a string tensor. A file that could not be written whole is
/// removed.
Status writeNpy(const std::string &path, const Value &value);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_NPY_H
