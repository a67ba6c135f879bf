//===- EntryBuilder.cpp - names, slots and labels of an entry while it is read ------===//
#include "tests/cuda_driver/ptx/EntryBuilder.h"

#include "tests/cuda_driver/ptx/Lexer.h"

#include <algorithm>

using namespace standin;

namespace {
constexpr uint64_t maxArrayBytes = uint64_t(1) << 30;
constexpr uint32_t maxRegisterBytes = 64u << 20;

uint64_t alignUp(uint64_t value, uint64_t align) {
  return (value + align - 1) / align * align;
}
} // namespace

EntryBuilder::EntryBuilder(Entry &entry, const Module &module,
                           const std::map<std::string, Symbol> &variables)
    : entry_(entry), module_(module), variables_(variables) {
  openScope();
}

void EntryBuilder::openScope() { scopes_.emplace_back(); }

void EntryBuilder::closeScope(int line) {
  Scope closed = std::move(scopes_.back());
  scopes_.pop_back();
  for (Jump &jump : closed.jumps) {
    auto label = closed.labels.find(jump.label);
    if (label == closed.labels.end()) {
      if (scopes_.empty())
        failParse(jump.line, "label '" + jump.label + "' is not defined");
      scopes_.back().jumps.push_back(jump);
    } else if (jump.table >= 0) {
      code_->branchTables[jump.table][jump.instruction] = label->second;
    } else {
      code_->instructions[jump.instruction].target = label->second;
    }
  }
}

Slot EntryBuilder::newSlot(unsigned bytes) {
  Slot slot{code_->registerBytes, uint8_t(bytes)};
  // Predicates are a word, but all else may be loaded as whole vectors.
  code_->registerBytes += bytes ? 32 * bytes : 64;
  if (code_->registerBytes > maxRegisterBytes)
    failParse(0, "the entry has more registers than the stand-in can hold");
  return slot;
}

void EntryBuilder::declareRegister(const std::string &name, Type type, int line) {
  if (isFloat(type) || isInteger(type) || isBits(type) || type == Type::Pred) {
    unsigned bytes = bytesOf(type);
    if (bytes == 1 || bytes > 8)
      failParse(line,
                "registers of type ." + std::string(nameOf(type)) + " are not supported");
    if (type != Type::Pred)
      entry_.registers += (bytes + 3) / 4;
    Slot slot = newSlot(type == Type::Pred ? 0 : bytes);
    if (!scopes_.back().registers.emplace(name, slot).second)
      failParse(line, "register '" + name + "' is declared twice");
  }
}

void EntryBuilder::place(Symbol &symbol) {
  if (symbol.isDynamicShared) {
    dynamicAlign_ = std::max<uint32_t>(dynamicAlign_, symbol.align);
    return;
  }
  uint32_t &end =
      symbol.space == Space::Shared ? entry_.staticSharedBytes : entry_.localBytes;
  symbol.offset = alignUp(end, symbol.align);
  symbol.isPlaced = true;
  if (symbol.offset + symbol.bytes > maxArrayBytes)
    failParse(0, "the arrays of an entry take more than a gigabyte");
  end = uint32_t(symbol.offset + symbol.bytes);
}

void EntryBuilder::declareArray(const std::string &name, Symbol symbol, int line) {
  place(symbol);
  if (!scopes_.back().symbols.emplace(name, symbol).second)
    failParse(line, "'" + name + "' is declared twice");
}

void EntryBuilder::declareParam(const std::string &name, Symbol symbol, int line) {
  if (!scopes_.back().symbols.emplace(name, symbol).second)
    failParse(line, "parameter '" + name + "' is declared twice");
}

void EntryBuilder::declareLabel(const std::string &name, int line) {
  if (!scopes_.back().labels.emplace(name, code_->instructions.size()).second)
    failParse(line, "label '" + name + "' is defined twice");
}

void EntryBuilder::declareBranchTable(const std::string &name,
                                      std::vector<std::string> labels, int line) {
  uint32_t table = uint32_t(code_->branchTables.size());
  code_->branchTables.emplace_back(labels.size());
  if (!scopes_.back().tables.emplace(name, table).second)
    failParse(line, "label '" + name + "' is defined twice");
  for (size_t i = 0; i < labels.size(); ++i)
    scopes_.back().jumps.push_back({labels[i], line, i, int(table)});
}

const Slot *EntryBuilder::findRegister(const std::string &name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
    if (auto found = scope->registers.find(name); found != scope->registers.end())
      return &found->second;
  return nullptr;
}

const Symbol *EntryBuilder::findSymbol(const std::string &name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
    if (auto found = scope->symbols.find(name); found != scope->symbols.end())
      return &found->second;
  auto found = variables_.find(name);
  if (found == variables_.end())
    return nullptr;
  if (!found->second.isPlaced)
    place(found->second);
  return &found->second;
}

Slot EntryBuilder::constant(uint64_t value, unsigned bytes) {
  auto [found, isNew] = values_.try_emplace({value, bytes});
  if (isNew) {
    found->second = newSlot(bytes);
    code_->constants.push_back({found->second, value, {}, false});
  }
  return found->second;
}

Slot EntryBuilder::address(const std::string &name, const Symbol &symbol, int64_t offset,
                           unsigned bytes) {
  uint64_t value = symbol.offset + uint64_t(offset);
  bool isFar = symbol.space == Space::Global || symbol.space == Space::Const;
  if (!isFar && !symbol.isDynamicShared)
    return constant(value, bytes);
  auto [found, isNew] =
      addresses_.try_emplace({name + "+" + std::to_string(value), bytes});
  if (isNew) {
    found->second = newSlot(bytes);
    code_->constants.push_back(
        {found->second, value, isFar ? name : "", symbol.isDynamicShared});
  }
  return found->second;
}

Slot EntryBuilder::special(Special special, unsigned axis, unsigned bytes) {
  auto [found, isNew] = specials_.try_emplace({unsigned(special), axis, bytes});
  if (isNew) {
    found->second = newSlot(bytes);
    code_->specials.push_back({special, axis, found->second});
  }
  return found->second;
}

void EntryBuilder::branchTo(const std::string &label, int line) {
  scopes_.back().jumps.push_back({label, line, code_->instructions.size()});
}

uint32_t EntryBuilder::branchTable(const std::string &name, int line) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
    if (auto found = scope->tables.find(name); found != scope->tables.end())
      return found->second;
  failParse(line, "there is no .branchtargets '" + name + "'");
}

void EntryBuilder::finish(int line) {
  if (scopes_.size() != 1)
    failParse(line, "a '{' is not closed");
  closeScope(line);
  code_->dynamicSharedOffset = uint32_t(alignUp(entry_.staticSharedBytes, dynamicAlign_));
  entry_.code = std::move(code_);
}
