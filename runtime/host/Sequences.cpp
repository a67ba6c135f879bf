// Sequences and optionals: lists of values that are shared, not copied. A list that
// nobody uses afterwards becomes the result.
#include "runtime/host/Kernel.h"

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/base/ValueCheck.h"

namespace hexin::host {
namespace {

/// Beyond this a sequence takes gigabytes before its tensors have an element.
constexpr int64_t maxElements = int64_t(1) << 24;

/// The sizes of the parts of an axis.
Result<std::vector<int64_t>> partSizes(const Call &call, int64_t size) {
  std::vector<int64_t> sizes;
  int64_t chunk = 1;
  if (call.has(1)) {
    HEXIN_ASSIGN_OR_RETURN(const Tensor *given, call.tensor(1));
    if (given->dims().size() == 1) {
      bool isLong = given->dtype() == DType::i64;
      if (!isLong && given->dtype() != DType::i32)
        return invalidArgument("the sizes of parts must be i32 or i64, got " +
                               describe(*call.operands[1]));
      int64_t sum = 0;
      for (int64_t i = 0; i < given->numElements(); ++i) {
        sizes.push_back(isLong ? given->as<int64_t>()[i] : given->as<int32_t>()[i]);
        auto next = sizes.back() < 0 ? std::nullopt : checkedAdd(sum, sizes.back());
        if (!next)
          return invalidArgument("a part of size " + std::to_string(sizes.back()));
        sum = *next;
      }
      if (sum != size)
        return invalidArgument("the parts have " + std::to_string(sum) +
                               " elements in all, the axis " + std::to_string(size));
      return sizes;
    }
    HEXIN_ASSIGN_OR_RETURN(chunk, call.integer(1));
    if (chunk < 1)
      return invalidArgument("parts of size " + std::to_string(chunk));
  }
  if ((size - 1) / chunk >= maxElements)
    return resourceExhausted("a sequence of more than " + std::to_string(maxElements) +
                             " parts");
  for (int64_t at = 0; at < size; at += chunk)
    sizes.push_back(std::min(chunk, size - at));
  return sizes;
}

} // namespace

Values runShare(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(Value value, call.take(0));
  return single(std::move(value));
}

Values runSeqMake(const Call &call) {
  Sequence sequence;
  for (size_t i = 0; i < call.operands.size(); ++i) {
    HEXIN_ASSIGN_OR_RETURN(Value value, call.take(i));
    sequence.elements.push_back(std::move(value));
  }
  return single(std::move(sequence));
}

Values runSeqAt(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Sequence *sequence, call.sequence(0));
  HEXIN_ASSIGN_OR_RETURN(int64_t position, call.integer(1));
  HEXIN_ASSIGN_OR_RETURN(size_t index,
                         checkPosition(position, sequence->elements.size(), "reads"));
  HEXIN_ASSIGN_OR_RETURN(Value value, owned(sequence->elements[index]));
  return single(std::move(value));
}

Values runSeqInsert(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Sequence *sequence, call.sequence(0));
  size_t index = sequence->elements.size();
  if (call.has(2)) {
    HEXIN_ASSIGN_OR_RETURN(int64_t position, call.integer(2));
    auto length = static_cast<int64_t>(index);
    if (position != length) {
      HEXIN_ASSIGN_OR_RETURN(
          index, checkPosition(position, sequence->elements.size(), "inserts at"));
    }
  }
  HEXIN_ASSIGN_OR_RETURN(Value value, call.take(1));
  HEXIN_ASSIGN_OR_RETURN(Sequence longer, call.takeSequence(0));
  longer.elements.insert(longer.elements.begin() + static_cast<std::ptrdiff_t>(index),
                         std::move(value));
  return single(std::move(longer));
}

