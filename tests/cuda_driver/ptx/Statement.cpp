//===- Statement.cpp - an instruction as it is written -----------------------------===//
#include "tests/cuda_driver/ptx/Statement.h"

#include <cctype>

using namespace standin;

namespace {

int64_t parseOffset(Lexer &lexer) {
  int64_t sum = 0;
  while (lexer.peek().is("+") || lexer.peek().is("-")) {
    bool negative = lexer.next().is("-");
    while (lexer.peek().is("-") || lexer.peek().is("+"))
      negative ^= lexer.next().is("-"); // LLVM writes [%rd1+-16]
    Literal literal = parseLiteral(lexer.word("an offset"), negative);
    sum = int64_t(uint64_t(sum) + literal.bits);
  }
  return sum;
}

Operand parseOperand(Lexer &lexer, unsigned depth = 0) {
  if (depth > 2)
    failParse(lexer.line(), "operands are nested too deeply");
  Operand operand;
  if (lexer.accept("[")) {
    operand.kind = Operand::Kind::Address;
    operand.parts.push_back(parseOperand(lexer, depth + 1));
    std::swap(operand.offset, operand.parts[0].offset);
    lexer.expect("]", "after an address");
    return operand;
  }
  if (lexer.accept("{")) {
    operand.kind = Operand::Kind::Vector;
    do
      operand.parts.push_back(parseOperand(lexer, depth + 1));
    while (lexer.accept(","));
    lexer.expect("}", "after a vector");
    return operand;
  }
  operand.negated = lexer.accept("!");
  bool negative = lexer.accept("-");
  Token token = lexer.word("an operand");
  if (negative || std::isdigit(static_cast<unsigned char>(token.text[0]))) {
    operand.kind = Operand::Kind::Number;
    operand.literal = parseLiteral(token, negative);
    return operand;
  }
  if (token.is("_")) {
    operand.kind = Operand::Kind::Sink;
  } else {
    operand.name = token.text;
    operand.offset = parseOffset(lexer);
  }
  if (depth == 0 && lexer.accept("|")) {
    Operand pair;
    pair.kind = Operand::Kind::Pair;
    pair.parts.push_back(std::move(operand));
    pair.parts.push_back(parseOperand(lexer, depth + 1));
    return pair;
  }
  return operand;
}

} // namespace

std::string Statement::text() const {
  std::string joined = opcode;
  for (const std::string &modifier : modifiers)
    joined += "." + modifier;
  return joined;
}

Statement standin::parseStatement(Lexer &lexer) {
  Statement statement;
  statement.line = lexer.line();
  if (lexer.accept("@")) {
    statement.guardNegated = lexer.accept("!");
    statement.guard = lexer.word("a predicate").text;
  }
  std::string_view opcode = lexer.word("an instruction").text;
  size_t dot = opcode.find('.');
  statement.opcode = opcode.substr(0, dot);
  if (statement.opcode == "call")
    failParse(statement.line, "calls are not supported: inline the function");
  while (dot != std::string_view::npos) {
    size_t end = opcode.find('.', dot + 1);
    statement.modifiers.emplace_back(opcode.substr(dot + 1, end - dot - 1));
    dot = end;
  }
  if (!lexer.peek().is(";")) {
    do
      statement.operands.push_back(parseOperand(lexer));
    while (lexer.accept(","));
  }
  lexer.expect(";", "after '" + statement.text() + "'");
  return statement;
}
