// Counting n-grams of a pool.
#include "runtime/host/Kernel.h"

#include "runtime/base/DType.h"
#include "runtime/base/ValueCheck.h"

#include <cstring>
#include <map>
#include <unordered_map>

namespace hexin::host {
namespace {

using Items = std::vector<int64_t>;

/// The pool's n-grams by their items, which strings have as numbers of their own.
struct Pool {
  std::map<Items, int64_t> columns;
  std::unordered_map<std::string, int64_t> numbers;
  int64_t minLength = 1, maxLength = 1;

  int64_t numberOf(const std::string &text) const {
    auto it = numbers.find(text);
    return it == numbers.end() ? -1 : it->second;
  }
};

Result<Pool> makePool(const Call &call) {
  Pool pool;
  pool.minLength = call.attributes.getInt("minLength", 1);
  pool.maxLength = call.attributes.getInt("maxLength", 1);
  Items items = call.attributes.getInts("intPool");
  if (const auto *strings = call.stringList("stringPool"))
    for (const std::string &text : *strings)
      items.push_back(
          pool.numbers.emplace(text, static_cast<int64_t>(pool.numbers.size()))
              .first->second);
  Items starts = call.attributes.getInts("starts");
  Items columns = call.attributes.getInts("columns");
  int64_t width = call.attributes.getInt("width"), number = 0;
  auto size = static_cast<int64_t>(items.size());
  if (pool.minLength < 1 || pool.maxLength < pool.minLength)
    return invalidArgument("n-grams of " + std::to_string(pool.minLength) + " to " +
                           std::to_string(pool.maxLength) + " items");
  for (size_t n = 0; n < starts.size(); ++n) {
    auto length = static_cast<int64_t>(n) + 1;
    int64_t end = n + 1 < starts.size() ? starts[n + 1] : size;
    if (starts[n] < 0 || end > size || starts[n] > end || (end - starts[n]) % length != 0)
      return invalidArgument("n-grams of length " + std::to_string(length) +
                             " lie outside of the pool");
    for (int64_t at = starts[n]; at < end; at += length, ++number) {
      if (number >= static_cast<int64_t>(columns.size()) || columns[number] < 0 ||
          columns[number] >= width)
        return invalidArgument("n-gram " + std::to_string(number) + " has no column");
      if (length >= pool.minLength && length <= pool.maxLength)
        pool.columns[Items(items.begin() + at, items.begin() + at + length)] =
            columns[number];
    }
  }
  return pool;
}

void countRow(const Pool &pool, std::span<const int64_t> row, int64_t maxSkip,
              float *counts) {
  auto size = static_cast<int64_t>(row.size());
  Items gram;
  for (int64_t length = pool.minLength; length <= std::min(pool.maxLength, size);
       ++length) {
    // Skips make no difference to single items.
    int64_t skips = length == 1 ? 0 : std::min(maxSkip, size);
    for (int64_t skip = 0; skip <= skips; ++skip) {
      int64_t reach = (length - 1) * (skip + 1);
      if (reach >= size)
        break;
      for (int64_t start = 0; start + reach < size; ++start) {
        gram.clear();
        for (int64_t i = 0; i < length; ++i)
          gram.push_back(row[start + i * (skip + 1)]);
        if (auto found = pool.columns.find(gram); found != pool.columns.end())
          counts[found->second] += 1;
      }
    }
  }
}

} // namespace

Values runNgramCount(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(Pool pool, makePool(call));
  int64_t maxSkip = call.attributes.getInt("maxSkip");
  Items items;
  if (const StringTensor *strings = call.operands[0]->strings()) {
    for (const std::string &text : strings->elements)
      items.push_back(pool.numberOf(text));
  } else {
    HEXIN_ASSIGN_OR_RETURN(const Tensor *numbers, call.tensor(0));
    bool isLong = numbers->dtype() == DType::i64;
    if (!isLong && numbers->dtype() != DType::i32)
      return invalidArgument("expected strings, i32 or i64, got " +
                             describe(*call.operands[0]));
    for (int64_t i = 0; i < numbers->numElements(); ++i)
      items.push_back(isLong ? numbers->as<int64_t>()[i] : numbers->as<int32_t>()[i]);
  }
  std::span<const int64_t> given = dimsOf(*call.operands[0]);
  if (given.empty() || given.size() > 2 || maxSkip < 0)
    return invalidArgument("expected [C] or [N, C] items, got " +
                           describe(*call.operands[0]));
  std::vector<int64_t> dims(given.begin(), given.end());
  int64_t rows = dims.size() == 2 ? dims[0] : 1, length = dims.back();
  dims.back() = call.attributes.getInt("width");
  HEXIN_ASSIGN_OR_RETURN(Tensor counts, Tensor::allocate(DType::f32, dims));
  if (counts.byteLength() > 0)
    std::memset(counts.data(), 0, counts.byteLength());
  for (int64_t row = 0; row < rows; ++row)
    countRow(pool,
             std::span(items).subspan(static_cast<size_t>(row * length),
                                      static_cast<size_t>(length)),
             maxSkip, counts.as<float>() + row * dims.back());
  return single(std::move(counts));
}

} // namespace hexin::host