Values runSeqErase(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Sequence *sequence, call.sequence(0));
  int64_t position = -1;
  if (call.has(1)) {
    HEXIN_ASSIGN_OR_RETURN(position, call.integer(1));
  }
  HEXIN_ASSIGN_OR_RETURN(size_t index,
                         checkPosition(position, sequence->elements.size(), "erases"));
  HEXIN_ASSIGN_OR_RETURN(Sequence shorter, call.takeSequence(0));
  shorter.elements.erase(shorter.elements.begin() + static_cast<std::ptrdiff_t>(index));
  return single(std::move(shorter));
}

Values runSeqLength(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Sequence *sequence, call.sequence(0));
  HEXIN_ASSIGN_OR_RETURN(Value length,
                         scalar(static_cast<int64_t>(sequence->elements.size())));
  return single(std::move(length));
}

Values runSeqSplit(const Call &call) {
  const Value &input = *call.operands[0];
  std::span<const int64_t> dims = dimsOf(input);
  int64_t axis = call.attributes.getInt("axis");
  bool keepDim = call.attributes.getInt("keepDim", 1) != 0 || call.has(1);
  if ((!input.tensor() && !input.strings()) || axis < 0 ||
      axis >= static_cast<int64_t>(dims.size()))
    return invalidArgument("cannot split " + describe(input) + " on axis " +
                           std::to_string(axis));
  HEXIN_ASSIGN_OR_RETURN(auto sizes, partSizes(call, dims[axis]));
  Sequence parts;
  int64_t begin = 0;
  for (int64_t size : sizes) {
    HEXIN_ASSIGN_OR_RETURN(
        Value part, sliceAxis(input, static_cast<size_t>(axis), begin, size, keepDim));
    parts.elements.push_back(std::move(part));
    begin += size;
  }
  return single(std::move(parts));
}

Values runSeqConcat(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Sequence *sequence, call.sequence(0));
  int64_t axis = call.attributes.getInt("axis");
  bool isNew = call.attributes.getInt("newAxis") != 0;
  if (sequence->elements.empty())
    return invalidArgument("the sequence is empty: it has nothing to concatenate");
  std::vector<Value> wider;
  std::vector<const Value *> values;
  wider.reserve(sequence->elements.size());
  for (const Value &element : sequence->elements) {
    size_t rank = dimsOf(element).size() + (isNew ? 1 : 0);
    if ((!element.tensor() && !element.strings()) || axis < 0 ||
        axis >= static_cast<int64_t>(rank))
      return invalidArgument("cannot concatenate " + describe(element) + " on axis " +
                             std::to_string(axis));
    if (isNew) {
      HEXIN_ASSIGN_OR_RETURN(Value more, insertAxis(element, static_cast<size_t>(axis)));
      wider.push_back(std::move(more));
    }
    values.push_back(isNew ? &wider.back() : &element);
  }
  HEXIN_ASSIGN_OR_RETURN(Value whole, concatAxis(values, static_cast<size_t>(axis)));
  return single(std::move(whole));
}

Values runOptMake(const Call &call) {
  Optional optional;
  if (call.has(0)) {
    HEXIN_ASSIGN_OR_RETURN(Value value, call.take(0));
    optional.value = std::make_shared<Value>(std::move(value)); // see runOptGet
  }
  return single(std::move(optional));
}

Values runOptGet(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Optional *optional, call.optional(0));
  if (!optional->value)
    return outOfRange("the optional is empty: it has no element to get");
  bool isSpent = !call.spent.empty() && call.spent[0];
  if (isSpent && optional->value.use_count() == 1) {
    // Nobody else sees it. Only optionals of runOptMake are spent, which holds no const.
    HEXIN_ASSIGN_OR_RETURN(Value value,
                           owned(std::move(const_cast<Value &>(*optional->value))));
    return single(std::move(value));
  }
  HEXIN_ASSIGN_OR_RETURN(Value value, owned(*optional->value));
  return single(std::move(value));
}

Values runOptHas(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Optional *optional, call.optional(0));
  HEXIN_ASSIGN_OR_RETURN(Value is, truth(optional->value != nullptr));
  return single(std::move(is));
}

} // namespace hexin::host
