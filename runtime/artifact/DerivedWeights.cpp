#include "runtime/artifact/DerivedWeights.h"

#include "runtime/base/DType.h"
#include "runtime/base/Hash.h"

#include <array>

namespace hexin {
namespace {

/// Of what transformWeights() writes.
constexpr int64_t winogradVersion = 1;

} // namespace

std::optional<WinogradForm> winogradFormOf(const fmt::Weight &weight) {
  const auto *dims = weight.dims();
  auto groups = static_cast<int64_t>(weight.panel_groups());
  if (!weight.panel_conv() || weight.panel_transposed() || !dims || dims->size() != 4 ||
      dims->Get(2) != 3 || dims->Get(3) != 3 || groups == 0 ||
      dims->Get(0) % groups != 0 || static_cast<DType>(weight.dtype()) != DType::f32)
    return std::nullopt;
  WinogradForm form{.tile = weight.winograd_tile(),
                    .inputs = dims->Get(1),
                    .outputs = dims->Get(0) / groups,
                    .groups = groups,
                    .width = static_cast<int64_t>(weight.panel_width())};
  if (!winogradElements(form))
    return std::nullopt;
  return form;
}

uint64_t derivedHash(uint64_t sourceHash, const WinogradForm &form) {
  std::array<int64_t, 6> fields = {winogradVersion, form.tile,   form.inputs,
                                   form.outputs,    form.groups, form.width};
  return hash64(std::as_bytes(std::span(fields)), sourceHash);
}

} // namespace hexin
