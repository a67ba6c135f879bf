#include "runtime/tools/Arguments.h"

#include <cctype>
#include <charconv>
#include <cstdio>

namespace hexin::cli {
namespace {

Result<DimSpec> parseDim(std::string_view token, std::string_view whole) {
  auto failed = [&](std::string_view why) {
    return invalidArgument("'" + std::string(token) + "' in the sizes '" +
                           std::string(whole) + "' " + std::string(why) +
                           "; expected numbers, names or '?' as in 1x3xHxW");
  };
  if (token.empty())
    return failed("is empty");
  if (token == "?" || token == "-1")
    return DimSpec();
  unsigned char first = static_cast<unsigned char>(token.front());
  if (std::isalpha(first) || first == '_')
    return DimSpec(std::string(token));
  int64_t dim = 0;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), dim);
  if (error == std::errc::result_out_of_range)
    return failed("does not fit 64 bits");
  if (error != std::errc() || end != token.data() + token.size())
    return failed("is neither a number nor a name");
  if (dim < 0)
    return failed("is negative");
  return DimSpec(dim);
}

} // namespace

Result<std::pair<std::string, std::string>> parseAssignment(std::string_view option,
                                                            std::string_view text) {
  size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return invalidArgument(std::string(option) + " takes NAME=VALUE, got '" +
                           std::string(text) + "'");
  return std::pair(std::string(text.substr(0, equals)),
                   std::string(text.substr(equals + 1)));
}

Result<std::vector<DimSpec>> parseDims(std::string_view text) {
  std::vector<DimSpec> dims;
  if (text.empty())
    return dims;
  char separator = text.find(',') != std::string_view::npos ? ',' : 'x';
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = text.find(separator, begin);
    if (end == std::string_view::npos)
      end = text.size();
    HEXIN_ASSIGN_OR_RETURN(DimSpec dim, parseDim(text.substr(begin, end - begin), text));
    dims.push_back(std::move(dim));
    begin = end + 1;
  }
  return dims;
}

Result<std::map<std::string, std::string>>
parseAssignments(std::string_view option, const std::vector<std::string> &texts) {
  std::map<std::string, std::string> assignments;
  for (const std::string &text : texts) {
    HEXIN_ASSIGN_OR_RETURN(auto assignment, parseAssignment(option, text));
    if (!assignments.insert(assignment).second)
      return invalidArgument(std::string(option) + " gives '" + assignment.first +
                             "' twice");
  }
  return assignments;
}

Result<ShapeMap> parseShapes(const std::vector<std::string> &texts) {
  HEXIN_ASSIGN_OR_RETURN(auto assignments, parseAssignments("--shape", texts));
  ShapeMap shapes;
  for (const auto &[name, text] : assignments) {
    auto dims = parseDims(text);
    if (!dims.ok())
      return dims.status().withContext("--shape " + name);
    shapes[name] = *std::move(dims);
  }
  return shapes;
}

std::string formatDims(const std::vector<int64_t> &dims,
                       const std::vector<std::string> &symbols) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) {
    text += i ? ", " : "";
    if (dims[i] >= 0)
      text += std::to_string(dims[i]);
    else
      text += i < symbols.size() && !symbols[i].empty() ? symbols[i] : "?";
  }
  return text + "]";
}

std::string formatBytes(uint64_t byteLength) {
  constexpr const char *units[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(byteLength);
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

} // namespace hexin::cli
