#include "runtime/exec/DeviceProgram.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/Log.h"
#include "runtime/device/KernelAbi.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string_view>

namespace hexin {
namespace {

using fmt::sizeOf;

/// Of prepared commands that no plan holds any more, or not yet again.
constexpr uint64_t maxIdleCommandBytes = uint64_t(64) << 20;

std::string join(const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

} // namespace

Result<std::shared_ptr<const DeviceProgram>>
DeviceProgram::load(std::shared_ptr<const Model::Impl> model,
                    std::shared_ptr<Device> device) {
  using Key = std::pair<const Model::Impl *, const Device *>;
  static std::mutex mutex;
  static auto *loaded = new std::map<Key, std::weak_ptr<const DeviceProgram>>;

  std::lock_guard lock(mutex);
  std::erase_if(*loaded, [](const auto &entry) { return entry.second.expired(); });
  auto key = Key(model.get(), device.get());
  if (auto found = loaded->find(key); found != loaded->end())
    if (auto shared = found->second.lock())
      return shared;

  LogTimer timer;
  std::string target = device->id().substr(0, device->id().find(':'));
  const fmt::Program *program = model->findProgram(target);
  if (!program) {
    std::vector<std::string> targets;
    if (model->header().programs())
      for (const fmt::Program *other : *model->header().programs())
        targets.push_back(other->target()->str());
    return notFound("'" + model->path + "' has no program for '" + target +
                    "', only for: " + join(targets) + ". Add one with 'hexin retarget'");
  }
  std::shared_ptr<DeviceProgram> result(new DeviceProgram);
  result->model_ = std::move(model);
  result->device_ = std::move(device);
  HEXIN_RETURN_IF_ERROR(result->check(*program));
  result->commands_ = std::make_unique<CommandCache>(maxIdleCommandBytes);
  result->info_ = std::make_unique<ProgramInfo>(*program, result->model_->header());
  HEXIN_RETURN_IF_ERROR(result->checkTeams());
  HEXIN_RETURN_IF_ERROR(result->loadImages());
  HEXIN_RETURN_IF_ERROR(result->loadWeights());
  (*loaded)[key] = result;
  if (isLogged(LogLevel::info))
    log(LogLevel::info, result->describeLoaded() + ", " + timer.elapsed());
  return std::shared_ptr<const DeviceProgram>(std::move(result));
}

Status DeviceProgram::check(const fmt::Program &program) const {
  std::string where = "the program for '" + program.target()->str() + "'";
  if (program.kernel_abi() != kernelAbiVersion)
    return versionMismatch(where + " is of kernel ABI " +
                           std::to_string(program.kernel_abi()) + ", this build runs " +
                           std::to_string(kernelAbiVersion) +
                           "; compile or retarget the model again");
  if (uint64_t unknown = program.required_features() & ~fmt::knownFeatures)
    return versionMismatch(where + " needs feature bits " + std::to_string(unknown) +
                           " that this build does not have");
  // Text is code as well: what OpenCL C does to a device's memory nobody checks.
  if (model_->options.trust == TrustPolicy::noNative && sizeOf(program.images()) > 0)
    return failedPrecondition(
        where + " holds code (an image for '" + program.images()->Get(0)->arch()->str() +
        "'), and the model was opened with TrustPolicy::noNative, which runs no code of "
        "a file; if you trust where the file comes from, open it without that");
  return Status::success();
}

bool DeviceProgram::runsHere(const fmt::Kernel &kernel) const {
  const hexin_device_info &info = device_->info();
  if (kernel.workspace_bytes() >= 0 && !(info.flags & HEXIN_DEVICE_WORKSPACE))
    return false;
  return kernel.team_threads() == 0 || ((info.flags & HEXIN_DEVICE_LOCAL_MEMORY) != 0 &&
                                        kernel.team_threads() <= info.max_team_threads &&
                                        kernel.local_bytes() <= info.local_memory_bytes);
}

/// Every instruction has a variant that the device can run.
Status DeviceProgram::checkTeams() const {
  const fmt::Program &program = info_->program;
  if (!(program.required_features() & (fmt::teamKernelsFeature | fmt::workspaceFeature)))
    return Status::success();
  for (const fmt::Instruction *instruction : *program.instructions()) {
    const fmt::Kernel *tooMuch = nullptr;
    for (uint32_t v = 0; v < sizeOf(instruction->variants()); ++v) {
      const fmt::Variant *variant = instruction->variants()->Get(v);
      tooMuch = variant->engine() == fmt::Engine::kernel
                    ? program.kernels()->Get(variant->kernel())
                    : nullptr;
      if (!tooMuch || runsHere(*tooMuch)) {
        tooMuch = nullptr;
        break;
      }
    }
    if (tooMuch && tooMuch->workspace_bytes() >= 0)
      return unsupported(
          "'" + (instruction->node() ? instruction->node()->str() : "") + "' of '" +
          model_->path +
          "' has only kernels that want a workspace for each thread, which "
          "device '" +
          device_->id() + "' has not; compile or retarget the model for this device");
    if (tooMuch)
      return unsupported("'" + (instruction->node() ? instruction->node()->str() : "") +
                         "' of '" + model_->path + "' has only kernels for teams, of " +
                         std::to_string(tooMuch->team_threads()) + " threads with " +
                         std::to_string(tooMuch->local_bytes()) +
                         " bytes of local memory; device '" + device_->id() +
                         "' has teams of at most " +
                         std::to_string(device_->info().max_team_threads) + " with " +
                         std::to_string(device_->info().local_memory_bytes) +
                         "; compile or retarget the model for this device");
  }
  return Status::success();
}

std::string DeviceProgram::describeLoaded() const {
  return "loaded '" + model_->path + "' on '" + device_->id() +
         "': " + std::to_string(modules_.size()) + " images" +
         (imageArch_.empty() ? "" : " of arch '" + imageArch_ + "'") + ", " +
         std::to_string(weightsOnDevice_) + " bytes of weights";
}

Status DeviceProgram::loadImages() {
  const fmt::Program &program = info_->program;
  if (sizeOf(program.images()) == 0)
    return Status::success();
  // Images are ordered best first; all those of the first arch that the device can run
  // are loaded, with "x86-64-v4+avx512vnni" also others that it can of "x86-64-v4".
  auto levelOf = [](std::string_view arch) { return arch.substr(0, arch.find('+')); };
  auto runs = [&](std::string_view arch) {
    return std::ranges::find(device_->imageArchs(), arch) != device_->imageArchs().end();
  };
  std::string_view arch;
  std::vector<std::string> offered;
  for (const fmt::Image *image : *program.images()) {
    std::string_view candidate = image->arch()->string_view();
    if (arch.empty() && runs(candidate))
      arch = candidate;
    offered.emplace_back(candidate);
  }
  if (arch.empty())
    return unsupported("device '" + device_->id() + "' runs code for " +
                       join(device_->imageArchs()) + "; '" + model_->path +
                       "' has code for " + join(offered));
  for (const fmt::Image *image : *program.images()) {
    std::string_view candidate = image->arch()->string_view();
    if (levelOf(candidate) != levelOf(arch) || !runs(candidate))
      continue;
    const fmt::Section *section = model_->header().sections()->Get(image->section());
    HEXIN_ASSIGN_OR_RETURN(SectionContents contents,
                           model_->container.contents(image->section()));
    bool isInFile = section->compression() == fmt::Compression::none;
    hexin_image raw{};
    raw.struct_size = sizeof raw;
    raw.arch = image->arch()->c_str();
    raw.data = contents.bytes.data();
    raw.size = contents.bytes.size();
    raw.fd = isInFile ? model_->container.fd() : -1;
    raw.file_offset = isInFile ? section->offset() : 0;
    raw.content_hash = section->hash();
    auto module = device_->load(raw);
    if (!module)
      return module.status().withContext("loading the '" + std::string(arch) +
                                         "' code of '" + model_->path + "'");
    modules_.push_back(*std::move(module));
  }
  imageArch_ = arch;
  return Status::success();
}

} // namespace hexin
