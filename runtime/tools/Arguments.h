//===- Arguments.h - the small languages of the command line ----------------===//
#ifndef HEXIN_RUNTIME_TOOLS_ARGUMENTS_H
#define HEXIN_RUNTIME_TOOLS_ARGUMENTS_H

#include "hexin/compile.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hexin::cli {

/// Splits "name=value" at the first '='. `option` is named in the error.
Result<std::pair<std::string, std::string>> parseAssignment(std::string_view option,
                                                            std::string_view text);

/// Sizes as in "1x3xHx?": numbers, names, and '?' or -1 for what the model
/// declares. Use ',' between sizes when a name holds an 'x'. An empty text is a
/// scalar.
Result<std::vector<DimSpec>> parseDims(std::string_view text);

using ShapeMap = std::map<std::string, std::vector<DimSpec>>;

/// All `--shape NAME=SIZES`. A name given twice is an error.
Result<ShapeMap> parseShapes(const std::vector<std::string> &texts);

/// All `OPTION A=B`. A name given twice is an error.
Result<std::map<std::string, std::string>>
parseAssignments(std::string_view option, const std::vector<std::string> &texts);

/// "[1, 3, H, 640]"; dynamic axes by their symbol or as '?'. `symbols` may be
/// empty.
std::string formatDims(const std::vector<int64_t> &dims,
                       const std::vector<std::string> &symbols = {});

/// "1.5 MB"; decimal units.
std::string formatBytes(uint64_t byteLength);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_ARGUMENTS_H
