// Tensors of UTF-8 strings. Case is changed for ASCII, Latin-1, Greek and Cyrillic
// letters, which are one code point in either case; other text stays as it is.
#include "runtime/host/Kernel.h"

#include "runtime/base/Checked.h"
#include "runtime/base/ValueCheck.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace hexin::host {
namespace {

bool isSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/// The parts of `text`, which look into it.
std::vector<std::string_view> split(std::string_view text, std::string_view delimiter,
                                    int64_t maxSplit) {
  std::vector<std::string_view> parts;
  auto mayCut = [&] {
    return maxSplit < 0 || static_cast<int64_t>(parts.size()) < maxSplit;
  };
  if (!delimiter.empty()) {
    if (text.empty())
      return parts;
    for (size_t end; mayCut() && (end = text.find(delimiter)) != text.npos;
         text.remove_prefix(end + delimiter.size()))
      parts.push_back(text.substr(0, end));
    parts.push_back(text);
    return parts;
  }
  auto skipSpace = [&] {
    while (!text.empty() && isSpace(text.front()))
      text.remove_prefix(1);
  };
  for (skipSpace(); !text.empty(); skipSpace()) {
    if (!mayCut()) { // the rest, but for space at its end
      while (isSpace(text.back()))
        text.remove_suffix(1);
      parts.push_back(text);
      break;
    }
    auto end = static_cast<size_t>(std::ranges::find_if(text, isSpace) - text.begin());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return parts;
}

/// A code point of two bytes in the other case; itself when it has none.
uint32_t changedCase(uint32_t c, bool toUpper) {
  auto isBetween = [&](uint32_t first, uint32_t last) { return c >= first && c <= last; };
  if (toUpper) {
    if ((isBetween(0xE0, 0xFE) && c != 0xF7) || (isBetween(0x3B1, 0x3C9) && c != 0x3C2) ||
        isBetween(0x430, 0x44F))
      return c - 0x20;
    return isBetween(0x450, 0x45F) ? c - 0x50 : c;
  }
  if ((isBetween(0xC0, 0xDE) && c != 0xD7) || (isBetween(0x391, 0x3A9) && c != 0x3A2) ||
      isBetween(0x410, 0x42F))
    return c + 0x20;
  return isBetween(0x400, 0x40F) ? c + 0x50 : c;
}

std::string inCase(const std::string &text, bool toUpper) {
  std::string changed = text;
  for (size_t i = 0; i < changed.size(); ++i) {
    auto byte = static_cast<uint8_t>(changed[i]);
    if (byte < 0x80) {
      char first = toUpper ? 'a' : 'A';
      if (changed[i] >= first && changed[i] < first + 26)
        changed[i] = static_cast<char>(changed[i] ^ 0x20);
    } else if ((byte & 0xE0) == 0xC0 && i + 1 < changed.size()) {
      uint32_t c = (byte & 0x1Fu) << 6 | (static_cast<uint8_t>(changed[i + 1]) & 0x3Fu);
      c = changedCase(c, toUpper);
      changed[i] = static_cast<char>(0xC0 | c >> 6);
      changed[++i] = static_cast<char>(0x80 | (c & 0x3F));
    }
  }
  return changed;
}

/// Where an element of a broadcast result comes from: a stride per axis, 0 for a size
/// of 1.
std::vector<int64_t> broadcastStrides(std::span<const int64_t> dims, size_t rank) {
  std::vector<int64_t> strides(rank, 0);
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0; stride *= dims[i])
    strides[rank - dims.size() + i] = dims[i] == 1 ? 0 : stride;
  return strides;
}

} // namespace

/// The literal of a program: attributes `values` (one stands for all) and `dims`.
Values runConstant(const Call &call) {
  const auto *values = call.stringList("values");
  HEXIN_ASSIGN_OR_RETURN(StringTensor strings,
                         makeStrings(call.attributes.getInts("dims")));
  size_t count = strings.elements.size();
  if (!values || (values->size() != count && values->size() != 1))
    return invalidArgument("a literal of " + std::to_string(count) + " strings has " +
                           std::to_string(values ? values->size() : 0));
  TextBudget budget;
  for (size_t i = 0; i < count; ++i) {
    const std::string &text = (*values)[values->size() == 1 ? 0 : i];
    HEXIN_RETURN_IF_ERROR(budget.take(text.size()));
    strings.elements[i] = text;
  }
  return single(std::move(strings));
}

