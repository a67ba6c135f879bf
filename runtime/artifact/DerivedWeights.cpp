#include "runtime/artifact/DerivedWeights.h"

#include "runtime/base/DType.h"
#include "runtime/base/Hash.h"

#include <array>

namespace hexin {
namespace {

/// Of what transformWeights() writes.
constexpr int64_t winogradVersion = 1;
/// Of what unpackRows() writes; no version of the other form.
constexpr int64_t plainVersion = -1;

std::span<const float> floats(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const float *>(bytes.data()), bytes.size() / sizeof(float)};
}

std::span<float> floats(std::span<std::byte> bytes) {
  return {reinterpret_cast<float *>(bytes.data()), bytes.size() / sizeof(float)};
}

} // namespace

std::optional<PanelShape> panelShapeOf(const fmt::Weight &weight) {
  if (!weight.dims())
    return std::nullopt;
  auto form = weight.panel_conv()         ? PlainForm::conv
              : weight.panel_transposed() ? PlainForm::matmulTransposed
                                          : PlainForm::matmul;
  auto shape =
      makePanelShape(form, {weight.dims()->data(), weight.dims()->size()},
                     weight.panel_width(), byteWidth(static_cast<DType>(weight.dtype())),
                     weight.panel_groups(), weight.panel_steps());
  return shape.ok() ? std::optional(*shape) : std::nullopt;
}

std::optional<WinogradForm> winogradFormOf(const fmt::Weight &weight) {
  const auto *dims = weight.dims();
  auto groups = static_cast<int64_t>(weight.panel_groups());
  if (!weight.panel_conv() || weight.panel_transposed() || weight.panel_steps() != 1 ||
      !dims || dims->size() != 4 || dims->Get(2) != 3 || dims->Get(3) != 3 ||
      groups == 0 || dims->Get(0) % groups != 0 ||
      static_cast<DType>(weight.dtype()) != DType::f32)
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

std::optional<DerivedForm> DerivedForm::of(const fmt::Weight &weight,
                                           const fmt::Weight &source) {
  if (weight.encoding() == fmt::Encoding::plain) {
    auto shape = panelShapeOf(source);
    return shape ? std::optional<DerivedForm>(*shape) : std::nullopt;
  }
  auto form = winogradFormOf(weight);
  return form ? std::optional<DerivedForm>(*form) : std::nullopt;
}

int64_t DerivedForm::numParts() const {
  if (const auto *winograd = std::get_if<WinogradForm>(&form_))
    return *winogradPanels(*winograd);
  return std::get<PanelShape>(form_).plainRows();
}

int64_t DerivedForm::partBytes() const {
  if (const auto *winograd = std::get_if<WinogradForm>(&form_)) {
    int64_t panels = *winogradPanels(*winograd);
    return panels > 0 ? *winogradElements(*winograd) / panels * int64_t(sizeof(float))
                      : 0;
  }
  return std::get<PanelShape>(form_).plainRowBytes();
}

Status DerivedForm::make(int64_t first, int64_t last, std::span<const std::byte> panels,
                         std::span<std::byte> dst) const {
  if (const auto *winograd = std::get_if<WinogradForm>(&form_))
    return transformWeights(*winograd, first, last, floats(panels), floats(dst));
  return unpackRows(std::get<PanelShape>(form_), first, last, panels, dst);
}

uint64_t DerivedForm::hash(uint64_t sourceHash) const {
  auto hashed = [&](const auto &fields) {
    return hash64(std::as_bytes(std::span(fields)), sourceHash);
  };
  if (const auto *winograd = std::get_if<WinogradForm>(&form_))
    return hashed(std::array<int64_t, 6>{winogradVersion, winograd->tile,
                                         winograd->inputs, winograd->outputs,
                                         winograd->groups, winograd->width});
  const auto &plain = std::get<PanelShape>(form_);
  return hashed(std::array<int64_t, 9>{plainVersion, int64_t(plain.form), plain.batch,
                                       plain.k, plain.n, plain.taps, plain.width,
                                       plain.elementBytes, plain.steps});
}

} // namespace hexin
