#include "backends/cpu/onednn/Shapes.h"

#include "backends/cpu/abi/LibraryOps.h"

#include "hexin/value.h"

#include <algorithm>

namespace hexin::onednn {

using dnnl::memory;

void throwUnsupported(std::string message) { throw OpError{true, std::move(message)}; }
void throwInvalid(std::string message) { throw OpError{false, std::move(message)}; }

const hexin_attribute *OpAttributes::find(std::string_view name, uint32_t kind) const {
  for (const hexin_attribute &attribute : attributes)
    if (attribute.name == name && attribute.kind == kind)
      return &attribute;
  return nullptr;
}

int64_t OpAttributes::getInt(std::string_view name, int64_t fallback) const {
  const auto *attribute = find(name, 0);
  return attribute ? attribute->i : fallback;
}

std::string_view OpAttributes::getString(std::string_view name,
                                         std::string_view fallback) const {
  const auto *attribute = find(name, 2);
  return attribute && attribute->s ? attribute->s : fallback;
}

Dims OpAttributes::getInts(std::string_view name) const {
  const auto *attribute = find(name, 3);
  return attribute ? Dims(attribute->ints, attribute->ints + attribute->count) : Dims();
}

memory::data_type dataType(const hexin_binding &binding) {
  switch (static_cast<DType>(binding.dtype)) {
  case DType::f32:
    return memory::data_type::f32;
  case DType::f16:
    return memory::data_type::f16;
  case DType::bf16:
    return memory::data_type::bf16;
  case DType::i8:
    return memory::data_type::s8;
  case DType::u8:
    return memory::data_type::u8;
  case DType::i32:
    return memory::data_type::s32;
  default:
    throwUnsupported("oneDNN has no element type number " +
                     std::to_string(binding.dtype));
  }
}

void requireWithin(int64_t value, int64_t least, const char *what) {
  if (value < least || value > maxExtent)
    throwUnsupported(std::string(what) + " of " + std::to_string(value) + ", expected " +
                     std::to_string(least) + " to " + std::to_string(maxExtent));
}

Dims dimsOf(const hexin_binding &binding) {
  if (binding.rank > DNNL_MAX_NDIMS)
    throwUnsupported("rank " + std::to_string(binding.rank) +
                     " is more than oneDNN takes");
  Dims dims(binding.dims, binding.dims + binding.rank);
  for (int64_t dim : dims)
    requireWithin(dim, 0, "a size");
  return dims;
}

Dims denseStrides(const Dims &dims) {
  Dims strides(dims.size());
  int64_t step = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = step;
    // Of a tensor without elements; others fit their memory.
    if (__builtin_mul_overflow(step, std::max<int64_t>(dims[i], 1), &step))
      throwUnsupported("sizes whose product overflows 64 bits");
  }
  return strides;
}

bool isEmpty(const Dims &dims) {
  return std::any_of(dims.begin(), dims.end(), [](int64_t d) { return d == 0; });
}

int64_t numElements(const Dims &dims) {
  int64_t count = 1;
  for (int64_t d : dims)
    count *= d;
  return count;
}

Dims readPanels(const OpAttributes &attributes, const hexin_binding &weights) {
  Dims panels = attributes.getInts(cpu::library::panels);
  if (!panels.empty() && !weights.host_data)
    throwUnsupported("weights in panels that are not constant");
  return panels;
}

Dims channelsSecond(const Dims &nhwc) {
  if (nhwc.size() < 2)
    return nhwc;
  Dims result = {nhwc.front(), nhwc.back()};
  result.insert(result.end(), nhwc.begin() + 1, nhwc.end() - 1);
  return result;
}

memory::desc activation(const hexin_binding &binding, bool isNhwc) {
  return operand(binding, binding.rank, isNhwc);
}

memory::desc operand(const hexin_binding &binding, size_t rank, bool isNhwc) {
  Dims dims = dimsOf(binding);
  if (dims.size() > rank)
    throwInvalid("an operand of rank " + std::to_string(dims.size()) +
                 " does not broadcast to rank " + std::to_string(rank));
  dims.insert(dims.begin(), rank - dims.size(), 1);
  Dims strides = denseStrides(dims);
  if (isNhwc) {
    dims = channelsSecond(dims);
    strides = channelsSecond(strides);
  }
  return {dims, dataType(binding), strides};
}

} // namespace hexin::onednn
