//===- Parser.cpp - directives of a PTX text ----------------------------------------===//
#include "tests/cuda_driver/ptx/EntryBuilder.h"
#include "tests/cuda_driver/ptx/Lexer.h"
#include "tests/cuda_driver/ptx/Module.h"
#include "tests/cuda_driver/ptx/Statement.h"
#include "tests/cuda_driver/simt/Decoder.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

using namespace standin;

namespace {

constexpr uint64_t maxVariableBytes = uint64_t(1) << 32;

class Parser {
public:
  explicit Parser(std::string_view text) : lexer_(text) {}
  std::unique_ptr<Module> parse();

private:
  struct Variable {
    std::string name;
    Type type = Type::None;
    Symbol symbol;
    bool hasOpenBound = false; ///< x[]
  };

  void parseVersion();
  void parseTarget();
  void parseTopLevel();
  void parseEntry();
  void parseParams(Entry &entry, EntryBuilder &builder);
  void parsePerformanceDirectives(Entry &entry);
  void parseBody(EntryBuilder &builder);
  void parseRegisters(EntryBuilder &builder);
  void parseBranchTargets(EntryBuilder &builder, const std::string &name, int line);
  Variable parseVariable(Space space);
  void parseModuleVariable(Space space, bool isExtern);
  void parseInitialiser(const Variable &variable, Global &global);
  void skipDebugInformation(const Token &directive);
  uint64_t number(std::string_view what);

