//===- Entry.cpp - the one C symbol of libhexin_compiler --------------------===//

#include "compiler/api/Compile.h"
#include "runtime/exec/CompilerAbi.h"

#include <cstring>
#include <sstream>

using namespace hexin;

namespace {

/// As C sees it: a NUL in a name of the model would end the message.
char *copied(std::string text) {
  if (text.empty())
    return nullptr;
  for (size_t at = 0; (at = text.find('\0', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\\0");
  char *copy = new char[text.size() + 1];
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

Status parseShape(const std::string &text, std::vector<DimSpec> &sizes) {
  std::istringstream stream(text);
  std::string part;
  while (std::getline(stream, part, ',')) {
    char *end = nullptr;
    int64_t size = std::strtoll(part.c_str(), &end, 10);
    if (part.empty() || (*end && end != part.c_str()))
      return invalidArgument("'" + part + "' in shape '" + text +
                             "' is neither a size nor a name");
    if (*end)
      sizes.emplace_back(part);
    else
      sizes.emplace_back(size);
  }
  return Status::success();
}

Result<CompileOptions> parseOptions(const hexin_compiler_request &request) {
  CompileOptions options;
  options.targets.clear();
  for (uint32_t i = 0; i < request.option_count; ++i) {
    std::string key = request.options[i].key, name = request.options[i].name;
    std::string value = request.options[i].value;
    if (key == "target")
      options.targets.push_back(value);
    else if (key == "shape")
      HEXIN_RETURN_IF_ERROR(parseShape(value, options.shapes[name]));
    else if (key == "state")
      options.states[name] = value;
    else if (key == "allow-fallback")
      options.allowFallback.push_back(value);
    else if (key == "disable")
      options.disable.push_back(value);
    else if (key == "prefer")
      options.prefer.push_back(value);
    else if (key == "cpu-arch")
      options.cpuArchs.push_back(value);
    else if (key == "prepack" && (value == "lazy" || value == "full"))
      options.prepack = value;
    else if (key == "prepack")
      return invalidArgument("prepack '" + value + "': expected lazy or full");
    else if (key == "precision" &&
             (value == "f32" || value == "bf16" || value == "int8-dynamic"))
      options.precision = value;
    else if (key == "precision")
      return invalidArgument("precision '" + value +
                             "': expected f32, bf16 or int8-dynamic");
    else if (key == "max-error")
      options.maxError = std::strtod(value.c_str(), nullptr);
    else if (key == "emit")
      options.emit = value;
    else if (key == "explain")
      options.explain = value == "1";
    else if (key == "verify-each")
      options.verifyEach = value == "1";
    else if (key == "cache-dir")
      options.cacheDir = value;
    else if (key == "threads")
      options.threads = std::strtoul(value.c_str(), nullptr, 10);
    else
      return unsupported("compile option '" + key + "' is unknown to this compiler");
  }
  if (request.progress)
    options.progress = [&request](const std::string &phase, double fraction) {
      request.progress(request.progress_context, phase.c_str(), fraction);
    };
  return options;
}

using Work = Result<CompileReport> (*)(const hexin_compiler_request &,
                                       const CompileOptions &);

void answer(const hexin_compiler_request *request, hexin_compiler_reply *reply,
            Work work) {
  Result<CompileOptions> options = parseOptions(*request);
  Result<CompileReport> report =
      options.ok() ? work(*request, *options) : Result<CompileReport>(options.status());
  if (!report.ok()) {
    reply->code = static_cast<uint32_t>(report.status().code());
    reply->message = copied(report.status().message());
    return;
  }
  reply->code = 0;
  reply->text = copied(report->text);
  reply->artifact_bytes = report->artifactBytes;
  reply->kernels = report->kernels;
  reply->kernels_reused = report->kernelsReused;
  reply->seconds = report->seconds;
}

void compileEntry(const hexin_compiler_request *request, hexin_compiler_reply *reply) {
  answer(request, reply,
         [](const hexin_compiler_request &r, const CompileOptions &options) {
           compiler::Source source;
           if (r.input_path)
             source.path = r.input_path;
           else
             source.bytes = {static_cast<const std::byte *>(r.input_data), r.input_bytes};
           return compiler::compile(source, r.output_path ? r.output_path : "", options);
         });
}

void retargetEntry(const hexin_compiler_request *request, hexin_compiler_reply *reply) {
  answer(request, reply,
         [](const hexin_compiler_request &r, const CompileOptions &options) {
           return compiler::retarget(r.input_path ? r.input_path : "",
                                     r.output_path ? r.output_path : "", options);
         });
}

void release(hexin_compiler_reply *reply) {
  delete[] reply->message;
  delete[] reply->text;
  reply->message = nullptr;
  reply->text = nullptr;
}

const hexin_compiler_api api = {sizeof(hexin_compiler_api), HEXIN_COMPILER_ABI_VERSION,
                                compileEntry, retargetEntry, release};

} // namespace

extern "C" HEXIN_EXPORT const hexin_compiler_api *
hexin_compiler_entry(uint32_t abi_version) {
  return abi_version == HEXIN_COMPILER_ABI_VERSION ? &api : nullptr;
}
