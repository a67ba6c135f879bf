//===- Lexer.h - words and signs of a PTX text ------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_PTX_LEXER_H
#define HEXIN_TESTS_CUDA_DRIVER_PTX_LEXER_H

#include "tests/cuda_driver/ptx/Module.h"

#include <string>
#include <string_view>

namespace standin {

/// Ends the reading; parseModule catches it.
[[noreturn]] void failParse(int line, std::string message);

struct Token {
  enum class Kind { End, Word, String, Sign };
  Kind kind = Kind::End;
  std::string_view text; ///< into the source; of a string without its quotes
  int line = 1;

  bool is(std::string_view expected) const {
    return kind != Kind::String && text == expected;
  }
};

/// A word is a name, a number, a directive or a whole opcode with its modifiers
/// ("ld.global.L1::evict_last.b32"); everything else is a sign of one character.
/// Comments are skipped. Borrows the text.
class Lexer {
public:
  explicit Lexer(std::string_view text);

  const Token &peek() const { return token_; }
  Token next();
  /// Takes the token when it is `text`.
  bool accept(std::string_view text);
  /// Takes the token, which must be `text`.
  void expect(std::string_view text, std::string_view where);
  /// Takes the token, which must be a word.
  Token word(std::string_view what);
  int line() const { return token_.line; }

private:
  void skipBlanks();

  std::string_view text_;
  size_t position_ = 0;
  int line_ = 1;
  Token token_;
};

/// A literal: its bits as an integer, or as a float of 32 or 64 bits.
struct Literal {
  enum class Kind { Integer, Single, Double };
  Kind kind = Kind::Integer;
  uint64_t bits = 0;
};

/// Reads the literal `token` starts; a '-' before it was taken by the caller.
Literal parseLiteral(const Token &token, bool negative);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_PTX_LEXER_H
