//===- Module.h - images of a device, and the programs they share ------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_MODULE_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_MODULE_H

#include "backends/opencl/runtime/Program.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

struct hexin_module_t;

namespace hexin::opencl {

/// Builds modules as late as can be, and all that wait then as one program: drivers
/// take about as long for one kernel as for fifty, and models that are opened one after
/// the other often share kernels. What the cache on disk has is not kept waiting.
///
/// Texts are joined by their blocks (abi/OpenclText.h). Where that fails (names that
/// mean different things, a text that the driver refuses) each module is built alone.
///
/// Thread-safe. Outlives its modules.
class ModuleBuilder {
public:
  explicit ModuleBuilder(Program::Origin origin) : origin_(origin) {}

  /// Programs since the device was opened.
  struct Counts {
    uint64_t built = 0;  ///< from text
    uint64_t cached = 0; ///< from the cache on disk
  };
  Counts counts() const;

private:
  friend struct ::hexin_module_t;
  void add(hexin_module_t &module);
  void remove(hexin_module_t &module);
  Result<std::shared_ptr<Program>> build(hexin_module_t &module);
  /// From the cache or the text; counts which.
  Result<std::shared_ptr<Program>> make(std::string_view text);
  /// Those that may share a program with `module`, and itself, in the order of their
  /// loading: whoever is asked for first, the cache knows the program again.
  std::vector<hexin_module_t *> company(hexin_module_t &module) const;

  const Program::Origin origin_;
  mutable std::mutex mutex_;
  std::vector<hexin_module_t *> waiting_; ///< in the order of their loading
  Counts counts_;
};

} // namespace hexin::opencl

/// One image: text until its first kernel is asked for, then a program, which other
/// modules may have kernels in, too. Guarded by ModuleBuilder.
struct hexin_module_t {
  hexin_module_t(hexin::opencl::ModuleBuilder &builder, std::string text);
  ~hexin_module_t();

  /// Builds the program unless that is done.
  hexin::Result<std::shared_ptr<hexin::opencl::Program>> program();

private:
  friend class hexin::opencl::ModuleBuilder;
  hexin::opencl::ModuleBuilder &builder_;
  std::string text_; ///< empty once there is a program
  std::shared_ptr<hexin::opencl::Program> program_;
  bool buildsAlone_ = false; ///< it failed in company
};

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_MODULE_H
