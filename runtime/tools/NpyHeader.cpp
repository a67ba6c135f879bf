#include "runtime/tools/NpyHeader.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace hexin::cli {
namespace {

constexpr size_t maxRank = 64;

/// Walks the one Python dictionary that a header is.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  Result<NpyHeader> parse() {
    NpyHeader header;
    bool hasType = false, hasOrder = false, hasDims = false;
    HEXIN_RETURN_IF_ERROR(expect('{'));
    while (!take('}')) {
      HEXIN_ASSIGN_OR_RETURN(std::string_view key, quoted());
      HEXIN_RETURN_IF_ERROR(expect(':'));
      if (key == "descr" && !hasType) {
        HEXIN_ASSIGN_OR_RETURN(header.type, type());
        hasType = true;
      } else if (key == "fortran_order" && !hasOrder) {
        HEXIN_ASSIGN_OR_RETURN(header.isFortranOrder, boolean());
        hasOrder = true;
      } else if (key == "shape" && !hasDims) {
        HEXIN_ASSIGN_OR_RETURN(header.dims, dims());
        hasDims = true;
      } else {
        return damaged("has the key '" + std::string(key) + "'");
      }
      if (!take(',')) {
        HEXIN_RETURN_IF_ERROR(expect('}'));
        break;
      }
    }
    skipSpace();
    if (!rest_.empty())
      return damaged("goes on after its dictionary");
    if (!hasType || !hasOrder || !hasDims)
      return damaged("lacks one of descr, fortran_order, shape");
    return header;
  }

private:
  static Status damaged(std::string_view what) {
    return corruptData("the .npy header " + std::string(what) +
                       "; expected {'descr': …, 'fortran_order': …, 'shape': …}");
  }

  void skipSpace() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())))
      rest_.remove_prefix(1);
  }

  bool take(char c) {
    skipSpace();
    if (rest_.empty() || rest_.front() != c)
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  Status expect(char c) {
    return take(c) ? Status::success() : damaged(std::string("lacks a '") + c + "'");
  }

  Result<std::string_view> quoted() {
    skipSpace();
    char quote = rest_.empty() ? 0 : rest_.front();
    if (quote != '\'' && quote != '"')
      return damaged("has something else where a quoted name belongs");
    size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos)
      return damaged("has an open quote");
    std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  Result<NpyType> type() {
    skipSpace();
    if (!rest_.empty() && rest_.front() == '[')
      return unsupported("the .npy file holds records; save each field as a plain array");
    HEXIN_ASSIGN_OR_RETURN(std::string_view whole, quoted());
    std::string_view text = whole;
    auto refuse = [&](std::string_view why) {
      return unsupported("the .npy file holds elements of type '" + std::string(whole) +
                         "', " + std::string(why));
    };
    if (text.empty())
      return refuse("which is no type");
    char order = text.front();
    if (order == '<' || order == '>' || order == '|' || order == '=')
      text.remove_prefix(1);
    if (text.empty())
      return refuse("which is no type");
    NpyType type;
    type.kind = text.front();
    if (type.kind == 'O')
      return refuse("Python objects; save an array of numbers or strings");
    if (std::string_view("biufcVUS").find(type.kind) == std::string_view::npos)
      return refuse("which Hexin does not read");
    text.remove_prefix(1);
    uint32_t count = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size())
      return refuse("which is no type");
    type.width = type.kind == 'U' ? size_t{count} * 4 : count;
    if (order == '>' && type.width > 1 && type.kind != 'S' && type.kind != 'V')
      return refuse(
          "big endian; convert it, e.g. array.astype(array.dtype.newbyteorder('<'))");
    return type;
  }

  Result<bool> boolean() {
    skipSpace();
    for (bool value : {false, true}) {
      std::string_view word = value ? "True" : "False";
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return value;
      }
    }
    return damaged("has a fortran_order that is neither True nor False");
  }

  Result<std::vector<int64_t>> dims() {
    std::vector<int64_t> dims;
    HEXIN_RETURN_IF_ERROR(expect('('));
    while (!take(')')) {
      skipSpace();
      int64_t dim = 0;
      auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), dim);
      if (error != std::errc() || dim < 0)
        return damaged("has a size that is no 64-bit number");
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      if (dims.size() == maxRank)
        return damaged("has more than 64 sizes");
      dims.push_back(dim);
      if (!take(',')) {
        HEXIN_RETURN_IF_ERROR(expect(')'));
        break;
      }
    }
    return dims;
  }

  std::string_view rest_;
};

std::string formatType(const NpyType &type) {
  size_t count = type.kind == 'U' ? type.width / 4 : type.width;
  return std::string(type.width > 1 ? "<" : "|") + type.kind + std::to_string(count);
}

} // namespace

Result<NpyHeader> parseNpyHeader(std::string_view text) {
  return HeaderParser(text).parse();
}

std::string formatNpyPreamble(const NpyHeader &header) {
  std::string dims = "(";
  for (int64_t dim : header.dims)
    dims += std::to_string(dim) + ",";
  std::string text = "{'descr': '" + formatType(header.type) +
                     "', 'fortran_order': " + (header.isFortranOrder ? "True" : "False") +
                     ", 'shape': " + dims + "), }";
  // Version 1: magic, 2 version bytes, 2 length bytes; the data is 64-byte aligned.
  size_t unpadded = 10 + text.size() + 1;
  text.append((64 - unpadded % 64) % 64, ' ');
  text += '\n';
  std::string preamble("\x93NUMPY\x01\x00", 8);
  preamble += static_cast<char>(text.size() & 0xff);
  preamble += static_cast<char>(text.size() >> 8);
  return preamble + text;
}

NpyType npyTypeOf(DType dtype) {
  switch (dtype) {
  case DType::boolean:
    return {'b', 1};
  case DType::i8:
  case DType::i4:
  case DType::i2:
    return {'i', 1};
  case DType::i16:
    return {'i', 2};
  case DType::i32:
    return {'i', 4};
  case DType::i64:
    return {'i', 8};
  case DType::u16:
  case DType::bf16:
    return {'u', 2};
  case DType::u32:
    return {'u', 4};
  case DType::u64:
    return {'u', 8};
  case DType::f16:
    return {'f', 2};
  case DType::f32:
    return {'f', 4};
  case DType::f64:
    return {'f', 8};
  case DType::c64:
    return {'c', 8};
  case DType::c128:
    return {'c', 16};
  case DType::string:
    return {'U', 4};
  default: // u8 and everything that is stored as one byte of bits
    return {'u', 1};
  }
}

} // namespace hexin::cli