  Lexer lexer_;
  std::unique_ptr<Module> module_ = std::make_unique<Module>();
  std::map<std::string, Symbol> variables_;
};

std::unique_ptr<Module> Parser::parse() {
  parseVersion();
  parseTarget();
  if (lexer_.accept(".address_size") && number("an address size") != 64)
    failParse(lexer_.line(), ".address_size must be 64");
  while (lexer_.peek().kind != Token::Kind::End)
    parseTopLevel();
  return std::move(module_);
}

uint64_t Parser::number(std::string_view what) {
  Token token = lexer_.word(what);
  Literal literal = parseLiteral(token, false);
  if (literal.kind != Literal::Kind::Integer)
    failParse(token.line, "expected " + std::string(what) + ", found '" +
                              std::string(token.text) + "'");
  return literal.bits;
}

void Parser::parseVersion() {
  lexer_.expect(".version", "at the beginning of a PTX text");
  Token token = lexer_.word("a PTX version");
  unsigned major = 0, minor = 0;
  const char *end = token.text.data() + token.text.size();
  auto [dot, error] = std::from_chars(token.text.data(), end, major);
  if (error != std::errc() || dot == end || *dot != '.' ||
      std::from_chars(dot + 1, end, minor).ptr != end || minor > 9 || major > 99)
    failParse(token.line, "'" + std::string(token.text) + "' is no PTX version");
  module_->version = int(major * 10 + minor);
}

void Parser::parseTarget() {
  lexer_.expect(".target", "after .version");
  do {
    Token token = lexer_.word("a target");
    std::string_view text = token.text;
    if (text == "debug")
      continue;
    int arch = 0;
    const char *end = text.data() + text.size();
    const char *rest = nullptr;
    if (text.starts_with("sm_"))
      rest = std::from_chars(text.data() + 3, end, arch).ptr;
    std::string_view suffix = rest ? std::string_view(rest, end - rest) : "?";
    if (arch < 50 || (suffix != "" && suffix != "a" && suffix != "f"))
      failParse(token.line, "target '" + std::string(text) + "' is not known");
    module_->target = arch;
    module_->isArchSpecific = !suffix.empty();
  } while (lexer_.accept(","));
  if (!module_->target)
    failParse(lexer_.line(), ".target names no architecture");
}

void Parser::skipDebugInformation(const Token &directive) {
  if (directive.is(".section")) {
    lexer_.word("a section's name");
    lexer_.expect("{", "after .section");
    while (!lexer_.accept("}"))
      if (lexer_.next().kind == Token::Kind::End)
        failParse(directive.line, ".section is not closed");
    return;
  }
  if (directive.is(".pragma")) {
    lexer_.next();
    lexer_.expect(";", "after .pragma");
    return;
  }
  while (lexer_.line() == directive.line && lexer_.peek().kind != Token::Kind::End)
    lexer_.next(); // .loc and .file end with their line
}

void Parser::parseTopLevel() {
  bool isExtern = false;
  while (true) {
    Token token = lexer_.word("a directive");
    if (token.is(".visible") || token.is(".weak") || token.is(".common"))
      continue;
    if (token.is(".extern")) {
      isExtern = true;
      continue;
    }
    if (token.is(".entry"))
      return parseEntry();
    if (token.is(".global"))
      return parseModuleVariable(Space::Global, isExtern);
    if (token.is(".const"))
      return parseModuleVariable(Space::Const, isExtern);
    if (token.is(".shared"))
      return parseModuleVariable(Space::Shared, isExtern);
    if (token.is(".file") || token.is(".section") || token.is(".pragma"))
      return skipDebugInformation(token);
    if (token.is(".func"))
      failParse(token.line, "functions are not supported: inline them (a call of a "
                            "function that LLVM does not know as an intrinsic, perhaps)");
    failParse(token.line, "directive '" + std::string(token.text) + "' is not known");
  }
}

Parser::Variable Parser::parseVariable(Space space) {
  Variable variable;
  variable.symbol.space = space;
  uint64_t align = 0;
  unsigned elements = 1;
  while (true) {
    Token token = lexer_.word("a type");
    if (token.is(".align")) {
      align = number("an alignment");
      if (align == 0 || align > 4096 || (align & (align - 1)))
        failParse(token.line, "an alignment must be a power of two up to 4096");
    } else if (token.is(".ptr")) {
      // Says of what space and alignment the pointer is; binds nothing here.
      if (lexer_.peek().text.starts_with(".") && !lexer_.peek().is(".align"))
        lexer_.next();
      if (lexer_.accept(".align"))
        number("an alignment");
    } else if (token.is(".v2")) {
      elements = 2;
    } else if (token.is(".v4")) {
      elements = 4;
    } else if (token.text.starts_with(".")) {
      std::optional<Type> type = typeNamed(token.text.substr(1));
      if (!type || *type == Type::Pred)
        failParse(token.line,
                  "'" + std::string(token.text) + "' is no type of a variable");
      variable.type = *type;
    } else {
      variable.name = token.text;
      break;
    }
  }
  if (variable.type == Type::None)
    failParse(lexer_.line(), "variable '" + variable.name + "' has no type");
  uint64_t bytes = uint64_t(bytesOf(variable.type)) * elements;
  variable.symbol.align = align ? align : bytes;
  while (lexer_.accept("[")) {
    if (lexer_.accept("]")) {
      variable.hasOpenBound = true;
      bytes = 0;
      continue;
    }
    uint64_t count = number("a bound");
    lexer_.expect("]", "after a bound");
    if (count && bytes > maxVariableBytes / count)
      failParse(lexer_.line(), "variable '" + variable.name + "' is too large");
    bytes *= count;
  }
  variable.symbol.bytes = bytes;
  return variable;
}

void Parser::parseInitialiser(const Variable &variable, Global &global) {
  unsigned width = bytesOf(variable.type);
  auto element = [&] {
    bool negative = lexer_.accept("-");
    Token token = lexer_.word("a value");
    if (!std::isdigit(static_cast<unsigned char>(token.text[0])))
      failParse(token.line, "addresses in initialisers are not supported");
    Literal literal = parseLiteral(token, negative);
    for (unsigned i = 0; i < width; ++i)
      global.init.push_back(uint8_t(i < 8 ? literal.bits >> (8 * i) : 0));
  };
  // Nested braces of arrays of arrays are rows in full.
  if (!lexer_.accept("{"))
    return element();
  unsigned depth = 1;
  while (depth) {
    if (lexer_.accept("{"))
      ++depth;
    else if (lexer_.accept("}"))
      --depth;
    else if (!lexer_.accept(","))
      element();
    if (lexer_.peek().kind == Token::Kind::End)
      failParse(lexer_.line(), "an initialiser is not closed");
  }
}

void Parser::parseModuleVariable(Space space, bool isExtern) {
  Variable variable = parseVariable(space);
  Symbol symbol = variable.symbol;
  int line = lexer_.line();
  if (space == Space::Shared) {
    symbol.isDynamicShared = isExtern && symbol.bytes == 0;
    symbol.isPlaced = false;
  } else {
    if (isExtern)
      failParse(line, "'" + variable.name + "' is of another module: nothing links it");
    Global global{variable.name, symbol.bytes, symbol.align, space == Space::Const, {}};
    if (lexer_.accept("="))
      parseInitialiser(variable, global);
    if (variable.hasOpenBound)
      global.bytes = symbol.bytes = global.init.size();
    if (global.init.size() > global.bytes)
      failParse(line, "'" + variable.name + "' has more initial values than elements");
    module_->globals.push_back(std::move(global));
  }
  lexer_.expect(";", "after a variable");
  if (!variables_.emplace(variable.name, symbol).second)
    failParse(line, "variable '" + variable.name + "' is declared twice");
}

void Parser::parseParams(Entry &entry, EntryBuilder &builder) {
  if (!lexer_.accept("(") || lexer_.accept(")"))
    return;
  do {
    lexer_.expect(".param", "in a parameter list");
    Variable variable = parseVariable(Space::Param);
    Symbol &symbol = variable.symbol;
    symbol.offset = (entry.paramBytes + symbol.align - 1) / symbol.align * symbol.align;
    if (symbol.offset + symbol.bytes > 32764)
      failParse(lexer_.line(), "the parameters take more than 32764 bytes");
    entry.params.push_back(
        {uint32_t(symbol.offset), uint32_t(symbol.bytes), uint32_t(symbol.align)});
    entry.paramBytes = uint32_t(symbol.offset + symbol.bytes);
    builder.declareParam(variable.name, symbol, lexer_.line());
  } while (lexer_.accept(","));
  lexer_.expect(")", "after the parameters");
}

void Parser::parsePerformanceDirectives(Entry &entry) {
  auto dimensions = [&](std::array<uint32_t, 3> &extents) {
    extents = {1, 1, 1};
    unsigned axis = 0;
    do {
      if (axis == 3)
        failParse(lexer_.line(), "more than three extents");
      extents[axis++] = uint32_t(std::min<uint64_t>(number("an extent"), ~0u));
    } while (lexer_.accept(","));
  };
  while (!lexer_.peek().is("{")) {
    Token token = lexer_.word("the body of an entry");
    if (token.is(".maxntid"))
      dimensions(entry.maxThreads);
    else if (token.is(".reqntid"))
      dimensions(entry.requiredThreads);
    else if (token.is(".minnctapersm") || token.is(".maxnctapersm") ||
             token.is(".maxnreg"))
      number("a count");
    else if (token.is(".pragma"))
      skipDebugInformation(token);
    else if (!token.is(".noreturn"))
      failParse(token.line, "directive '" + std::string(token.text) + "' is not known");
  }
}

void Parser::parseEntry() {
  Token name = lexer_.word("the name of an entry");
  Entry entry;
  entry.name = name.text;
  for (const Entry &other : module_->entries)
    if (other.name == entry.name)
      failParse(name.line, "entry '" + entry.name + "' is defined twice");
  EntryBuilder builder(entry, *module_, variables_);
  parseParams(entry, builder);
  parsePerformanceDirectives(entry);
  lexer_.expect("{", "before the body of an entry");
  parseBody(builder);
  module_->entries.push_back(std::move(entry));
}

void Parser::parseRegisters(EntryBuilder &builder) {
  Token token = lexer_.word("a type");
  std::optional<Type> type;
  if (token.text.starts_with("."))
    type = typeNamed(token.text.substr(1));
  if (!type)
    failParse(token.line, "'" + std::string(token.text) + "' is no type of a register");
  do {
    std::string name(lexer_.word("a register").text);
    if (!lexer_.accept("<")) {
      builder.declareRegister(name, *type, token.line);
      continue;
    }
    uint64_t count = number("a number of registers");
    if (count > 1u << 20)
      failParse(token.line, "more than a million registers");
    for (uint64_t i = 0; i < count; ++i)
      builder.declareRegister(name + std::to_string(i), *type, token.line);
    lexer_.expect(">", "after a number of registers");
  } while (lexer_.accept(","));
  lexer_.expect(";", "after registers");
}

void Parser::parseBranchTargets(EntryBuilder &builder, const std::string &name,
                                int line) {
  std::vector<std::string> labels;
  do
    labels.emplace_back(lexer_.word("a label").text);
  while (lexer_.accept(","));
  lexer_.expect(";", "after .branchtargets");
  builder.declareBranchTable(name, std::move(labels), line);
}

void Parser::parseBody(EntryBuilder &builder) {
  unsigned depth = 1;
  while (true) {
    const Token first = lexer_.peek();
    if (first.is("}")) {
      if (--depth == 0) {
        decodeEnd(builder, first.line);
        builder.finish(first.line);
        lexer_.next();
        return;
      }
      builder.closeScope(first.line);
      lexer_.next();
    } else if (first.is("{")) {
      if (++depth > 64)
        failParse(first.line, "scopes are nested too deeply");
      builder.openScope();
      lexer_.next();
    } else if (first.is("@")) {
      decode(parseStatement(lexer_), builder);
    } else if (first.is(".reg")) {
      lexer_.next();
      parseRegisters(builder);
    } else if (first.is(".shared") || first.is(".local")) {
      lexer_.next();
      Variable variable =
          parseVariable(first.is(".local") ? Space::Local : Space::Shared);
      lexer_.expect(";", "after a variable");
      builder.declareArray(variable.name, variable.symbol, first.line);
    } else if (first.is(".loc") || first.is(".pragma") || first.is(".file")) {
      lexer_.next();
      skipDebugInformation(first);
    } else if (first.kind == Token::Kind::Word && first.text[0] == '.') {
      failParse(first.line,
                "directive '" + std::string(first.text) + "' is not known here");
    } else {
      // A label or an instruction: the sign behind the word tells.
      Lexer ahead = lexer_;
      std::string name(ahead.word("an instruction").text);
      if (!ahead.accept(":")) {
        decode(parseStatement(lexer_), builder);
        continue;
      }
      lexer_ = ahead;
      if (lexer_.accept(".branchtargets"))
        parseBranchTargets(builder, name, first.line);
      else
        builder.declareLabel(name, first.line);
    }
  }
}

} // namespace

std::variant<std::unique_ptr<Module>, ParseError>
standin::parseModule(std::string_view text) {
  // A driver is handed a C string with its end, sometimes several.
  while (text.ends_with('\0'))
    text.remove_suffix(1);
  try {
    return Parser(text).parse();
  } catch (ParseError &error) {
    return std::move(error);
  }
}
