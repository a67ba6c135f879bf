//===- Statement.h - an instruction as it is written -------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_PTX_STATEMENT_H
#define HEXIN_TESTS_CUDA_DRIVER_PTX_STATEMENT_H

#include "tests/cuda_driver/ptx/Lexer.h"

#include <string>
#include <vector>

namespace standin {

struct Operand {
  enum class Kind {
    Name,    ///< register, special register, variable or label; + offset
    Number,  ///< literal
    Address, ///< [parts[0] + offset]
    Vector,  ///< {parts...}
    Pair,    ///< parts[0] | parts[1]
    Sink,    ///< _
  };
  Kind kind = Kind::Name;
  std::string name;
  Literal literal;
  bool negated = false; ///< !name
  int64_t offset = 0;
  std::vector<Operand> parts;
};

struct Statement {
  int line = 0;
  std::string guard; ///< name of a predicate, or empty
  bool guardNegated = false;
  std::string opcode;                 ///< "ld"
  std::vector<std::string> modifiers; ///< "global", "b32"
  std::vector<Operand> operands;

  std::string text() const; ///< opcode with modifiers
};

/// Reads up to and with the ';'. The guard, if any, starts at '@'.
Statement parseStatement(Lexer &lexer);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_PTX_STATEMENT_H
