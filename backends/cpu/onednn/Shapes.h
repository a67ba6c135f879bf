//===- Shapes.h - hx tensors as oneDNN memory descriptors -------------------===//
//
// oneDNN orders axes logically as [N, C, spatial...] whatever the memory looks like;
// strides say where they lie.
//
//===----------------------------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_SHAPES_H
#define HEXIN_BACKENDS_CPU_ONEDNN_SHAPES_H

#include "runtime/device/hexin_device.h"

#include <dnnl.hpp>

#include <span>
#include <string>
#include <string_view>

namespace hexin::onednn {

using Dims = dnnl::memory::dims;

/// What an op cannot do, or was given wrong; becomes a typed error at the C border.
struct OpError {
  bool isUnsupported; ///< else an invalid argument
  std::string message;
};
[[noreturn]] void throwUnsupported(std::string message);
[[noreturn]] void throwInvalid(std::string message);

/// An attribute of the command by name.
class OpAttributes {
public:
  explicit OpAttributes(const hexin_command_desc &desc)
      : attributes(desc.attributes, desc.attribute_count) {}

  int64_t getInt(std::string_view name, int64_t fallback) const;
  std::string_view getString(std::string_view name, std::string_view fallback) const;
  Dims getInts(std::string_view name) const;

private:
  const hexin_attribute *find(std::string_view name, uint32_t kind) const;
  std::span<const hexin_attribute> attributes;
};

/// The largest size, stride, dilation and pad that is passed to oneDNN, which does some
/// of its arithmetic in 32 bits without a check. Files say what these are.
constexpr int64_t maxExtent = int64_t(1) << 30;
/// Throws (unsupported) unless least <= value <= maxExtent.
void requireWithin(int64_t value, int64_t least, const char *what);

dnnl::memory::data_type dataType(const hexin_binding &binding);
Dims dimsOf(const hexin_binding &binding);
/// Row-major strides.
Dims denseStrides(const Dims &dims);
bool isEmpty(const Dims &dims);
int64_t numElements(const Dims &dims);

/// [width, groups] of weights in panels; empty for plain ones. Panels are constant.
Dims readPanels(const OpAttributes &attributes, const hexin_binding &weights);

/// An activation of a convolution or pooling: dims as hx gives them, in the layout.
dnnl::memory::desc activation(const hexin_binding &binding, bool isNhwc);
/// dims and strides of [N, spatial..., C] in the order [N, C, spatial...].
Dims channelsSecond(const Dims &nhwc);

/// An operand that broadcasts to a result of rank `rank`, in the same layout.
dnnl::memory::desc operand(const hexin_binding &binding, size_t rank, bool isNhwc);

} // namespace hexin::onednn

#endif // HEXIN_BACKENDS_CPU_ONEDNN_SHAPES_H
