#include "hexin/device.h"
#include "hexin/session.h"
#include "runtime/tools/Arguments.h"
#include "runtime/tools/Commands.h"
#include "runtime/tools/CpuPeak.h"
#include "runtime/tools/InputValues.h"
#include "runtime/tools/ModelFile.h"
#include "runtime/tools/OpTimes.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <sys/resource.h>

namespace hexin::cli {
namespace {

using nlohmann::json;

struct BenchCommand {
  SessionArguments session;
  InputOptions inputs;
  uint32_t runs = 20;
  uint32_t warmup = 3;
  bool perOp = false;
  double peakGflops = 0, peakGbs = 0; ///< of the device; 0: measured where we can
  bool asJson = false;
};

class Stopwatch {
public:
  /// Milliseconds since the construction or the last lap.
  double lapMs() {
    auto now = std::chrono::steady_clock::now();
    std::chrono::duration<double, std::milli> elapsed = now - begin_;
    begin_ = now;
    return elapsed.count();
  }

private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// The smallest time that at least `fraction` of the sorted runs do not exceed.
double quantile(const std::vector<double> &sortedMs, double fraction) {
  size_t index = static_cast<size_t>(fraction * static_cast<double>(sortedMs.size()));
  return sortedMs[std::min(index, sortedMs.size() - 1)];
}

uint64_t peakMemoryBytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

/// Figures mean little without the machine they were taken on.
json describeDevice(const std::string &id) {
  for (const DeviceInfo &device : listDevices())
    if (device.id == id)
      return {{"id", id},
              {"name", device.name},
              {"driver", device.driver},
              {"imageArchs", device.imageArchs},
              {"computeUnits", device.computeUnits}};
  return {{"id", id}};
}

/// Whether the device computes on this machine's cores, as machine code.
bool runsMachineCode(const json &device) {
  for (const json &arch : device.value("imageArchs", json::array()))
    if (arch.get<std::string>().starts_with("x86-64"))
      return true;
  return false;
}

/// What the limit of an op is taken from; without a part that is not known.
Peak peakOf(const BenchCommand &command, const std::string &device) {
  Peak peak;
  bool isGiven = command.peakGflops > 0 && command.peakGbs > 0;
  json described = describeDevice(device);
  if (!isGiven && runsMachineCode(described)) {
    uint32_t threads = command.session.session.threads;
    if (threads == 0)
      threads = described.value("computeUnits", 1u);
    if (auto measured = measureCpuPeak(threads))
      peak = *measured;
  }
  if (command.peakGflops > 0)
    peak.flops = command.peakGflops * 1e9;
  if (command.peakGbs > 0)
    peak.readBytes = command.peakGbs * 1e9;
  return peak;
}

/// Runs once more as often, profiled, in a session of its own: the clock is read around
/// every launch.
Result<json> measureOps(const BenchCommand &command, const Model &model,
                        SessionArguments arguments, const NamedValues &inputs) {
  arguments.session.profile = true;
  HEXIN_ASSIGN_OR_RETURN(Session session, createSession(model, arguments));
  for (uint32_t i = 0; i < command.warmup + 1; ++i)
    HEXIN_RETURN_IF_ERROR(session.run(inputs).status());
  OpTimes times;
  for (uint32_t i = 0; i < command.runs; ++i) {
    HEXIN_RETURN_IF_ERROR(session.run(inputs).status());
    HEXIN_ASSIGN_OR_RETURN(std::string trace, session.trace());
    times.addRun(trace);
  }
  return times.report(peakOf(command, session.device()));
}

Result<json> measure(const BenchCommand &command, const Context &context) {
  Stopwatch watch;
  HEXIN_ASSIGN_OR_RETURN(Model model, openModel(command.session, context));
  double openMs = watch.lapMs();
  HEXIN_ASSIGN_OR_RETURN(MadeInputs inputs, makeInputs(model, command.inputs));
  watch.lapMs();
  SessionArguments arguments = command.session;
  arguments.session.seed = command.inputs.seed;
  HEXIN_ASSIGN_OR_RETURN(Session session, createSession(model, arguments));
  double sessionMs = watch.lapMs();
  HEXIN_RETURN_IF_ERROR(inputs.explain(session.run(inputs.values).status()));
  double firstRunMs = watch.lapMs();

  for (uint32_t i = 0; i < command.warmup; ++i)
    HEXIN_RETURN_IF_ERROR(session.run(inputs.values).status());
  std::vector<double> timesMs(command.runs);
  for (double &timeMs : timesMs) {
    watch.lapMs();
    HEXIN_RETURN_IF_ERROR(session.run(inputs.values).status());
    timeMs = watch.lapMs();
  }
  std::sort(timesMs.begin(), timesMs.end());

  json dims = json::object();
  for (const NamedValue &input : inputs.values)
    if (const Tensor *tensor = input.value.tensor())
      dims[input.name] = tensor->dims();
  SessionStats stats = session.stats();
  json ops;
  if (command.perOp) {
    HEXIN_ASSIGN_OR_RETURN(ops, measureOps(command, model, arguments, inputs.values));
  }
  json report{{"model", command.session.path},
              {"device", describeDevice(session.device())},
              {"threads", command.session.session.threads},
              {"maxIsa", command.session.session.maxIsa},
              {"shapes", dims},
              {"inputs", inputs.describe()},
              {"openMs", openMs},
              {"sessionMs", sessionMs},
              {"firstRunMs", firstRunMs},
              {"runs", command.runs},
              {"minMs", timesMs.front()},
              {"medianMs", quantile(timesMs, 0.5)},
              {"p90Ms", quantile(timesMs, 0.9)},
              {"meanMs", std::accumulate(timesMs.begin(), timesMs.end(), 0.0) /
                             static_cast<double>(timesMs.size())},
              {"peakMemoryBytes", peakMemoryBytes()},
              {"arenaBytes", stats.arenaBytes},
              {"plans", stats.plans},
              {"kernelsCompiled", stats.kernelsCompiled},
              {"weightsReordered", stats.weightsReordered},
              {"transfers", stats.transfers}};
  if (command.perOp)
    report["perOp"] = std::move(ops);
  return report;
}

Status runBench(const BenchCommand &command, const Context &context) {
  BenchCommand random = command;
  random.inputs.randomInputs = true;
  HEXIN_ASSIGN_OR_RETURN(json report, measure(random, context));
  if (command.asJson) {
    std::printf("%s\n",
                report.dump(1, ' ', false, json::error_handler_t::replace).c_str());
    return Status::success();
  }
  auto ms = [&](const char *key) { return report.value(key, 0.0); };
  std::printf("inputs     %s\n", report.value("inputs", "").c_str());
  std::printf("open       %10.3f ms\nsession    %10.3f ms\nfirst run  %10.3f ms\n"
              "median     %10.3f ms  of %u runs\np90        %10.3f ms\n"
              "min        %10.3f ms\npeak memory %s, arena %s\n",
              ms("openMs"), ms("sessionMs"), ms("firstRunMs"), ms("medianMs"),
              command.runs, ms("p90Ms"), ms("minMs"),
              formatBytes(report.value("peakMemoryBytes", uint64_t{0})).c_str(),
              formatBytes(report.value("arenaBytes", uint64_t{0})).c_str());
  if (command.perOp)
    std::printf("\n%s", formatOpTimes(report["perOp"]).c_str());
  return Status::success();
}

} // namespace

void addBenchCommand(CLI::App &app, Context &context) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App *sub =
      app.add_subcommand("bench", "Measure a model; inputs without a value are random");
  addSessionArguments(*sub, command->session);
  addInputOptions(*sub, command->inputs);
  sub->add_option("--runs", command->runs, "Timed runs")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  sub->add_option("--warmup", command->warmup,
                  "Runs between the first and the timed ones")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  sub->add_flag("--per-op", command->perOp,
                "Also where the time goes, beside what each op takes at least");
  sub->add_option("--peak-gflops", command->peakGflops,
                  "For --per-op: f32 GFLOP/s of the device (cpu: measured)")
      ->check(CLI::PositiveNumber);
  sub->add_option("--peak-gbs", command->peakGbs,
                  "For --per-op: GB/s that the device reads from memory (cpu: measured)")
      ->check(CLI::PositiveNumber);
  sub->add_flag("--json", command->asJson, "Report as JSON");
  sub->callback([command, &context] { context.status = runBench(*command, context); });
}

} // namespace hexin::cli
