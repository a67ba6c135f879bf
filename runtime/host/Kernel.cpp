#include "runtime/host/Kernel.h"

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/base/ValueCheck.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hexin::host {
namespace {

/// Beyond this a tensor of strings takes gigabytes before it has a letter.
constexpr int64_t maxStrings = int64_t(1) << 27;

Status wrongKind(size_t i, const char *expected, const Value &value) {
  return invalidArgument("operand " + std::to_string(i) + " must be " + expected +
                         ", got " + describe(value));
}

/// Calls `copy(dst, src, count)` for each run of elements that stay neighbours when
/// `part` goes to `begin` on an axis of `dims`, in units of elements.
template <typename Copy>
void forEachRun(std::span<const int64_t> dims, size_t axis, int64_t begin, int64_t size,
                Copy copy) {
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < dims.size(); ++i)
    (i < axis ? outer : inner) *= i == axis ? 1 : dims[i];
  for (int64_t o = 0; o < outer; ++o)
    copy((o * dims[axis] + begin) * inner, o * size * inner, size * inner);
}

std::vector<int64_t> withSize(std::span<const int64_t> dims, size_t axis, int64_t size) {
  std::vector<int64_t> changed(dims.begin(), dims.end());
  changed[axis] = size;
  return changed;
}

Result<Value> withDims(const Value &value, std::vector<int64_t> dims) {
  if (const StringTensor *strings = value.strings())
    return Value(StringTensor{std::move(dims), strings->elements});
  const Tensor &tensor = *value.tensor();
  HEXIN_ASSIGN_OR_RETURN(Tensor view, Tensor::wrap(tensor.dtype(), dims,
                                                   const_cast<void *>(tensor.data()),
                                                   tensor.byteLength(), tensor.owner()));
  return owned(view);
}

} // namespace

Result<const Tensor *> Call::tensor(size_t i) const {
  const Tensor *tensor = operands[i]->tensor();
  if (!tensor)
    return wrongKind(i, "a tensor", *operands[i]);
  return tensor;
}

Result<const StringTensor *> Call::strings(size_t i) const {
  const StringTensor *strings = operands[i]->strings();
  if (!strings)
    return wrongKind(i, "a tensor of strings", *operands[i]);
  return strings;
}

Result<const Sequence *> Call::sequence(size_t i) const {
  const Sequence *sequence = operands[i]->sequence();
  if (!sequence)
    return wrongKind(i, "a sequence", *operands[i]);
  return sequence;
}

Result<const Optional *> Call::optional(size_t i) const {
  const Optional *optional = operands[i]->optional();
  if (!optional)
    return wrongKind(i, "an optional", *operands[i]);
  return optional;
}

Result<const Map *> Call::map(size_t i) const {
  const Map *map = operands[i]->map();
  if (!map)
    return wrongKind(i, "a map", *operands[i]);
  return map;
}

Result<Value> Call::take(size_t i) const {
  bool isSpent = i < spent.size() && spent[i];
  return owned(isSpent ? std::exchange(*spent[i], Value()) : *operands[i]);
}

Result<Sequence> Call::takeSequence(size_t i) const {
  HEXIN_RETURN_IF_ERROR(sequence(i).status());
  HEXIN_ASSIGN_OR_RETURN(Value value, take(i));
  return std::move(const_cast<Sequence &>(*value.sequence())); // `value` is ours
}

Result<int64_t> Call::integer(size_t i) const {
  HEXIN_ASSIGN_OR_RETURN(const Tensor *tensor, this->tensor(i));
  bool isLong = tensor->dtype() == DType::i64;
  if (tensor->numElements() != 1 || (!isLong && tensor->dtype() != DType::i32))
    return wrongKind(i, "one i32 or i64", *operands[i]);
  if (isLong)
    return *tensor->as<int64_t>();
  return *tensor->as<int32_t>();
}

const std::vector<std::string> *Call::stringList(std::string_view name) const {
  for (const auto &[key, value] : attributes)
    if (key == name)
      return std::get_if<std::vector<std::string>>(&value);
  return nullptr;
}

Values single(Value value) {
  std::vector<Value> values;
  values.push_back(std::move(value));
  return values;
}

Result<Value> owned(Value value) {
  const Tensor *tensor = value.tensor();
  if (!tensor || tensor->owner())
    return value;
  HEXIN_ASSIGN_OR_RETURN(Tensor copy, Tensor::allocate(tensor->dtype(), tensor->dims()));
  if (tensor->byteLength() > 0)
    std::memcpy(copy.data(), tensor->data(), tensor->byteLength());
  return Value(std::move(copy));
}

Result<Value> scalar(int64_t number) {
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(DType::i64, {}));
  *tensor.as<int64_t>() = number;
  return Value(std::move(tensor));
}

Result<Value> truth(bool is) {
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(DType::boolean, {}));
  *tensor.as<uint8_t>() = is;
  return Value(std::move(tensor));
}

