#include "hexin/compile.h"
#include "runtime/tools/Arguments.h"
#include "runtime/tools/Commands.h"
#include "runtime/tools/CompileArguments.h"
#include "runtime/tools/Progress.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <fstream>

namespace hexin::cli {
namespace {

struct CompileCommand {
  std::string modelPath;
  std::string outPath;
  std::vector<std::string> shapes;
  std::vector<std::string> states;
  std::string emit;
  CompileArguments arguments;
  bool asJson = false;
};

Status writeText(const std::string &path, const std::string &text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return file ? Status::success() : ioError("cannot write '" + path + "'");
}

Status runCompile(const CompileCommand &command, const Context &context) {
  if (command.outPath.empty() && command.emit.empty())
    return invalidArgument("compile needs -o OUT.hxm, or --emit to print a form of the "
                           "program instead");
  bool toStdout = command.outPath == "-";
  if (toStdout && command.emit.empty())
    return invalidArgument(
        "an artifact is mapped from a file and is not written to standard "
        "output: give -o a path");
  CompileOptions options = toCompileOptions(command.arguments);
  options.emit = command.emit;
  HEXIN_ASSIGN_OR_RETURN(options.shapes, parseShapes(command.shapes));
  HEXIN_ASSIGN_OR_RETURN(options.states, parseAssignments("--state", command.states));

  Result<CompileReport> report = CompileReport{};
  {
    Progress progress(context.showProgress);
    options.progress = [&](const std::string &phase, double fraction) {
      progress.update(phase, fraction);
    };
    report = compile(command.modelPath, command.outPath, options);
  }
  HEXIN_RETURN_IF_ERROR(report.status());
  if (!command.emit.empty() && !command.outPath.empty() && !toStdout)
    return writeText(command.outPath, report->text);
  printReport(*report, command.outPath, command.asJson);
  return Status::success();
}

} // namespace

void addCompileCommand(CLI::App &app, Context &context) {
  auto command = std::make_shared<CompileCommand>();
  CLI::App *sub = app.add_subcommand("compile", "Compile an ONNX model into a .hxm file");
  sub->add_option("model", command->modelPath, "The ONNX file")
      ->required()
      ->type_name("MODEL.onnx");
  sub->add_option("-o,--output", command->outPath,
                  "The file to write; an old one survives any failure. With --emit, - is "
                  "standard output")
      ->type_name("OUT.hxm");
  sub->add_option("--shape", command->shapes,
                  "Fix or name sizes of input NAME, as in x=1x3xHx?; equal names are "
                  "equal sizes at all inputs, ? keeps what the model says")
      ->type_name("NAME=SIZES")
      ->allow_extra_args(false);
  sub->add_option("--state", command->states,
                  "Input IN takes the value of output OUT of the run before")
      ->type_name("IN=OUT")
      ->allow_extra_args(false);
  sub->add_option("--emit", command->emit,
                  "Print the program after this phase instead of compiling to the end")
      ->check(CLI::IsMember({"import", "optimized", "placed", "kernels"}));
  addCompileArguments(*sub, command->arguments);
  sub->get_option("--targets")->default_str("cpu");
  sub->add_flag("--json", command->asJson, "Report as JSON");
  sub->callback([command, &context] { context.status = runCompile(*command, context); });
}

} // namespace hexin::cli
