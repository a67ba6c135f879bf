#include "hexin/model.h"
#include "runtime/tools/Commands.h"
#include "runtime/tools/InspectText.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>

namespace hexin::cli {
namespace {

struct InspectCommand {
  std::string path;
  bool verifyHashes = false;
  bool showInstructions = false;
  bool asJson = false;
};

Status runInspect(const InspectCommand &command) {
  HEXIN_ASSIGN_OR_RETURN(
      Model model, Model::open(command.path, {.verifyHashes = command.verifyHashes}));
  std::string text = command.asJson ? model.describeJson() + "\n"
                                    : inspectText(model, command.showInstructions);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return Status::success();
}

} // namespace

void addInspectCommand(CLI::App &app, Context &context) {
  auto command = std::make_shared<InspectCommand>();
  CLI::App *sub = app.add_subcommand("inspect", "Show what is in a .hxm file");
  sub->add_option("file", command->path, "The .hxm file")
      ->required()
      ->type_name("FILE.hxm");
  sub->add_flag("--verify", command->verifyHashes,
                "Read the whole file and check every section's hash");
  sub->add_flag("--instructions", command->showInstructions,
                "List each program's instructions: op, kernel, source nodes, reason");
  sub->add_flag("--json", command->asJson, "Everything, as JSON");
  sub->callback([command, &context] { context.status = runInspect(*command); });
}

} // namespace hexin::cli
