//===- Lexer.cpp - words and signs of a PTX text ----------------------------------===//
#include "tests/cuda_driver/ptx/Lexer.h"

#include <bit>
#include <cctype>
#include <charconv>
#include <cstdlib>

using namespace standin;

namespace {
bool isWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         c == '%' || c == '.';
}
} // namespace

void standin::failParse(int line, std::string message) {
  throw ParseError{line, std::move(message)};
}

Lexer::Lexer(std::string_view text) : text_(text) { next(); }

void Lexer::skipBlanks() {
  while (position_ < text_.size()) {
    char c = text_[position_];
    std::string_view rest = text_.substr(position_);
    if (c == '\n') {
      ++line_;
      ++position_;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      ++position_;
    } else if (rest.starts_with("//")) {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else if (rest.starts_with("/*")) {
      size_t end = text_.find("*/", position_ + 2);
      if (end == std::string_view::npos)
        failParse(line_, "a comment is not closed");
      for (; position_ < end + 2; ++position_)
        line_ += text_[position_] == '\n';
    } else {
      return;
    }
  }
}

Token Lexer::next() {
  Token taken = token_;
  skipBlanks();
  token_ = {Token::Kind::End, {}, line_};
  if (position_ >= text_.size())
    return taken;
  size_t begin = position_;
  if (text_[begin] == '"') {
    size_t end = text_.find_first_of("\"\n", begin + 1);
    if (end == std::string_view::npos || text_[end] == '\n')
      failParse(line_, "a string is not closed");
    token_.kind = Token::Kind::String;
    token_.text = text_.substr(begin + 1, end - begin - 1);
    position_ = end + 1;
    return taken;
  }
  while (position_ < text_.size()) {
    if (isWordCharacter(text_[position_]))
      ++position_;
    else if (position_ > begin && text_.substr(position_).starts_with("::"))
      position_ += 2;
    else
      break;
  }
  token_.kind = position_ > begin ? Token::Kind::Word : Token::Kind::Sign;
  if (position_ == begin)
    ++position_;
  token_.text = text_.substr(begin, position_ - begin);
  return taken;
}

bool Lexer::accept(std::string_view text) {
  if (!token_.is(text))
    return false;
  next();
  return true;
}

void Lexer::expect(std::string_view text, std::string_view where) {
  if (!accept(text))
    failParse(token_.line, "expected '" + std::string(text) + "' " + std::string(where) +
                               ", found '" + std::string(token_.text) + "'");
}

Token Lexer::word(std::string_view what) {
  if (token_.kind != Token::Kind::Word)
    failParse(token_.line, "expected " + std::string(what) + ", found '" +
                               std::string(token_.text) + "'");
  return next();
}

Literal standin::parseLiteral(const Token &token, bool negative) {
  std::string_view text = token.text;
  auto refuse = [&] {
    failParse(token.line, "'" + std::string(text) + "' is no number");
  };
  auto digits = [&](std::string_view part, int base) {
    uint64_t value = 0;
    auto [end, error] =
        std::from_chars(part.data(), part.data() + part.size(), value, base);
    if (error != std::errc() || end != part.data() + part.size() || part.empty())
      refuse();
    return value;
  };
  auto prefixed = [&](char lower) {
    return text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == lower;
  };

  Literal literal;
  if (prefixed('f')) {
    if (text.size() != 10)
      refuse();
    literal = {Literal::Kind::Single, digits(text.substr(2), 16)};
    if (negative)
      literal.bits ^= 1u << 31;
    return literal;
  }
  if (prefixed('d') && text.size() == 18) {
    literal = {Literal::Kind::Double, digits(text.substr(2), 16)};
    if (negative)
      literal.bits ^= uint64_t(1) << 63;
    return literal;
  }
  if (!prefixed('x') && text.find('.') != std::string_view::npos) {
    std::string copy(text);
    char *end = nullptr;
    double value = std::strtod(copy.c_str(), &end);
    if (*end)
      refuse();
    return {Literal::Kind::Double, std::bit_cast<uint64_t>(negative ? -value : value)};
  }
  if (text.ends_with('U') || text.ends_with('u'))
    text.remove_suffix(1);
  if (prefixed('x'))
    literal.bits = digits(text.substr(2), 16);
  else if (prefixed('b'))
    literal.bits = digits(text.substr(2), 2);
  else if (text.size() > 1 && text[0] == '0')
    literal.bits = digits(text.substr(1), 8);
  else
    literal.bits = digits(text, 10);
  if (negative)
    literal.bits = 0 - literal.bits;
  return literal;
}
