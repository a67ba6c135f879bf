#include "backends/cpu/onednn/Op.h"

#include <cstdlib>

namespace hexin::onednn {
namespace {

const dnnl::stream &stream() {
  static const dnnl::stream instance(engine());
  return instance;
}

/// Scratch memory of running primitives: as many blocks as ran at once, each as
/// large as the largest that any prepared op asked for.
class ScratchBlocks {
public:
  ~ScratchBlocks() {
    for (void *block : idle)
      std::free(block);
  }

  void reserve(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex);
    if (bytes <= blockBytes)
      return;
    blockBytes = (bytes + 4095) / 4096 * 4096;
    for (void *block : idle)
      std::free(block);
    idle.clear();
    idle.push_back(allocate());
  }

  struct Block {
    void *data;
    size_t byteLength;
  };
  Block take() {
    std::lock_guard<std::mutex> lock(mutex);
    if (idle.empty())
      return {allocate(), blockBytes};
    void *block = idle.back();
    idle.pop_back();
    return {block, blockBytes};
  }

  void give(Block block) {
    std::lock_guard<std::mutex> lock(mutex);
    // A larger size has been asked for meanwhile: this block is of no more use.
    if (block.byteLength < blockBytes)
      std::free(block.data);
    else
      idle.push_back(block.data);
  }

private:
  void *allocate() {
    void *block = std::aligned_alloc(4096, blockBytes);
    if (!block)
      throw std::bad_alloc();
    return block;
  }

  std::mutex mutex;
  size_t blockBytes = 0;
  std::vector<void *> idle;
};

ScratchBlocks &scratchBlocks() {
  static ScratchBlocks blocks;
  return blocks;
}

} // namespace

const dnnl::engine &engine() {
  static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
  return instance;
}

dnnl::primitive_attr baseAttributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

void Op::setPrimitive(const dnnl::primitive &newPrimitive,
                      const dnnl::memory::desc &scratchpadDesc) {
  primitive = newPrimitive;
  scratchpadBytes = scratchpadDesc.get_size();
  if (scratchpadBytes == 0)
    return;
  scratchBlocks().reserve(scratchpadBytes);
  scratchpad = dnnl::memory(scratchpadDesc, engine(), nullptr);
  rawArguments.push_back({DNNL_ARG_SCRATCHPAD, scratchpad.get()});
  boundTo.push_back(-1);
}

void Op::bind(int id, const dnnl::memory::desc &desc, int binding) {
  arguments.push_back({id, dnnl::memory(desc, engine(), nullptr), binding, nullptr});
  rawArguments.push_back({id, arguments.back().memory.get()});
  boundTo.push_back(binding);
}

void Op::bindConstant(int id, std::shared_ptr<PackedWeights> packed) {
  rawArguments.push_back({id, packed->memory.get()});
  boundTo.push_back(-1);
  arguments.push_back({id, packed->memory, -1, packed});
}

void Op::execute(void *const *bindings) {
  if (!primitive)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  for (size_t i = 0; i < rawArguments.size(); ++i)
    if (boundTo[i] >= 0)
      dnnl::error::wrap_c_api(
          dnnl_memory_set_data_handle(rawArguments[i].memory, bindings[boundTo[i]]),
          "could not bind memory");
  ScratchBlocks::Block scratch{};
  if (scratchpadBytes) {
    scratch = scratchBlocks().take();
    scratchpad.set_data_handle(scratch.data);
  }
  dnnl_status_t status =
      dnnl_primitive_execute(primitive.get(), stream().get(),
                             static_cast<int>(rawArguments.size()), rawArguments.data());
  if (scratchpadBytes)
    scratchBlocks().give(scratch);
  dnnl::error::wrap_c_api(status, "could not run the primitive");
}

} // namespace hexin::onednn
