#include "runtime/base/ValueCheck.h"

#include "runtime/base/Checked.h"

#include <algorithm>

namespace hexin {
namespace {

std::string formatSizes(std::span<const int64_t> dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + (dims[i] < 0 ? std::string("?") : std::to_string(dims[i]));
  return text + "]";
}

std::string describeKey(const std::variant<int64_t, std::string> &key) {
  const int64_t *number = std::get_if<int64_t>(&key);
  return number ? std::to_string(*number) : "'" + std::get<std::string>(key) + "'";
}

bool fits(std::span<const int64_t> dims, const ValueType &type) {
  return !type.dims ||
         std::ranges::equal(dims, *type.dims, [](int64_t size, int64_t declared) {
           return declared < 0 || size == declared;
         });
}

Status checkStrings(const StringTensor &strings, const std::string &what) {
  auto count = checkedNumElements(strings.dims);
  if (count && static_cast<uint64_t>(*count) == strings.elements.size())
    return Status::success();
  return invalidArgument(what + ": a tensor of strings of sizes " +
                         formatSizes(strings.dims) + " has " +
                         std::to_string(strings.elements.size()) + " elements");
}

Status checkMap(const Map &map, const ValueType &type, const std::string &what) {
  bool hasStrings = type.dtype == DType::string;
  for (const auto &[key, value] : map.entries) {
    if (std::holds_alternative<std::string>(key) != hasStrings)
      return invalidArgument(what + ": expected keys of " +
                             std::string(toString(type.dtype)) + ", got " +
                             describeKey(key));
    HEXIN_RETURN_IF_ERROR(
        checkValue(value, type.held[0], what + "[" + describeKey(key) + "]"));
  }
  return Status::success();
}

} // namespace

std::string_view toString(ValueKind kind) {
  switch (kind) {
  case ValueKind::tensor:
    return "tensor";
  case ValueKind::strings:
    return "tensor of strings";
  case ValueKind::sequence:
    return "sequence";
  case ValueKind::optional:
    return "optional";
  case ValueKind::map:
    return "map";
  }
  return "value of no kind";
}

ValueKind kindOf(const Value &value) {
  return value.tensor()     ? ValueKind::tensor
         : value.strings()  ? ValueKind::strings
         : value.sequence() ? ValueKind::sequence
         : value.optional() ? ValueKind::optional
                            : ValueKind::map;
}

std::string describe(const Value &value) {
  if (const Tensor *tensor = value.tensor())
    return std::string(toString(tensor->dtype())) + formatSizes(tensor->dims());
  if (const StringTensor *strings = value.strings())
    return "string" + formatSizes(strings->dims);
  return "a value of kind " + std::string(toString(kindOf(value)));
}

std::string toString(const ValueType &type) {
  std::string held = type.held.empty() ? "" : toString(type.held[0]);
  switch (type.kind) {
  case ValueKind::tensor:
  case ValueKind::strings:
    return std::string(toString(type.dtype)) +
           (type.dims ? formatSizes(*type.dims) : "[...]");
  case ValueKind::map:
    return "map of " + std::string(toString(type.dtype)) + " to " + held;
  default:
    return std::string(toString(type.kind)) + " of " + held;
  }
}

Status checkValue(const Value &value, const ValueType &type, const std::string &what) {
  auto mismatch = [&] {
    return invalidArgument(what + ": expected " + toString(type) + ", got " +
                           describe(value));
  };
  if (kindOf(value) != type.kind)
    return mismatch();
  switch (type.kind) {
  case ValueKind::tensor:
    if (value.tensor()->dtype() != type.dtype || !fits(value.tensor()->dims(), type))
      return mismatch();
    return value.tensor()->isOnHost()
               ? Status::success()
               : invalidArgument(what + ": expected a tensor on the host, got one on '" +
                                 value.tensor()->device() +
                                 "'; copyTo() brings it there");
  case ValueKind::strings:
    return fits(value.strings()->dims, type) ? checkStrings(*value.strings(), what)
                                             : mismatch();
  case ValueKind::sequence: {
    const std::vector<Value> &elements = value.sequence()->elements;
    for (size_t i = 0; i < elements.size(); ++i)
      HEXIN_RETURN_IF_ERROR(
          checkValue(elements[i], type.held[0], what + "[" + std::to_string(i) + "]"));
    return Status::success();
  }
  case ValueKind::optional:
    return value.optional()->value
               ? checkValue(*value.optional()->value, type.held[0], what)
               : Status::success();
  case ValueKind::map:
    return checkMap(*value.map(), type, what);
  }
  return mismatch();
}

} // namespace hexin
