#include "runtime/tools/Arguments.h"
#include "runtime/tools/CacheDir.h"
#include "runtime/tools/Commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace hexin::cli {
namespace {

Status showCache(bool asJson) {
  HEXIN_ASSIGN_OR_RETURN(CacheDirectory directory, findCacheDirectory());
  HEXIN_ASSIGN_OR_RETURN(auto usages, measureCache(directory.path));
  uint64_t files = 0, bytes = 0;
  nlohmann::json list = nlohmann::json::array();
  for (const CacheUsage &usage : usages) {
    files += usage.files;
    bytes += usage.bytes;
    list.push_back(
        {{"name", usage.name}, {"files", usage.files}, {"bytes", usage.bytes}});
  }
  if (asJson) {
    nlohmann::json report = {{"path", directory.path},
                             {"origin", directory.origin},
                             {"files", files},
                             {"bytes", bytes},
                             {"caches", list}};
    auto text = report.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
    return Status::success();
  }
  std::printf("%s (from %s)\n", directory.path.c_str(), directory.origin.c_str());
  for (const CacheUsage &usage : usages)
    std::printf("  %-12s %6llu files  %s\n", usage.name.c_str(),
                static_cast<unsigned long long>(usage.files),
                formatBytes(usage.bytes).c_str());
  std::printf("  %-12s %6llu files  %s\n", "total",
              static_cast<unsigned long long>(files), formatBytes(bytes).c_str());
  return Status::success();
}

Status clearAll() {
  HEXIN_ASSIGN_OR_RETURN(CacheDirectory directory, findCacheDirectory());
  HEXIN_ASSIGN_OR_RETURN(auto left, clearCache(directory.path));
  std::printf("cleared %s\n", directory.path.c_str());
  for (const std::string &path : left)
    std::printf("  left alone, as no cache of Hexin's: %s\n", path.c_str());
  return Status::success();
}

} // namespace

void addCacheCommand(CLI::App &app, Context &context) {
  auto asJson = std::make_shared<bool>(false);
  CLI::App *sub = app.add_subcommand("cache", "Show or clear what Hexin keeps on disk");
  sub->require_subcommand(0, 1);
  CLI::App *show =
      sub->add_subcommand("show", "Where the caches lie and how large they are");
  CLI::App *clear =
      sub->add_subcommand("clear", "Remove the caches' entries, nothing else");
  sub->add_flag("--json", *asJson, "Report as JSON (show)");
  show->fallthrough();
  sub->final_callback([=, &context] {
    context.status = clear->parsed() ? clearAll() : showCache(*asJson);
  });
}

} // namespace hexin::cli
