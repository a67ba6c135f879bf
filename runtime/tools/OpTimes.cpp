#include "runtime/tools/OpTimes.h"

#include <algorithm>
#include <cstdio>

namespace hexin::cli {
namespace {

using nlohmann::json;

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double limitMs(double operations, double bytes, const Peak &peak) {
  double compute = peak.flops > 0 ? operations / peak.flops : 0;
  double memory = peak.readBytes > 0 ? bytes / peak.readBytes : 0;
  return std::max(compute, memory) * 1e3;
}

/// A number in `width` columns, or as many blanks.
std::string cell(const json &row, const char *key, int width, int digits,
                 double factor = 1) {
  char text[32] = "";
  if (auto found = row.find(key); found != row.end())
    std::snprintf(text, sizeof text, "%.*f", digits, found->get<double>() * factor);
  char padded[64];
  std::snprintf(padded, sizeof padded, " %*s", width, text);
  return padded;
}

} // namespace

void OpTimes::addRun(const std::string &trace) {
  ++runs;
  json parsed = json::parse(trace, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object())
    return;
  for (const json &event : parsed["traceEvents"]) {
    if (event.value("ph", "") != "X")
      continue;
    const json &arguments = event["args"];
    Op &op = ops[{event["tid"], arguments["instruction"]}];
    if (op.lastRun != runs) {
      op.lastRun = runs;
      op.launches = 0;
      op.operations = op.bytes = 0;
      op.runMs.push_back(0);
    }
    ++op.launches;
    op.runMs.back() += event["dur"].get<double>() * 1e-3;
    op.operations += arguments.value("operations", 0.0);
    op.bytes += arguments.value("bytesRead", 0.0) + arguments.value("bytesWritten", 0.0);
    op.event = event;
  }
}

json OpTimes::report(const Peak &peak) const {
  double total = 0, limit = 0;
  std::vector<json> rows;
  for (const auto &[key, op] : ops) {
    const json &arguments = op.event["args"];
    double ms = median(op.runMs);
    json row{{"instruction", key.second},
             {"op", op.event["name"]},
             {"node", arguments.value("node", "")},
             {"engine", arguments.value("engine", "host")},
             {"name", arguments.value("name", "")},
             {"launches", op.launches},
             {"ms", ms},
             {"operations", op.operations},
             {"bytes", op.bytes}};
    if (ms > 0) {
      if (op.operations > 0)
        row["gflops"] = op.operations / ms * 1e-6;
      row["gbs"] = op.bytes / ms * 1e-6;
    }
    double least = limitMs(op.operations, op.bytes, peak);
    if (least > 0 && ms > 0) {
      row["limitMs"] = least;
      row["ofLimit"] = least / ms;
    }
    total += ms;
    limit += least;
    rows.push_back(std::move(row));
  }
  for (json &row : rows)
    row["share"] = total > 0 ? row["ms"].get<double>() / total : 0;
  std::stable_sort(rows.begin(), rows.end(), [](const json &a, const json &b) {
    return a["ms"].get<double>() > b["ms"].get<double>();
  });
  json report{{"totalMs", total}, {"ops", rows}};
  report["peak"] = json::object();
  if (!peak.isa.empty())
    report["peak"]["isa"] = peak.isa;
  if (peak.flops > 0)
    report["peak"]["gflops"] = peak.flops * 1e-9;
  if (peak.readBytes > 0)
    report["peak"]["gbs"] = peak.readBytes * 1e-9;
  if (limit > 0)
    report["limitMs"] = limit;
  return report;
}

std::string formatOpTimes(const json &report) {
  const json &peak = report["peak"];
  std::string text = "peak " + cell(peak, "gflops", 0, 0) + " GFLOP/s," +
                     cell(peak, "gbs", 0, 1) + " GB/s read; all ops" +
                     cell(report, "totalMs", 0, 3) + " ms, their limits" +
                     cell(report, "limitMs", 0, 3) + " ms\n\n" +
                     "       ms     %  GFLOP/s    GB/s  of limit %  op\n";
  for (const json &row : report["ops"]) {
    text += cell(row, "ms", 8, 4) + cell(row, "share", 5, 1, 100) +
            cell(row, "gflops", 8, 1) + cell(row, "gbs", 7, 1) +
            cell(row, "ofLimit", 11, 0, 100) + "  " + row.value("op", "");
    std::string name = row.value("name", "");
    if (row.value("engine", "") == "library")
      text += " by " + name;
    if (row.value("launches", uint64_t{1}) != 1)
      text += " x " + std::to_string(row.value("launches", uint64_t{1}));
    text += "  " + row.value("node", "") + "\n";
  }
  return text;
}

} // namespace hexin::cli