Values runStringConcat(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const StringTensor *lhs, call.strings(0));
  HEXIN_ASSIGN_OR_RETURN(const StringTensor *rhs, call.strings(1));
  size_t rank = std::max(lhs->dims.size(), rhs->dims.size());
  std::vector<int64_t> dims(rank);
  for (size_t i = 0; i < rank; ++i) {
    auto sizeIn = [&](const std::vector<int64_t> &sizes) {
      return i + sizes.size() < rank ? 1 : sizes[i + sizes.size() - rank];
    };
    int64_t a = sizeIn(lhs->dims), b = sizeIn(rhs->dims);
    if (a != b && a != 1 && b != 1)
      return invalidArgument(describe(*call.operands[0]) + " and " +
                             describe(*call.operands[1]) + " do not broadcast");
    dims[i] = a == 1 ? b : a;
  }
  HEXIN_ASSIGN_OR_RETURN(StringTensor joined, makeStrings(dims));
  auto lhsStrides = broadcastStrides(lhs->dims, rank),
       rhsStrides = broadcastStrides(rhs->dims, rank);
  std::vector<int64_t> at(rank, 0);
  int64_t a = 0, b = 0;
  TextBudget budget;
  for (std::string &element : joined.elements) {
    HEXIN_RETURN_IF_ERROR(budget.take(lhs->elements[a].size() + rhs->elements[b].size()));
    element = lhs->elements[a] + rhs->elements[b];
    for (size_t i = rank; i-- > 0;) {
      a += lhsStrides[i];
      b += rhsStrides[i];
      if (++at[i] < dims[i])
        break;
      a -= lhsStrides[i] * dims[i];
      b -= rhsStrides[i] * dims[i];
      at[i] = 0;
    }
  }
  return single(std::move(joined));
}

Values runStringSplit(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const StringTensor *input, call.strings(0));
  std::string_view delimiter = call.attributes.getString("delimiter");
  int64_t maxSplit = call.attributes.getInt("maxSplit", -1);
  HEXIN_ASSIGN_OR_RETURN(Tensor counts, Tensor::allocate(DType::i64, input->dims));
  int64_t most = 0;
  for (size_t i = 0; i < input->elements.size(); ++i) {
    auto count =
        static_cast<int64_t>(split(input->elements[i], delimiter, maxSplit).size());
    counts.as<int64_t>()[i] = count;
    most = std::max(most, count);
  }
  std::vector<int64_t> dims = input->dims;
  dims.push_back(most);
  HEXIN_ASSIGN_OR_RETURN(StringTensor parts, makeStrings(std::move(dims)));
  for (size_t i = 0; i < input->elements.size(); ++i) {
    auto row = split(input->elements[i], delimiter, maxSplit);
    std::ranges::copy(row,
                      parts.elements.begin() + static_cast<std::ptrdiff_t>(i) * most);
  }
  std::vector<Value> results;
  results.push_back(std::move(parts));
  results.push_back(std::move(counts));
  return results;
}

Values runStringNormalize(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const StringTensor *input, call.strings(0));
  if (input->dims.empty() || input->dims.size() > 2 ||
      (input->dims.size() == 2 && input->dims[0] != 1))
    return invalidArgument("expected [C] or [1, C] strings, got " +
                           describe(*call.operands[0]));
  bool isSensitive = call.attributes.getInt("caseSensitive") != 0;
  std::string_view change = call.attributes.getString("caseChange", "none");
  auto comparable = [&](const std::string &text) {
    return isSensitive ? text : inCase(text, false);
  };
  std::unordered_set<std::string> stopWords;
  if (const auto *words = call.stringList("stopWords"))
    for (const std::string &word : *words)
      stopWords.insert(comparable(word));
  StringTensor kept;
  for (const std::string &element : input->elements)
    if (!stopWords.contains(comparable(element)))
      kept.elements.push_back(change == "none" ? element
                                               : inCase(element, change == "upper"));
  if (kept.elements.empty())
    kept.elements.emplace_back();
  kept.dims = input->dims;
  kept.dims.back() = static_cast<int64_t>(kept.elements.size());
  return single(std::move(kept));
}

Values runLookup(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const StringTensor *input, call.strings(0));
  std::unordered_map<std::string_view, int64_t> positions;
  if (const auto *keys = call.stringList("keys"))
    for (size_t i = 0; i < keys->size(); ++i)
      positions[(*keys)[i]] = static_cast<int64_t>(i);
  HEXIN_ASSIGN_OR_RETURN(Tensor found, Tensor::allocate(DType::i64, input->dims));
  for (size_t i = 0; i < input->elements.size(); ++i) {
    auto it = positions.find(input->elements[i]);
    found.as<int64_t>()[i] = it == positions.end() ? -1 : it->second;
  }
  return single(std::move(found));
}

} // namespace hexin::host
