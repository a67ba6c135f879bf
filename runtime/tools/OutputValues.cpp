#include "runtime/tools/OutputValues.h"

#include "runtime/tools/Arguments.h"
#include "runtime/tools/Npy.h"
#include "runtime/tools/Scalars.h"

#include <cctype>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>

namespace hexin::cli {
namespace {

using nlohmann::json;

/// The values in full, for maps.
json toJson(const Value &value) {
  if (const Tensor *tensor = value.tensor()) {
    json elements = json::array();
    for (int64_t i = 0; i < tensor->numElements(); ++i)
      elements.push_back(elementAsDouble(*tensor, i).value_or(0));
    return tensor->dims().empty() && elements.size() == 1 ? elements[0] : elements;
  }
  if (const StringTensor *strings = value.strings())
    return strings->elements;
  if (const Optional *optional = value.optional())
    return optional->value ? toJson(*optional->value) : json();
  json result;
  if (const Sequence *sequence = value.sequence()) {
    result = json::array();
    for (const Value &element : sequence->elements)
      result.push_back(toJson(element));
  } else if (const Map *map = value.map()) {
    result = json::object();
    for (const auto &[key, element] : map->entries) {
      const int64_t *number = std::get_if<int64_t>(&key);
      result[number ? std::to_string(*number) : std::get<std::string>(key)] =
          toJson(element);
    }
  }
  return result;
}

json summariseTensor(const Tensor &tensor) {
  json summary = {{"kind", "tensor"},
                  {"dtype", std::string(toString(tensor.dtype()))},
                  {"dims", tensor.dims()}};
  double sum = 0, lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  int64_t finite = 0;
  for (int64_t i = 0; i < tensor.numElements(); ++i) {
    auto element = elementAsDouble(tensor, i);
    if (!element)
      return summary;
    if (!std::isfinite(*element))
      continue;
    ++finite;
    sum += *element;
    lowest = std::min(lowest, *element);
    highest = std::max(highest, *element);
  }
  if (finite > 0) {
    summary["min"] = lowest;
    summary["max"] = highest;
    summary["mean"] = sum / static_cast<double>(finite);
  }
  if (finite != tensor.numElements())
    summary["nonFinite"] = tensor.numElements() - finite;
  return summary;
}

/// Text that is not UTF-8 becomes U+FFFD instead of an exception.
std::string dump(const json &value) {
  return value.dump(1, ' ', false, json::error_handler_t::replace);
}

Status writeText(const std::string &path, const std::string &text) {
  std::ofstream file(path, std::ios::binary);
  file << text << '\n';
  file.close();
  return file ? Status::success() : ioError("cannot write '" + path + "'");
}

} // namespace

std::string safeFileName(const std::string &name) {
  constexpr size_t maxLength = 200;
  std::string safe = name.substr(0, maxLength);
  for (char &c : safe)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-')
      c = '_';
  if (safe.empty())
    return "_";
  if (safe.front() == '.')
    safe.front() = '_';
  return safe;
}

Result<OutputDirectory> OutputDirectory::open(const std::string &path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    return ioError("cannot make the directory '" + path + "': " + error.message());
  return OutputDirectory(path);
}

std::string OutputDirectory::uniqueStem(const std::string &name) {
  std::string safe = safeFileName(name);
  std::string stem = safe;
  for (int number = 2; !stems_.insert(stem).second; ++number)
    stem = safe + "_" + std::to_string(number);
  return stem;
}

Status OutputDirectory::writeUnder(const std::string &stem, const Value &value,
                                   std::vector<std::string> &files) {
  if (value.tensor() || value.strings()) {
    files.push_back(stem + ".npy");
    return writeNpy(path_ + "/" + files.back(), value);
  }
  if (value.map()) {
    files.push_back(stem + ".json");
    return writeText(path_ + "/" + files.back(), dump(toJson(value)));
  }
  if (const Optional *optional = value.optional())
    return optional->value ? writeUnder(stem, *optional->value, files)
                           : Status::success();
  size_t index = 0;
  for (const Value &element : value.sequence()->elements)
    HEXIN_RETURN_IF_ERROR(
        writeUnder(uniqueStem(stem + "." + std::to_string(index++)), element, files));
  return Status::success();
}

Result<std::vector<std::string>> OutputDirectory::write(const std::string &name,
                                                        const Value &value) {
  std::vector<std::string> files;
  HEXIN_RETURN_IF_ERROR(writeUnder(uniqueStem(name), value, files));
  return files;
}

json summarise(const Value &value) {
  if (const Tensor *tensor = value.tensor())
    return summariseTensor(*tensor);
  if (const StringTensor *strings = value.strings())
    return {{"kind", "strings"}, {"dtype", "string"}, {"dims", strings->dims}};
  if (const Optional *optional = value.optional()) {
    json summary = {{"kind", "optional"}};
    if (optional->value)
      summary["value"] = summarise(*optional->value);
    return summary;
  }
  if (const Map *map = value.map())
    return {{"kind", "map"}, {"length", map->entries.size()}};
  json elements = json::array();
  for (const Value &element : value.sequence()->elements)
    elements.push_back(summarise(element));
  return {{"kind", "sequence"}, {"length", elements.size()}, {"elements", elements}};
}

std::string formatSummary(const json &summary) {
  std::string kind = summary.value("kind", "");
  if (kind == "optional")
    return summary.contains("value") ? formatSummary(summary["value"]) : "nothing";
  if (kind == "sequence" || kind == "map")
    return kind + " of " + std::to_string(summary.value("length", 0));
  std::string line = summary.value("dtype", "") + " " +
                     formatDims(summary.value("dims", std::vector<int64_t>()));
  if (summary.contains("min")) {
    char figures[96];
    std::snprintf(figures, sizeof(figures), "  min %.6g  max %.6g  mean %.6g",
                  summary.value("min", 0.0), summary.value("max", 0.0),
                  summary.value("mean", 0.0));
    line += figures;
  }
  if (summary.contains("nonFinite"))
    line += "  not finite: " + std::to_string(summary.value("nonFinite", int64_t{0}));
  return line;
}

} // namespace hexin::cli
