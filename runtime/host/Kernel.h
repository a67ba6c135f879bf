//===- Kernel.h - what every host kernel gets and shares --------------------===//
#ifndef HEXIN_RUNTIME_HOST_KERNEL_H
#define HEXIN_RUNTIME_HOST_KERNEL_H

#include "runtime/host/HostKernels.h"

#include <optional>
#include <string>

namespace hexin::host {

using Values = Result<std::vector<Value>>;

/// The table has checked how many operands there are and that required ones are there.
struct Call {
  std::string_view op;
  const Attributes &attributes;
  std::span<const Value *const> operands;
  std::span<const ResultType> results;
  std::span<Value *const> spent; ///< as of `run`

  bool has(size_t i) const { return i < operands.size() && operands[i]; }

  // An operand of that kind, or the error that says what came.
  Result<const Tensor *> tensor(size_t i) const;
  Result<const StringTensor *> strings(size_t i) const;
  Result<const Sequence *> sequence(size_t i) const;
  Result<const Optional *> optional(size_t i) const;
  Result<const Map *> map(size_t i) const;

  /// Operand `i` to keep: moved where it is spent, in memory of its own where it was
  /// borrowed. Asked for last: what is spent is gone.
  Result<Value> take(size_t i) const;
  Result<Sequence> takeSequence(size_t i) const;

  /// The one integer of an i32 or i64 operand.
  Result<int64_t> integer(size_t i) const;
  /// The list of strings of an attribute; nullptr when it has none.
  const std::vector<std::string> *stringList(std::string_view name) const;
};

Values single(Value value);

/// `value`, in memory of its own where it was borrowed.
Result<Value> owned(Value value);

/// A tensor of one i64 or bool.
Result<Value> scalar(int64_t number);
Result<Value> truth(bool is);

/// A tensor of strings of these sizes, all "". Fails where that is no sane amount.
Result<StringTensor> makeStrings(std::vector<int64_t> dims);

/// Counts the bytes of the strings that a kernel makes. Strings that double in a loop end
/// here, not in the machine's memory.
class TextBudget {
public:
  static constexpr uint64_t most = uint64_t(1) << 28;
  Status take(uint64_t bytes);

private:
  uint64_t taken = 0;
};

/// `position` of `count` elements, counted from the end when it is below 0; outOfRange
/// says what it was to do.
Result<size_t> checkPosition(int64_t position, size_t count, const char *what);

/// Elements begin, begin + 1, ... (`size` of them) of an axis of a tensor or a tensor of
/// strings; without `keepDim` (size 1) that axis is gone.
Result<Value> sliceAxis(const Value &value, size_t axis, int64_t begin, int64_t size,
                        bool keepDim);
/// All one after the other along `axis`; they are of one kind and type.
Result<Value> concatAxis(std::span<const Value *const> values, size_t axis);
/// The same elements with an axis of size 1 more.
Result<Value> insertAxis(const Value &value, size_t axis);

std::span<const int64_t> dimsOf(const Value &value); ///< of a tensor of any kind

// Sequences.cpp
Values runShare(const Call &call);
Values runSeqMake(const Call &call);
Values runSeqAt(const Call &call);
Values runSeqInsert(const Call &call);
Values runSeqErase(const Call &call);
Values runSeqLength(const Call &call);
Values runSeqSplit(const Call &call);
Values runSeqConcat(const Call &call);
Values runOptMake(const Call &call);
Values runOptGet(const Call &call);
Values runOptHas(const Call &call);
// Maps.cpp
Values runMapMake(const Call &call);
Values runMapRead(const Call &call);
// Text.cpp, Ngrams.cpp
Values runConstant(const Call &call);
Values runStringConcat(const Call &call);
Values runStringSplit(const Call &call);
Values runStringNormalize(const Call &call);
Values runLookup(const Call &call);
Values runNgramCount(const Call &call);
// StringMoves.cpp: movement and comparison of strings, by what does it with numbers
bool movesStrings(std::string_view op);
Values runMoves(const Call &call);
// StringCasts.cpp
Values runCast(const Call &call);
// Library.cpp: by libhexin_hostops
Values runRegexMatch(const Call &call);
Values runDecodeImage(const Call &call);

} // namespace hexin::host

#endif // HEXIN_RUNTIME_HOST_KERNEL_H
