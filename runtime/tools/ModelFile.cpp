#include "runtime/tools/ModelFile.h"

#include "hexin/compile.h"
#include "hexin/log.h"
#include "runtime/tools/Progress.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdlib.h>
#include <system_error>
#include <unistd.h>

namespace hexin::cli {
namespace {

/// A directory of our own that is removed with what is in it.
class TemporaryDirectory {
public:
  static Result<TemporaryDirectory> make() {
    std::error_code error;
    std::string path = std::filesystem::temp_directory_path(error).string();
    if (error)
      path = "/tmp";
    path += "/hexin-XXXXXX";
    if (!::mkdtemp(path.data()))
      return ioError("cannot make a temporary directory '" + path +
                     "': " + std::strerror(errno) + "; set TMPDIR to a writable place");
    return TemporaryDirectory(path);
  }

  TemporaryDirectory(TemporaryDirectory &&other) noexcept
      : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory &operator=(TemporaryDirectory &&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty())
      std::filesystem::remove_all(path_, ignored);
  }

  const std::string &path() const { return path_; }

private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<Model> compileAndOpen(const SessionArguments &arguments, const OpenOptions &open,
                             const Context &context) {
  const std::string &device = arguments.session.device;
  HEXIN_ASSIGN_OR_RETURN(TemporaryDirectory directory, TemporaryDirectory::make());
  std::string artifactPath = directory.path() + "/model.hxm";
  CompileOptions options;
  options.targets = {device.substr(0, device.find(':'))};
  Progress progress(context.showProgress);
  options.progress = [&](const std::string &phase, double fraction) {
    progress.update(phase, fraction);
  };
  HEXIN_ASSIGN_OR_RETURN(CompileReport report,
                         compile(arguments.path, artifactPath, options));
  log(LogLevel::info, "compiled '" + arguments.path + "' in " +
                          std::to_string(report.seconds) +
                          " s; `hexin compile` keeps the result");
  return Model::open(artifactPath, open);
}

} // namespace

void addSessionArguments(CLI::App &command, SessionArguments &arguments) {
  command
      .add_option("file", arguments.path,
                  "A .hxm file, or an .onnx file to compile first")
      ->required()
      ->type_name("FILE");
  command.add_option("--device", arguments.session.device, "cpu, opencl:0, …")
      ->type_name("DEVICE")
      ->capture_default_str();
  command
      .add_option("--threads", arguments.session.threads,
                  "cpu threads; 0 is one per core of the inherited mask")
      ->capture_default_str();
  command.add_flag("--no-pin", arguments.noPin, "Do not pin worker threads to cores");
  command
      .add_option("--max-isa", arguments.session.maxIsa,
                  "cpu: the highest image to use, as in x86-64-v3")
      ->type_name("ARCH");
  command
      .add_option("--cache-dir", arguments.session.cacheDir,
                  "Where to cache what devices build; 'none' switches it off")
      ->type_name("DIR");
  command.add_flag("--no-native", arguments.noNative,
                   "Run no code of the file, neither machine code nor OpenCL C");
  command.add_flag("--verify", arguments.verifyHashes,
                   "Read the whole file first and check every section's hash");
}

Result<Model> openModel(const SessionArguments &arguments, const Context &context) {
  OpenOptions open;
  open.trust = arguments.noNative ? TrustPolicy::noNative : TrustPolicy::native;
  open.verifyHashes = arguments.verifyHashes;
  if (std::filesystem::path(arguments.path).extension() == ".onnx")
    return compileAndOpen(arguments, open, context);
  return Model::open(arguments.path, open);
}

Result<Session> createSession(const Model &model, const SessionArguments &arguments) {
  SessionOptions options = arguments.session;
  options.pinThreads = !arguments.noPin;
  auto session = Session::create(model, options);
  // Of what a session looks up, only --dump is a name in the model.
  if (session.status().code() == StatusCode::notFound)
    return invalidArgument(session.status().message());
  return session;
}

} // namespace hexin::cli
