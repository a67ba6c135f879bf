// Maps from keys to numbers or strings.
#include "runtime/host/Kernel.h"

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/base/ValueCheck.h"

#include <cstring>

namespace hexin::host {
namespace {

using Key = std::variant<int64_t, std::string>;

/// The keys of the op; nullopt when it has none.
std::optional<std::vector<Key>> keysOf(const Call &call) {
  std::vector<Key> keys;
  if (const auto *strings = call.stringList("stringKeys")) {
    keys.assign(strings->begin(), strings->end());
    return keys;
  }
  if (!call.attributes.has("intKeys"))
    return std::nullopt;
  std::vector<int64_t> numbers = call.attributes.getInts("intKeys");
  keys.assign(numbers.begin(), numbers.end());
  return keys;
}

constexpr int64_t maxColumns = int64_t(1) << 27;

} // namespace

Values runMapMake(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Tensor *input, call.tensor(0));
  auto keys = keysOf(call);
  std::span<const int64_t> dims = input->dims();
  bool isRight = keys && (dims.size() == 1 || dims.size() == 2) &&
                 dims.back() == static_cast<int64_t>(keys->size());
  if (!isRight)
    return invalidArgument("expected a row of " +
                           std::to_string(keys ? keys->size() : 0) +
                           " numbers for each map, got " + describe(*call.operands[0]));
  int64_t rows = dims.size() == 2 ? dims[0] : 1, width = byteWidth(input->dtype());
  Sequence maps;
  for (int64_t row = 0; row < rows; ++row) {
    Map map;
    for (size_t k = 0; k < keys->size(); ++k) {
      HEXIN_ASSIGN_OR_RETURN(Tensor number, Tensor::allocate(input->dtype(), {}));
      int64_t index = row * dims.back() + static_cast<int64_t>(k);
      std::memcpy(number.data(), input->as<char>() + index * width,
                  static_cast<size_t>(width));
      map.entries.insert_or_assign((*keys)[k], std::move(number));
    }
    maps.elements.push_back(std::move(map));
  }
  return single(std::move(maps));
}

/// The entries that count are put together to [1, n]; a cast gives them their type.
Values runMapRead(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Map *map, call.map(0));
  std::vector<const Value *> columns;
  if (auto keys = keysOf(call)) {
    for (const Key &key : *keys) {
      auto found = map->entries.find(key);
      columns.push_back(found == map->entries.end() ? nullptr : &found->second);
    }
  } else if (call.attributes.getInt("dense", 1) != 0) {
    for (const auto &[key, value] : map->entries)
      columns.push_back(&value);
  } else {
    int64_t length = call.attributes.getInt("length", 1);
    if (length < 0 || length > maxColumns)
      return invalidArgument("a row of " + std::to_string(length) + " columns");
    columns.resize(static_cast<size_t>(length));
    for (const auto &[key, value] : map->entries) {
      const int64_t *column = std::get_if<int64_t>(&key);
      if (!column || *column < 0 || *column >= length)
        return outOfRange("a key of the map is no column of " + std::to_string(length));
      columns[static_cast<size_t>(*column)] = &value;
    }
  }
  const ResultType &type = call.results[0];
  std::vector<int64_t> dims{1, static_cast<int64_t>(columns.size())};
  if (type.kind == ValueKind::strings) {
    HEXIN_ASSIGN_OR_RETURN(StringTensor row, makeStrings(dims));
    for (size_t i = 0; i < columns.size(); ++i)
      if (columns[i]) {
        HEXIN_ASSIGN_OR_RETURN(
            auto text, runCast({"cast", call.attributes, {&columns[i], 1}, {&type, 1}}));
        if (text[0].strings()->elements.size() != 1)
          return invalidArgument("a value of the map is " + describe(*columns[i]));
        row.elements[i] = text[0].strings()->elements[0];
      }
    return single(std::move(row));
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor row, Tensor::allocate(type.dtype, dims));
  auto width = static_cast<size_t>(byteWidth(type.dtype));
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i]) {
      std::memset(row.as<char>() + i * width, 0, width);
      continue;
    }
    HEXIN_ASSIGN_OR_RETURN(
        auto number, runCast({"cast", call.attributes, {&columns[i], 1}, {&type, 1}}));
    if (number[0].tensor()->numElements() != 1)
      return invalidArgument("a value of the map is " + describe(*columns[i]));
    std::memcpy(row.as<char>() + i * width, number[0].tensor()->data(), width);
  }
  return single(std::move(row));
}

} // namespace hexin::host
