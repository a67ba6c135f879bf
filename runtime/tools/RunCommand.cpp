#include "hexin/session.h"
#include "runtime/tools/Commands.h"
#include "runtime/tools/InputValues.h"
#include "runtime/tools/ModelFile.h"
#include "runtime/tools/OutputValues.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>

namespace hexin::cli {
namespace {

using nlohmann::json;

struct RunCommand {
  SessionArguments session;
  InputOptions inputs;
  std::string outputDirectory;
  std::string tracePath;
  bool asJson = false;
};

json toJson(const SessionStats &stats) {
  return {{"plans", stats.plans},
          {"commandsPrepared", stats.commandsPrepared},
          {"commandsReused", stats.commandsReused},
          {"kernelsCompiled", stats.kernelsCompiled},
          {"weightsReordered", stats.weightsReordered},
          {"arenaBytes", stats.arenaBytes},
          {"transfers", stats.transfers}};
}

/// Summaries of `values`, with their files when `directory` is given.
Result<json> store(const NamedValues &values, OutputDirectory *directory) {
  json entries = json::array();
  for (const NamedValue &value : values) {
    json entry = summarise(value.value);
    entry["name"] = value.name;
    if (directory) {
      HEXIN_ASSIGN_OR_RETURN(entry["files"], directory->write(value.name, value.value));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

void printEntries(const json &entries) {
  for (const json &entry : entries) {
    std::printf("%s  %s", entry.value("name", "").c_str(), formatSummary(entry).c_str());
    if (entry.contains("files"))
      for (const json &file : entry["files"])
        std::printf("  -> %s", file.get<std::string>().c_str());
    std::printf("\n");
  }
}

Status writeTrace(const Session &session, const std::string &path) {
  HEXIN_ASSIGN_OR_RETURN(std::string trace, session.trace());
  std::ofstream file(path, std::ios::binary);
  file << trace;
  file.close();
  return file ? Status::success() : ioError("cannot write the trace '" + path + "'");
}

Status runRun(const RunCommand &command, const Context &context) {
  HEXIN_ASSIGN_OR_RETURN(Model model, openModel(command.session, context));
  HEXIN_ASSIGN_OR_RETURN(MadeInputs inputs, makeInputs(model, command.inputs));
  std::optional<OutputDirectory> directory;
  if (!command.outputDirectory.empty()) {
    HEXIN_ASSIGN_OR_RETURN(directory, OutputDirectory::open(command.outputDirectory));
  }
  SessionArguments arguments = command.session;
  arguments.session.profile = !command.tracePath.empty();
  arguments.session.seed = command.inputs.seed;
  HEXIN_ASSIGN_OR_RETURN(Session session, createSession(model, arguments));

  auto begin = std::chrono::steady_clock::now();
  auto outputs = session.run(inputs.values);
  HEXIN_RETURN_IF_ERROR(inputs.explain(outputs.status()));
  std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - begin;

  json report = {{"model", command.session.path},
                 {"device", session.device()},
                 {"runMs", elapsed.count()}};
  HEXIN_ASSIGN_OR_RETURN(report["outputs"],
                         store(*outputs, directory ? &*directory : nullptr));
  if (!arguments.session.dump.empty()) {
    HEXIN_ASSIGN_OR_RETURN(NamedValues dumped, session.dumped());
    HEXIN_ASSIGN_OR_RETURN(report["dumped"],
                           store(dumped, directory ? &*directory : nullptr));
  }
  if (!command.tracePath.empty())
    HEXIN_RETURN_IF_ERROR(writeTrace(session, command.tracePath));
  report["stats"] = toJson(session.stats());

  if (command.asJson) {
    std::printf("%s\n",
                report.dump(1, ' ', false, json::error_handler_t::replace).c_str());
    return Status::success();
  }
  printEntries(report["outputs"]);
  if (report.contains("dumped"))
    printEntries(report["dumped"]);
  std::printf("%s: %.3f ms (the first run prepares; see `hexin bench`)\n",
              session.device().c_str(), elapsed.count());
  return Status::success();
}

} // namespace

void addRunCommand(CLI::App &app, Context &context) {
  auto command = std::make_shared<RunCommand>();
  CLI::App *sub = app.add_subcommand("run", "Run a model once");
  addSessionArguments(*sub, command->session);
  addInputOptions(*sub, command->inputs);
  sub->add_option("--output-dir", command->outputDirectory,
                  "Write each output there as NAME.npy, unsafe characters as '_'")
      ->type_name("DIR");
  sub->add_option("--dump", command->session.session.dump,
                  "Intermediate values to report, and write, like outputs")
      ->delimiter(',')
      ->type_name("NODE,…")
      ->allow_extra_args(false);
  sub->add_option("--trace", command->tracePath,
                  "Write the times of the run as a trace that Perfetto opens")
      ->type_name("FILE.json");
  sub->add_flag("--json", command->asJson, "Report as JSON");
  sub->callback([command, &context] { context.status = runRun(*command, context); });
}

} // namespace hexin::cli
