#include "tests/backends/cuda/PtxTesting.h"

#include "backends/cuda/compiler/CudaTarget.h"
#include "backends/cuda/compiler/LowerToNvvm.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace hexin::test {

std::string ptxOf(const std::string &mlirText, std::string *errors) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  cuda::loadKernelDialects(context);
  std::string diagnostics;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    diagnostics += diagnostic.str() + "\n";
    return mlir::success();
  });
  std::string text;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(mlirText, &context);
  if (!module) {
    ADD_FAILURE() << "the test's module does not parse: " << diagnostics;
    return "";
  }
  auto target = createCudaTarget({});
  auto image = target->emitImage(*module, target->variants().front());
  if (mlir::succeeded(image))
    text = image->bytes;
  if (errors)
    *errors = diagnostics;
  else
    EXPECT_EQ(diagnostics, "") << mlirText;
  return text;
}

std::string ptxKernel(const std::string &name, const std::vector<std::string> &elements,
                      unsigned params, const std::string &body,
                      const std::string &attributes, const std::string &before) {
  std::string arguments;
  for (size_t i = 0; i < elements.size(); ++i)
    arguments += "%b" + std::to_string(i) + ": memref<?x" + elements[i] + ">, ";
  for (unsigned i = 0; i < params; ++i)
    arguments += "%p" + std::to_string(i) + ": i64, ";
  return "func.func @" + name + "(" + arguments + "%begin: index, %end: index) " +
         "attributes {" + attributes +
         "hx.bindings = " + std::to_string(elements.size()) +
         " : i64, hx.params = " + std::to_string(params) + " : i64} {\n" + before +
         "\n  %one_ = arith.constant 1 : index\n" +
         "  scf.for %i = %begin to %end step %one_ {\n" + body + "\n  }\n  return\n}\n";
}

std::string findPtxas() {
  auto isProgram = [](const std::string &file) {
    return !file.empty() && access(file.c_str(), X_OK) == 0;
  };
  if (const char *given = std::getenv("HEXIN_PTXAS"))
    return isProgram(given) ? given : "";
  if (isProgram(HEXIN_PTXAS_FILE))
    return HEXIN_PTXAS_FILE;
  std::istringstream folders(std::getenv("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (isProgram(folder + "/ptxas"))
      return folder + "/ptxas";
  return "";
}

const std::vector<std::string> &judgedGpus() {
  static const std::vector<std::string> gpus = {"sm_80", "sm_86",  "sm_89",
                                                "sm_90", "sm_100", "sm_120"};
  return gpus;
}

/// Adds up (or takes the largest of) the numbers before each `mark` in `text`.
template <typename Combine>
static unsigned numbersBefore(const std::string &text, const std::string &mark,
                              Combine combine) {
  unsigned result = 0;
  for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += 1) {
    size_t begin = at;
    while (begin > 0 && std::isdigit(static_cast<unsigned char>(text[begin - 1])))
      --begin;
    if (begin < at)
      result = combine(result, static_cast<unsigned>(std::stoul(text.substr(begin))));
  }
  return result;
}

Assembly assemble(const std::string &ptx, const std::string &gpu) {
  std::string name = std::filesystem::temp_directory_path() / "hexin-ptx-XXXXXX";
  int file = mkstemp(name.data());
  if (file < 0)
    return {"no temporary file could be made"};
  std::ofstream(name) << ptx;
  close(file);
  std::string command =
      "'" + findPtxas() + "' -v -arch " + gpu + " -o /dev/null '" + name + "' 2>&1";
  std::string output;
  FILE *pipe = popen(command.c_str(), "r");
  char part[4096];
  for (size_t got; pipe && (got = fread(part, 1, sizeof part, pipe)) > 0;)
    output.append(part, got);
  int status = pipe ? pclose(pipe) : -1;
  unlink(name.c_str());
  Assembly result;
  if (status != 0)
    result.error = output;
  auto sum = [](unsigned x, unsigned y) { return x + y; };
  auto largest = [](unsigned x, unsigned y) { return std::max(x, y); };
  result.spillBytes = numbersBefore(output, " bytes spill stores", sum) +
                      numbersBefore(output, " bytes spill loads", sum);
  result.registers = numbersBefore(output, " registers", largest);
  return result;
}

} // namespace hexin::test
