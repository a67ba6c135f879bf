#include "hexin/compile.h"

#include "runtime/artifact/Container.h"
#include "runtime/base/CacheDir.h"
#include "runtime/base/Log.h"
#include "runtime/base/ThreadLimit.h"
#include "runtime/device/Library.h"
#include "runtime/exec/CompilerAbi.h"
#include "runtime/exec/PrecisionCheck.h"

#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>

namespace hexin {
namespace {

Result<const hexin_compiler_api *> loadCompiler() {
  auto entry = loadSymbol(libraryFolders("HEXIN_COMPILER_PATH"), "libhexin_compiler.so",
                          "hexin_compiler_entry");
  if (!entry)
    return unavailable("compiling needs libhexin_compiler: " + entry.status().message() +
                       ". Install it, or name its folder in HEXIN_COMPILER_PATH");
  auto query = reinterpret_cast<hexin_compiler_entry_fn>(*entry);
  const hexin_compiler_api *api = query(HEXIN_COMPILER_ABI_VERSION);
  if (!api || api->struct_size < sizeof(hexin_compiler_api) || !api->compile ||
      !api->retarget || !api->release)
    return versionMismatch("libhexin_compiler is of another version than libhexin; "
                           "install both from one release");
  return api;
}

/// The compiler, loaded on first use. A failure is not remembered: the user may
/// install it and try again.
Result<const hexin_compiler_api *> compiler() {
  static std::mutex mutex;
  static const hexin_compiler_api *loaded = nullptr;
  std::lock_guard lock(mutex);
  if (!loaded) {
    HEXIN_ASSIGN_OR_RETURN(loaded, loadCompiler());
  }
  return loaded;
}

/// Names must survive the list that the C ABI takes.
Status checkShapes(const CompileOptions &options) {
  for (const auto &[input, dims] : options.shapes)
    for (const DimSpec &dim : dims) {
      if (dim.name.empty())
        continue;
      unsigned char first = static_cast<unsigned char>(dim.name.front());
      if ((!std::isalpha(first) && first != '_') ||
          dim.name.find(',') != std::string::npos)
        return invalidArgument("the sizes of '" + input + "': '" + dim.name +
                               "' is no name for a size; it begins with a letter or '_' "
                               "and holds no ','");
      if (dim.size >= 0)
        return invalidArgument("the sizes of '" + input + "': '" + dim.name +
                               "' is given as a name and as " + std::to_string(dim.size) +
                               " at once");
    }
  return Status::success();
}

/// CompileOptions as the list the C ABI takes; owns the strings.
class OptionList {
public:
  explicit OptionList(const CompileOptions &options) {
    addAll("target", options.targets);
    for (const auto &[name, dims] : options.shapes) {
      std::string value;
      for (const DimSpec &dim : dims)
        value += (value.empty() ? "" : ",") +
                 (dim.name.empty() ? std::to_string(dim.size) : dim.name);
      add("shape", name, value);
    }
    for (const auto &[input, output] : options.states)
      add("state", input, output);
    addAll("allow-fallback", options.allowFallback);
    addAll("disable", options.disable);
    addAll("prefer", options.prefer);
    addAll("cpu-arch", options.cpuArchs);
    if (!options.prepack.empty())
      add("prepack", "", options.prepack);
    if (!options.precision.empty())
      add("precision", "", options.precision);
    if (options.maxError != 0)
      add("max-error", "", std::to_string(options.maxError));
    if (!options.emit.empty())
      add("emit", "", options.emit);
    if (options.explain)
      add("explain", "", "1");
    if (options.verifyEach)
      add("verify-each", "", "1");
    if (!options.cacheDir.empty())
      add("cache-dir", "", options.cacheDir);
    if (options.threads > 0)
      add("threads", "", std::to_string(options.threads));
    for (const Entry &entry : entries)
      raw.push_back({entry.key, entry.name.c_str(), entry.value.c_str()});
  }

  std::vector<hexin_compiler_option> raw;

  /// The C ABI would see the part before a NUL only, and write to another file.
  Status check() const {
    for (const Entry &entry : entries)
      for (const std::string *text : {&entry.name, &entry.value})
        HEXIN_RETURN_IF_ERROR(checkText(*text, std::string("option ") + entry.key));
    return Status::success();
  }
  static Status checkText(const std::string &text, const std::string &what) {
    size_t end = text.find('\0');
    if (end == std::string::npos)
      return Status::success();
    return invalidArgument(what + " holds a NUL character behind '" +
                           text.substr(0, end) + "': expected text without one");
  }

private:
  struct Entry {
    const char *key;
    std::string name;
    std::string value;
  };
  void add(const char *key, std::string name, std::string value) {
    entries.push_back({key, std::move(name), std::move(value)});
  }
  void addAll(const char *key, const std::vector<std::string> &values) {
    for (const std::string &value : values)
      add(key, "", value);
  }
  std::vector<Entry> entries;
};

/// Hands the compiler's progress on, and says how long each phase took.
class PhaseWatch {
public:
  explicit PhaseWatch(const CompileOptions &options) : progress(options.progress) {}
  ~PhaseWatch() { next({}); }

