#include "backends/cuda/runtime/Module.h"
#include "backends/cuda/runtime/CudaError.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

using namespace hexin;
using namespace hexin::cuda;

/// Of the driver's log, what a message has room for.
static constexpr size_t maxLogBytes = 500;

/// "8.0" of a text that says `.version 8.0`.
static std::string ptxVersion(std::string_view text) {
  constexpr std::string_view directive = ".version ";
  size_t at = text.find(directive);
  if (at == text.npos)
    return "?";
  text.remove_prefix(at + directive.size());
  return std::string(text.substr(0, std::min<size_t>(text.find_first_of(" \r\n"), 16)));
}

static Status checkImage(const GpuInfo &gpu, const hexin_image &image,
                         const std::string &what) {
  std::string_view arch = image.arch ? image.arch : "";
  std::string offered = gpu.info.image_archs;
  if (arch.empty() || arch.find(';') != arch.npos ||
      (";" + offered + ";").find(";" + std::string(arch) + ";") == std::string::npos)
    return unsupported(what + " cannot load an image for '" + std::string(arch) +
                       "'; it takes " + offered);
  if (!image.data || image.size == 0)
    return corruptData(what + ": the image is empty");
  if (std::memchr(image.data, 0, image.size))
    return corruptData(what + ": the image is no PTX text: it has zero bytes");
  return Status::success();
}

Result<std::unique_ptr<hexin_module_t>> hexin_module_t::load(const CudaApi &api,
                                                             const GpuInfo &gpu,
                                                             const hexin_image &image,
                                                             const std::string &what) {
  HEXIN_RETURN_IF_ERROR(checkImage(gpu, image, what));
  std::unique_ptr<hexin_module_t> module(new hexin_module_t(
      api, std::string(static_cast<const char *>(image.data), image.size)));
  std::array<char, 8192> log{};
  std::array<int, 2> options{jitErrorLog, jitErrorLogBytes};
  std::array<void *, 2> values{log.data(), reinterpret_cast<void *>(log.size() - 1)};
  CUresult code = api.cuModuleLoadDataEx(&module->module_, module->text_.c_str(),
                                         options.size(), options.data(), values.data());
  if (code == cudaSuccess)
    return module;
  module->module_ = nullptr;
  std::string doing = what + ": compiling the image for '" + image.arch + "'";
  if (code == cudaUnsupportedPtxVersion)
    doing += ", PTX " + ptxVersion(module->text_) + ", by the driver of CUDA " +
             formatCudaVersion(gpu.driverVersion);
  Status status = cudaStatus(code, doing);
  std::string_view said(log.data(), strnlen(log.data(), log.size()));
  if (said.empty())
    return status;
  return Status(status.code(), status.message() + "; its log: " +
                                   std::string(said.substr(0, maxLogBytes)));
}

hexin_module_t::~hexin_module_t() {
  if (module_)
    api_.cuModuleUnload(module_);
}

Result<CUfunction> hexin_module_t::function(const std::string &name) const {
  CUfunction function = nullptr;
  if (CUresult code = api_.cuModuleGetFunction(&function, module_, name.c_str()))
    return cudaStatus(code, "looking it up in the image");
  return function;
}

namespace hexin::cuda {

std::optional<uint64_t> countEntryParams(std::string_view text, std::string_view name) {
  constexpr std::string_view entry = ".entry", param = ".param";
  auto skipSpace = [&](size_t at) {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])))
      ++at;
    return at;
  };
  for (size_t at = text.find(entry); at != text.npos; at = text.find(entry, at)) {
    at = skipSpace(at + entry.size());
    if (!text.substr(at).starts_with(name))
      continue;
    size_t open = skipSpace(at + name.size());
    if (open >= text.size() || text[open] == '{')
      return 0;
    if (text[open] != '(')
      continue; // the beginning of a longer name
    std::string_view list = text.substr(open, text.find(')', open) - open);
    uint64_t count = 0;
    for (size_t p = list.find(param); p != list.npos; p = list.find(param, p + 1))
      ++count;
    return count;
  }
  return std::nullopt;
}

} // namespace hexin::cuda