Result<StringTensor> makeStrings(std::vector<int64_t> dims) {
  auto count = checkedNumElements(dims);
  if (!count || *count > maxStrings)
    return resourceExhausted("a tensor of more than " + std::to_string(maxStrings) +
                             " strings");
  StringTensor strings;
  strings.dims = std::move(dims);
  strings.elements.resize(static_cast<size_t>(*count));
  return strings;
}

Status TextBudget::take(uint64_t bytes) {
  if (bytes > most - taken)
    return resourceExhausted("a tensor of strings with more than " +
                             std::to_string(most) + " bytes of text");
  taken += bytes;
  return Status::success();
}

Result<size_t> checkPosition(int64_t position, size_t count, const char *what) {
  auto length = static_cast<int64_t>(count);
  if (position >= -length && position < length)
    return static_cast<size_t>(position < 0 ? position + length : position);
  return outOfRange(std::string(what) + " position " + std::to_string(position) +
                    " of a sequence of " + std::to_string(count));
}

std::span<const int64_t> dimsOf(const Value &value) {
  if (const Tensor *tensor = value.tensor())
    return tensor->dims();
  if (const StringTensor *strings = value.strings())
    return strings->dims;
  return {};
}

Result<Value> sliceAxis(const Value &value, size_t axis, int64_t begin, int64_t size,
                        bool keepDim) {
  std::vector<int64_t> dims = withSize(dimsOf(value), axis, size);
  if (!keepDim)
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  if (const StringTensor *strings = value.strings()) {
    HEXIN_ASSIGN_OR_RETURN(StringTensor part, makeStrings(std::move(dims)));
    forEachRun(strings->dims, axis, begin, size,
               [&](int64_t from, int64_t to, int64_t count) {
                 std::copy_n(strings->elements.begin() + from, count,
                             part.elements.begin() + to);
               });
    return Value(std::move(part));
  }
  const Tensor &tensor = *value.tensor();
  HEXIN_ASSIGN_OR_RETURN(Tensor part, Tensor::allocate(tensor.dtype(), dims));
  int64_t width = byteWidth(tensor.dtype());
  forEachRun(
      tensor.dims(), axis, begin, size, [&](int64_t from, int64_t to, int64_t count) {
        if (count > 0)
          std::memcpy(part.as<char>() + to * width, tensor.as<char>() + from * width,
                      static_cast<size_t>(count * width));
      });
  return Value(std::move(part));
}

Result<Value> concatAxis(std::span<const Value *const> values, size_t axis) {
  std::span<const int64_t> first = dimsOf(*values[0]);
  int64_t size = 0;
  for (const Value *value : values) {
    std::span<const int64_t> dims = dimsOf(*value);
    bool isRight =
        kindOf(*value) == kindOf(*values[0]) &&
        (!value->tensor() || value->tensor()->dtype() == values[0]->tensor()->dtype()) &&
        dims.size() == first.size() && axis < dims.size();
    for (size_t i = 0; isRight && i < dims.size(); ++i)
      isRight = i == axis || dims[i] == first[i];
    auto sum = isRight ? checkedAdd(size, dims[axis]) : std::nullopt;
    if (!sum)
      return invalidArgument("sizes and types must agree but for axis " +
                             std::to_string(axis) + ", got " + describe(*values[0]) +
                             " and " + describe(*value));
    size = *sum;
  }
  std::vector<int64_t> dims = withSize(first, axis, size);
  int64_t at = 0;
  if (values[0]->strings()) {
    HEXIN_ASSIGN_OR_RETURN(StringTensor whole, makeStrings(dims));
    for (const Value *value : values) {
      int64_t part = dimsOf(*value)[axis];
      forEachRun(dims, axis, at, part, [&](int64_t to, int64_t from, int64_t count) {
        std::copy_n(value->strings()->elements.begin() + from, count,
                    whole.elements.begin() + to);
      });
      at += part;
    }
    return Value(std::move(whole));
  }
  DType dtype = values[0]->tensor()->dtype();
  HEXIN_ASSIGN_OR_RETURN(Tensor whole, Tensor::allocate(dtype, dims));
  int64_t width = byteWidth(dtype);
  for (const Value *value : values) {
    int64_t part = dimsOf(*value)[axis];
    forEachRun(dims, axis, at, part, [&](int64_t to, int64_t from, int64_t count) {
      if (count > 0)
        std::memcpy(whole.as<char>() + to * width,
                    value->tensor()->as<char>() + from * width,
                    static_cast<size_t>(count * width));
    });
    at += part;
  }
  return Value(std::move(whole));
}

Result<Value> insertAxis(const Value &value, size_t axis) {
  std::span<const int64_t> dims = dimsOf(value);
  std::vector<int64_t> more(dims.begin(), dims.end());
  more.insert(more.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  return withDims(value, std::move(more));
}

} // namespace hexin::host
