//===- NpyHeader.h - the text header of a .npy file -------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_NPYHEADER_H
#define HEXIN_RUNTIME_TOOLS_NPYHEADER_H

#include "hexin/status.h"
#include "hexin/value.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hexin::cli {

/// An element type as NumPy spells it: "<f4" is kind 'f', width 4.
struct NpyType {
  char kind = 0;    ///< b i u f c V U S
  size_t width = 0; ///< bytes per element
};

struct NpyHeader {
  NpyType type;
  bool isFortranOrder = false;
  std::vector<int64_t> dims;
};

/// Parses the dictionary in `text`: exactly the keys descr, fortran_order and
/// shape, at most 64 dims.
Result<NpyHeader> parseNpyHeader(std::string_view text);

/// Everything before the data: magic, version, length and a padded dictionary.
std::string formatNpyPreamble(const NpyHeader &header);

/// How tensors of `dtype` are stored (see Npy.h for the types NumPy lacks).
NpyType npyTypeOf(DType dtype);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_NPYHEADER_H
