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
  scratchpad = scratchpadDesc;
  scratchpadBytes = scratchpadDesc.get_size();
  if (scratchpadBytes)
    scratchBlocks().reserve(scratchpadBytes);
}

void Op::bind(int id, const dnnl::memory::desc &desc, int binding) {
  arguments.push_back({id, desc, binding, nullptr});
}

void Op::bindConstant(int id, std::shared_ptr<PackedWeights> packed) {
  arguments.push_back({id, packed->memory.get_desc(), -1, std::move(packed)});
}

void Op::finish() {
  if (primitive)
    giveCall(makeCall());
}

std::unique_ptr<Op::Call> Op::makeCall() const {
  auto call = std::make_unique<Call>();
  for (const Argument &argument : arguments) {
    call->memories.push_back(argument.packed
                                 ? argument.packed->memory
                                 : dnnl::memory(argument.desc, engine(), nullptr));
    call->arguments.push_back({argument.id, call->memories.back().get()});
  }
  if (scratchpadBytes) {
    call->scratchpad = dnnl::memory(scratchpad, engine(), nullptr);
    call->arguments.push_back({DNNL_ARG_SCRATCHPAD, call->scratchpad.get()});
  }
  return call;
}

std::unique_ptr<Op::Call> Op::takeCall() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (!idle.empty()) {
      auto call = std::move(idle.back());
      idle.pop_back();
      return call;
    }
  }
  return makeCall();
}

void Op::giveCall(std::unique_ptr<Call> call) {
  std::lock_guard<std::mutex> lock(mutex);
  idle.push_back(std::move(call));
}

void Op::execute(void *const *bindings) {
  if (!primitive)
    return;
  auto call = takeCall();
  run(*call, bindings);
  giveCall(std::move(call));
}

void Op::run(Call &call, void *const *bindings) const {
  for (size_t i = 0; i < arguments.size(); ++i)
    if (arguments[i].binding >= 0)
      dnnl::error::wrap_c_api(dnnl_memory_set_data_handle(call.arguments[i].memory,
                                                          bindings[arguments[i].binding]),
                              "could not bind memory");
  ScratchBlocks::Block scratch{};
  if (scratchpadBytes) {
    scratch = scratchBlocks().take();
    call.scratchpad.set_data_handle(scratch.data);
  }
  dnnl_status_t status = dnnl_primitive_execute(primitive.get(), stream().get(),
                                                static_cast<int>(call.arguments.size()),
                                                call.arguments.data());
  if (scratchpadBytes)
    scratchBlocks().give(scratch);
  dnnl::error::wrap_c_api(status, "could not run the primitive");
}

} // namespace hexin::onednn
