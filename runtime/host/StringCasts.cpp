// Numbers as strings, as NumPy prints them, and strings as numbers.
#include "runtime/host/Kernel.h"

#include "runtime/base/DType.h"
#include "runtime/base/ValueCheck.h"
#include "runtime/reference/Elements.h"
#include "runtime/reference/Reference.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace hexin::host {
namespace {

using reference::Domain;

double roundTo(DType dtype, double value) {
  switch (dtype) {
  case DType::f16:
    return f16ToF32(f64ToF16(value));
  case DType::bf16:
    return bf16ToF32(f64ToBf16(value));
  case DType::f32:
    return static_cast<float>(value);
  default:
    return value;
  }
}

/// The fewest digits that read back as the same number of this type.
std::string formatFloat(DType dtype, double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  if (value == 0)
    return std::signbit(value) ? "-0.0" : "0.0";
  char buffer[64];
  std::string text;
  for (int precision = 0; precision <= 16; ++precision) {
    auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value,
                                      std::chars_format::scientific, precision);
    text.assign(buffer, end);
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    if (error == std::errc() && roundTo(dtype, back) == value)
      break;
  }
  // -d.ddde±xx
  size_t exponentAt = text.find('e');
  int exponent = std::atoi(text.c_str() + exponentAt + 1);
  std::string sign = value < 0 ? "-" : "";
  std::string digits = text.substr(sign.size(), exponentAt - sign.size());
  if (size_t point = digits.find('.'); point != digits.npos)
    digits.erase(point, 1);
  while (digits.size() > 1 && digits.back() == '0')
    digits.pop_back();
  if (exponent < -4 || exponent >= 16) {
    std::string mantissa = digits.substr(0, 1);
    if (digits.size() > 1)
      mantissa += "." + digits.substr(1);
    return sign + mantissa + text.substr(exponentAt);
  }
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole)
    return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

template <typename W> std::string format(DType dtype, W value) {
  if constexpr (std::is_same_v<W, double>)
    return formatFloat(dtype, value);
  return std::to_string(value); // of a bool 0 or 1, as ONNX Runtime writes it
}

std::string_view trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(" \t\n\r"),
         last = text.find_last_not_of(" \t\n\r");
  return first == text.npos ? std::string_view() : text.substr(first, last - first + 1);
}

/// The whole of `text` as a number; false when it is none.
template <typename W> bool parse(std::string_view text, DType dtype, W &value) {
  text = trimmed(text);
  if (dtype == DType::boolean && (text == "True" || text == "true")) {
    value = 1;
    return true;
  }
  if (dtype == DType::boolean && (text == "False" || text == "false")) {
    value = 0;
    return true;
  }
  if (text.starts_with('+') && !text.starts_with("+-"))
    text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if constexpr (std::is_same_v<W, double>)
    if (error == std::errc::result_out_of_range) {
      // Too large or too small for f64: from_chars says only that.
      bool isTiny = text.find("e-") != text.npos || text.find("E-") != text.npos;
      value = isTiny ? 0 : std::numeric_limits<double>::infinity();
      value = text.starts_with('-') ? -value : value;
      return end == text.data() + text.size();
    }
  return error == std::errc() && end == text.data() + text.size();
}

Values toStrings(const Tensor &tensor) {
  HEXIN_ASSIGN_OR_RETURN(StringTensor strings,
                         makeStrings({tensor.dims().begin(), tensor.dims().end()}));
  Status status = reference::visitWide(tensor.dtype(), [&](auto zero) {
    reference::Wide<decltype(zero)> elements(tensor);
    for (size_t i = 0; i < strings.elements.size(); ++i)
      strings.elements[i] = format(tensor.dtype(), elements[static_cast<int64_t>(i)]);
    return Status::success();
  });
  HEXIN_RETURN_IF_ERROR(status);
  return single(std::move(strings));
}

Values fromStrings(const StringTensor &strings, DType dtype) {
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(dtype, strings.dims));
  Status status = reference::visitWide(dtype, [&](auto zero) {
    std::vector<decltype(zero)> elements(strings.elements.size());
    for (size_t i = 0; i < elements.size(); ++i)
      if (!parse(strings.elements[i], dtype, elements[i]))
        return invalidArgument("'" + strings.elements[i].substr(0, 80) +
                               "' is no number of type " + std::string(toString(dtype)));
    reference::storeElements(dtype, tensor.data(), 0, tensor.numElements(),
                             elements.data());
    return Status::success();
  });
  HEXIN_RETURN_IF_ERROR(status);
  return single(std::move(tensor));
}

} // namespace

Values runCast(const Call &call) {
  if (call.operands.empty() || !call.operands[0] || call.results.size() != 1)
    return invalidArgument("a cast has one operand and one result");
  const ResultType &type = call.results[0];
  const StringTensor *strings = call.operands[0]->strings();
  if (strings && type.kind == ValueKind::strings)
    return single(*strings);
  if (strings)
    return fromStrings(*strings, type.dtype);
  HEXIN_ASSIGN_OR_RETURN(const Tensor *tensor, call.tensor(0));
  if (type.kind == ValueKind::strings)
    return toStrings(*tensor);
  HEXIN_ASSIGN_OR_RETURN(auto results, reference::run("cast", call.attributes,
                                                      {&tensor, 1}, {&type.dtype, 1}));
  return single(std::move(results[0]));
}

} // namespace hexin::host
