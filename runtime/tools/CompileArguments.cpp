#include "runtime/tools/CompileArguments.h"

#include "runtime/tools/Arguments.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace hexin::cli {

void addCompileArguments(CLI::App &command, CompileArguments &arguments) {
  command
      .add_option("--targets", arguments.targets,
                  "Targets to compile for, as in cpu,opencl")
      ->delimiter(',')
      ->type_name("TARGET,…")
      ->allow_extra_args(false);
  command
      .add_option(
          "--allow-fallback", arguments.allowFallback,
          "hx ops (as --explain names them) or node names that may run off the device")
      ->delimiter(',')
      ->type_name("NAME,…")
      ->allow_extra_args(false);
  command
      .add_option("--disable", arguments.disable,
                  "Libraries, hx ops or schedules to do without, as in onednn")
      ->delimiter(',')
      ->type_name("NAME,…")
      ->allow_extra_args(false);
  command
      .add_option("--prefer", arguments.prefer,
                  "Libraries that go before our kernels wherever they can, as in onednn")
      ->delimiter(',')
      ->type_name("NAME,…")
      ->allow_extra_args(false);
  command
      .add_option("--cpu-archs", arguments.cpuArchs,
                  "cpu images to emit; default x86-64-v2,x86-64-v3,x86-64-v4")
      ->delimiter(',')
      ->type_name("ARCH,…")
      ->allow_extra_args(false);
  command
      .add_option(
          "--prepack", arguments.prepack,
          "Weights in forms of kernels' own that follow from others: lazy, they "
          "are made when first used and kept in the cache; full, they are shipped")
      ->check(CLI::IsMember({"lazy", "full"}))
      ->type_name("WHEN");
  command
      .add_option("--precision", arguments.precision,
                  "Of products with constant weights: f32; bf16, both sides rounded to "
                  "it and summed in f32; int8-dynamic, where weights are of 8 bits, the "
                  "other side too, by a scale for each row of each run")
      ->check(CLI::IsMember({"f32", "bf16", "int8-dynamic"}))
      ->type_name("TYPE");
  command
      .add_option(
          "--max-error", arguments.maxError,
          "By how much of an output's largest value --precision may change it, "
          "on made inputs; default 0.0625 (int8-dynamic: 1), inf measures nothing")
      ->type_name("NUMBER");
  command
      .add_option("--compile-threads", arguments.threads,
                  "Threads of the compiler; 0 is one per core")
      ->capture_default_str();
  command.add_flag("--explain", arguments.explain,
                   "Print for every op where it runs, by which kernel and why");
  command.add_flag("--verify-each", arguments.verifyEach,
                   "Check the program after every pass of the compiler");
}

CompileOptions toCompileOptions(const CompileArguments &arguments) {
  CompileOptions options;
  if (!arguments.targets.empty())
    options.targets = arguments.targets;
  options.allowFallback = arguments.allowFallback;
  options.disable = arguments.disable;
  options.prefer = arguments.prefer;
  options.cpuArchs = arguments.cpuArchs;
  options.prepack = arguments.prepack;
  options.precision = arguments.precision;
  options.maxError = arguments.maxError;
  options.threads = arguments.threads;
  options.explain = arguments.explain;
  options.verifyEach = arguments.verifyEach;
  return options;
}

void printReport(const CompileReport &report, const std::string &outPath, bool asJson) {
  if (asJson) {
    nlohmann::json json = {
        {"artifact", outPath},       {"artifactBytes", report.artifactBytes},
        {"kernels", report.kernels}, {"kernelsReused", report.kernelsReused},
        {"seconds", report.seconds}, {"error", report.error}};
    if (!report.text.empty())
      json["text"] = report.text;
    auto text = json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
    return;
  }
  if (!report.text.empty()) {
    bool endsLine = report.text.back() == '\n';
    std::printf("%s%s", report.text.c_str(), endsLine ? "" : "\n");
  }
  if (!outPath.empty())
    std::printf("%s: %s, %llu kernels (%llu from the cache), %.2f s\n", outPath.c_str(),
                formatBytes(report.artifactBytes).c_str(),
                static_cast<unsigned long long>(report.kernels),
                static_cast<unsigned long long>(report.kernelsReused), report.seconds);
  if (report.error > 0)
    std::printf("error of the precision, of an output's largest value: %.2g\n",
                report.error);
}

} // namespace hexin::cli