  static void report(void *context, const char *phase, double fraction) {
    auto *watch = static_cast<PhaseWatch *>(context);
    watch->next(phase ? phase : "");
    if (watch->progress)
      watch->progress(phase ? phase : "", fraction);
  }

private:
  void next(const std::string &phase) {
    if (phase == current)
      return;
    if (!current.empty() && isLogged(LogLevel::debug))
      log(LogLevel::debug, "compile: " + current + ", " + timer.elapsed());
    current = phase;
    timer.restart();
  }

  const decltype(CompileOptions::progress) &progress;
  std::string current;
  LogTimer timer;
};

std::string describeCompiled(const std::string &outPath, const CompileReport &report) {
  return "wrote '" + outPath + "': " + std::to_string(report.artifactBytes) + " bytes, " +
         std::to_string(report.kernels) + " kernels, " +
         std::to_string(report.kernelsReused) + " from the cache";
}

using CompilerFunction = void (*)(const hexin_compiler_request *, hexin_compiler_reply *);

Result<CompileReport> call(CompilerFunction hexin_compiler_api::*function,
                           hexin_compiler_request request, const std::string &outPath,
                           const CompileOptions &options) {
  HEXIN_RETURN_IF_ERROR(checkShapes(options));
  HEXIN_RETURN_IF_ERROR(checkThreads(options.threads));
  OptionList list(options);
  HEXIN_RETURN_IF_ERROR(list.check());
  HEXIN_RETURN_IF_ERROR(OptionList::checkText(outPath, "the path to write"));
  HEXIN_ASSIGN_OR_RETURN(const hexin_compiler_api *api, compiler());
  warnUnlessUsable(resolveCacheDir(options.cacheDir));
  request.struct_size = sizeof request;
  request.options = list.raw.data();
  request.option_count = static_cast<uint32_t>(list.raw.size());
  request.output_path = outPath.c_str();
  hexin_compiler_reply reply{};
  reply.struct_size = sizeof reply;
  LogTimer timer;
  {
    PhaseWatch watch(options);
    request.progress = PhaseWatch::report;
    request.progress_context = &watch;
    (api->*function)(&request, &reply);
  }

  CompileReport report;
  report.text = reply.text ? reply.text : "";
  report.artifactBytes = reply.artifact_bytes;
  report.kernels = reply.kernels;
  report.kernelsReused = reply.kernels_reused;
  report.seconds = reply.seconds;
  auto code = reply.code <= static_cast<uint32_t>(StatusCode::internal)
                  ? static_cast<StatusCode>(reply.code)
                  : StatusCode::internal;
  Status status(code, reply.message ? reply.message : "");
  api->release(&reply);
  if (!status)
    return status;
  if (isLogged(LogLevel::info) && report.artifactBytes > 0)
    log(LogLevel::info, describeCompiled(outPath, report) + ", " + timer.elapsed());
  return report;
}

Result<CompileReport> callChecked(CompilerFunction hexin_compiler_api::*function,
                                  const hexin_compiler_request &request,
                                  const std::string &outPath,
                                  const CompileOptions &options) {
  std::string name = request.input_path ? request.input_path : "";
  return compileMeasured(name, outPath, options,
                         [&](const std::string &path, const CompileOptions &asked) {
                           return call(function, request, path, asked);
                         });
}

} // namespace

static bool isArtifact(const std::string &path) {
  std::array<char, containerMagic.size()> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return start == containerMagic;
}

/// Whatever the two are called: links and ./ included.
static bool isSameFile(const std::string &path, const std::string &other) {
  std::error_code error;
  return std::filesystem::equivalent(path, other, error) && !error;
}

Result<CompileReport> compile(const std::string &modelPath, const std::string &outPath,
                              const CompileOptions &options) {
  // An empty path would stand for a model in memory.
  if (modelPath.empty())
    return invalidArgument("the path of the model to compile is empty");
  HEXIN_RETURN_IF_ERROR(OptionList::checkText(modelPath, "the path of the model"));
  if (!outPath.empty() && isSameFile(modelPath, outPath))
    return invalidArgument("'" + outPath +
                           "' is the model itself, which the result "
                           "would replace; name another file to write");
  if (isArtifact(modelPath))
    return invalidArgument(
        "'" + modelPath +
        "' is a .hxm already, expected a model such as .onnx; to add a "
        "target to it, retarget it");
  hexin_compiler_request request{};
  request.input_path = modelPath.c_str();
  return callChecked(&hexin_compiler_api::compile, request, outPath, options);
}

Result<CompileReport> compile(std::span<const std::byte> model,
                              const std::string &outPath, const CompileOptions &options) {
  hexin_compiler_request request{};
  request.input_data = model.data();
  request.input_bytes = model.size();
  return callChecked(&hexin_compiler_api::compile, request, outPath, options);
}

Result<CompileReport> retarget(const std::string &artifactPath,
                               const std::string &outPath,
                               const CompileOptions &options) {
  HEXIN_RETURN_IF_ERROR(OptionList::checkText(artifactPath, "the path of the artifact"));
  hexin_compiler_request request{};
  request.input_path = artifactPath.c_str();
  return callChecked(&hexin_compiler_api::retarget, request, outPath, options);
}

} // namespace hexin
