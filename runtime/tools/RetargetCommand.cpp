#include "hexin/compile.h"
#include "runtime/tools/Commands.h"
#include "runtime/tools/CompileArguments.h"
#include "runtime/tools/Progress.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace hexin::cli {
namespace {

struct RetargetCommand {
  std::string artifactPath;
  std::string outPath;
  CompileArguments arguments;
  bool asJson = false;
};

Status runRetarget(const RetargetCommand &command, const Context &context) {
  const std::string &outPath =
      command.outPath.empty() ? command.artifactPath : command.outPath;
  CompileOptions options = toCompileOptions(command.arguments);
  Result<CompileReport> report = CompileReport{};
  {
    Progress progress(context.showProgress);
    options.progress = [&](const std::string &phase, double fraction) {
      progress.update(phase, fraction);
    };
    report = retarget(command.artifactPath, outPath, options);
  }
  HEXIN_RETURN_IF_ERROR(report.status());
  printReport(*report, outPath, command.asJson);
  return Status::success();
}

} // namespace

void addRetargetCommand(CLI::App &app, Context &context) {
  auto command = std::make_shared<RetargetCommand>();
  CLI::App *sub = app.add_subcommand(
      "retarget", "Add programs for other targets to a .hxm file, without its model");
  sub->add_option("file", command->artifactPath, "The .hxm file")
      ->required()
      ->type_name("FILE.hxm");
  sub->add_option("-o,--output", command->outPath,
                  "The file to write; default is FILE.hxm itself")
      ->type_name("OUT.hxm");
  addCompileArguments(*sub, command->arguments);
  sub->get_option("--targets")->required();
  sub->add_flag("--json", command->asJson, "Report as JSON");
  sub->callback([command, &context] { context.status = runRetarget(*command, context); });
}

} // namespace hexin::cli
