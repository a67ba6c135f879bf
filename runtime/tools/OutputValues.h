//===- OutputValues.h - results as files, text and JSON ----------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_OUTPUTVALUES_H
#define HEXIN_RUNTIME_TOOLS_OUTPUTVALUES_H

#include "hexin/session.h"

#include <nlohmann/json.hpp>

#include <set>
#include <string>

namespace hexin::cli {

/// `name` with everything but ASCII letters, digits, '.', '_' and '-' replaced
/// by '_', no leading '.', at most 200 characters, never empty.
std::string safeFileName(const std::string &name);

/// Puts values into one directory.
class OutputDirectory {
public:
  /// Creates `path` and what leads to it.
  static Result<OutputDirectory> open(const std::string &path);

  /// Tensors become NAME.npy; sequences NAME.0.npy, NAME.1.npy, …; maps
  /// NAME.json; an absent optional nothing. Names that are equal once made safe
  /// are told apart by a number. Gives the file names, without the directory.
  Result<std::vector<std::string>> write(const std::string &name, const Value &value);

private:
  explicit OutputDirectory(std::string path) : path_(std::move(path)) {}
  std::string uniqueStem(const std::string &name);
  Status writeUnder(const std::string &stem, const Value &value,
                    std::vector<std::string> &files);

  std::string path_;
  std::set<std::string> stems_;
};

/// Kind, dtype, dims and, for numbers, min, max, mean and how many are not
/// finite. Non-finite figures are left out: JSON has none.
nlohmann::json summarise(const Value &value);

/// `summary` (from summarise) as one line.
std::string formatSummary(const nlohmann::json &summary);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_OUTPUTVALUES_H
