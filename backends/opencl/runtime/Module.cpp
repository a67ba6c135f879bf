#include "backends/opencl/runtime/Module.h"
#include "backends/opencl/abi/OpenclText.h"

#include <unordered_set>

using namespace hexin;
using namespace hexin::opencl;

/// Bounds of what is built together: drivers keep all of it in memory, for any of it.
static constexpr size_t maxModules = 64;
static constexpr size_t maxTextBytes = size_t(2) << 20;

hexin_module_t::hexin_module_t(ModuleBuilder &builder, std::string text)
    : builder_(builder), text_(std::move(text)) {
  builder_.add(*this);
}

hexin_module_t::~hexin_module_t() { builder_.remove(*this); }

Result<std::shared_ptr<Program>> hexin_module_t::program() {
  return builder_.build(*this);
}

namespace hexin::opencl {

/// The text of all modules, each block once.
static std::string joinTexts(const std::vector<std::string_view> &texts) {
  std::unordered_set<std::string_view> seen;
  std::string joined;
  for (std::string_view text : texts)
    for (std::string_view block : textBlocks(text))
      if (seen.insert(block).second)
        joined.append(block).append(blockSeparator);
  return joined;
}

ModuleBuilder::Counts ModuleBuilder::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

void ModuleBuilder::add(hexin_module_t &module) {
  std::lock_guard lock(mutex_);
  module.program_ = Program::find(origin_, module.text_);
  if (!module.program_)
    return waiting_.push_back(&module);
  ++counts_.cached;
  module.text_.clear();
}

void ModuleBuilder::remove(hexin_module_t &module) {
  std::lock_guard lock(mutex_);
  std::erase(waiting_, &module);
}

Result<std::shared_ptr<Program>> ModuleBuilder::make(std::string_view text) {
  if (std::shared_ptr<Program> found = Program::find(origin_, text)) {
    ++counts_.cached;
    return found;
  }
  HEXIN_ASSIGN_OR_RETURN(auto built, Program::build(origin_, text));
  ++counts_.built;
  return built;
}

std::vector<hexin_module_t *> ModuleBuilder::company(hexin_module_t &module) const {
  if (module.buildsAlone_)
    return {&module};
  std::vector<hexin_module_t *> company;
  std::string_view head = textBlocks(module.text_).front();
  size_t bytes = module.text_.size(), others = 0;
  for (hexin_module_t *other : waiting_) {
    if (other != &module) {
      if (others + 1 == maxModules || other->buildsAlone_ ||
          bytes + other->text_.size() > maxTextBytes ||
          textBlocks(other->text_).front() != head)
        continue;
      bytes += other->text_.size();
      ++others;
    }
    company.push_back(other);
  }
  return company;
}

Result<std::shared_ptr<Program>> ModuleBuilder::build(hexin_module_t &module) {
  std::lock_guard lock(mutex_);
  if (module.program_)
    return module.program_;
  std::vector<hexin_module_t *> modules = company(module);
  std::vector<std::string_view> texts;
  for (const hexin_module_t *each : modules)
    texts.push_back(each->text_);
  Result<std::shared_ptr<Program>> program =
      make(modules.size() == 1 ? module.text_ : joinTexts(texts));
  if (!program && modules.size() > 1) {
    for (hexin_module_t *each : modules)
      each->buildsAlone_ = true;
    modules = {&module};
    program = make(module.text_);
  }
  if (!program)
    return program;
  for (hexin_module_t *each : modules) {
    each->program_ = *program;
    each->text_.clear();
    std::erase(waiting_, each);
  }
  return program;
}

} // namespace hexin::opencl
