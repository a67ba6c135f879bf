//===- Decoder.cpp - from a written instruction to a handler -------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"

#include "tests/cuda_driver/simt/Float.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

using namespace standin;

namespace {

using Table = std::unordered_map<std::string_view, void (*)(Decoder &)>;

const Table &table() {
  static const Table built = [] {
    Table rows;
    for (auto family : {arithmeticRows(), bitRows(), compareRows(), convertRows(),
                        moveRows(), memoryRows(), atomicRows(), asyncCopyRows(),
                        controlRows(), collectiveRows(), matrixRows()})
      for (const OpcodeRow &row : family)
        rows.emplace(row.opcode, row.decode);
    return rows;
  }();
  return built;
}

struct SpecialName {
  std::string_view name;
  Special special;
  bool hasAxis = false;
};
constexpr SpecialName specialNames[] = {
    {"%tid", Special::Tid, true},
    {"%ntid", Special::Ntid, true},
    {"%ctaid", Special::Ctaid, true},
    {"%nctaid", Special::Nctaid, true},
    {"%laneid", Special::LaneId},
    {"%warpid", Special::WarpId},
    {"%nwarpid", Special::NumWarps},
    {"%smid", Special::SmId},
    {"%nsmid", Special::NumSms},
    {"%lanemask_eq", Special::LaneMaskEq},
    {"%lanemask_le", Special::LaneMaskLe},
    {"%lanemask_lt", Special::LaneMaskLt},
    {"%lanemask_ge", Special::LaneMaskGe},
    {"%lanemask_gt", Special::LaneMaskGt},
    {"%dynamic_smem_size", Special::DynamicSharedBytes},
    {"%total_smem_size", Special::TotalSharedBytes},
    {"%gridid", Special::GridId},
    {"%clock", Special::Clock},
    {"%clock64", Special::Clock},
    {"%globaltimer", Special::Clock},
};

/// A literal as a value of `type`: PTX writes floats of 32 and 64 bits only.
uint64_t bitsAs(const Literal &literal, Type type) {
  if (literal.kind == Literal::Kind::Integer)
    return literal.bits;
  double value = literal.kind == Literal::Kind::Single
                     ? std::bit_cast<float>(uint32_t(literal.bits))
                     : std::bit_cast<double>(literal.bits);
  if (type == Type::F64)
    return std::bit_cast<uint64_t>(value);
  if (literal.kind == Literal::Kind::Double && bytesOf(type) == 4)
    return std::bit_cast<uint32_t>(float(value));
  return literal.bits;
}

} // namespace

void standin::decode(const Statement &statement, EntryBuilder &builder) {
  auto row = table().find(statement.opcode);
  if (row == table().end())
    failParse(statement.line, "instruction '" + statement.text() + "' is not known");
  Decoder decoder(statement, builder);
  row->second(decoder);
  if (!decoder.modifiers_.empty())
    decoder.fail("modifier '." + std::string(decoder.modifiers_[0]) +
                 "' is not known here");
  auto unused =
      std::find(decoder.operandUsed_.begin(), decoder.operandUsed_.end(), false);
  if (unused != decoder.operandUsed_.end())
    decoder.fail("has " + std::to_string(statement.operands.size()) +
                 " operands, expected " +
                 std::to_string(unused - decoder.operandUsed_.begin()));
  builder.add(decoder.out);
}

Decoder::Decoder(const Statement &statement, EntryBuilder &builder)
    : statement(statement), builder(builder),
      modifiers_(statement.modifiers.begin(), statement.modifiers.end()),
      operandUsed_(statement.operands.size()) {
  out.line = statement.line;
  out.slot.fill(Slot::none);
  if (statement.guard.empty())
    return;
  const Slot *guard = builder.findRegister(statement.guard);
  if (!guard || guard->bytes)
    fail("'" + statement.guard + "' is no predicate register");
  out.guard = guard->offset;
  out.guardNegated = statement.guardNegated;
}

void Decoder::fail(const std::string &why) const {
  failParse(statement.line, "'" + statement.text() + "': " + why);
}

void Decoder::failCombination() const {
  fail("this combination of modifiers and types is not known");
}

const Operand &Decoder::operand(size_t index) const {
  if (index >= statement.operands.size())
    fail("has " + std::to_string(statement.operands.size()) +
         " operands, expected at least " + std::to_string(index + 1));
  const_cast<Decoder *>(this)->operandUsed_[index] = true;
  return statement.operands[index];
}

bool Decoder::take(std::string_view modifier) {
  auto found = std::find(modifiers_.begin(), modifiers_.end(), modifier);
  if (found == modifiers_.end())
    return false;
  modifiers_.erase(found);
  return true;
}

unsigned Decoder::takeOneOf(std::initializer_list<std::string_view> modifiers) {
  for (unsigned i = 0; i < modifiers.size(); ++i)
    if (take(modifiers.begin()[i]))
      return i;
  return none;
}

std::optional<Type> Decoder::tryType() {
  for (auto modifier = modifiers_.begin(); modifier != modifiers_.end(); ++modifier)
    if (std::optional<Type> type = typeNamed(*modifier)) {
      modifiers_.erase(modifier);
      return type;
    }
  return std::nullopt;
}

Type Decoder::takeType() {
  std::optional<Type> type = tryType();
  if (!type)
    fail("has no type");
  return *type;
}

std::optional<Space> Decoder::trySpace() {
  for (auto modifier = modifiers_.begin(); modifier != modifiers_.end(); ++modifier)
    if (std::optional<Space> space = spaceNamed(*modifier)) {
      modifiers_.erase(modifier);
      return space;
    }
  return std::nullopt;
}

void Decoder::takeMemoryHints() {
  static constexpr std::string_view hints[] = {
      "nc",  "volatile", "relaxed", "acquire", "release", "acq_rel", "weak",
      "cta", "gpu",      "sys",     "cluster", "ca",      "cg",      "cs",
      "lu",  "cv",       "wb",      "wt",      "mmio"};
  std::erase_if(modifiers_, [](std::string_view modifier) {
    return modifier.starts_with("L1::") || modifier.starts_with("L2::") ||
           std::find(std::begin(hints), std::end(hints), modifier) != std::end(hints);
  });
}

std::optional<Slot> Decoder::resolveSpecial(const Operand &operand, Type type) {
  std::string_view name = operand.name;
  unsigned axis = 0;
  for (const SpecialName &row : specialNames) {
    std::string_view rest = name;
    if (!rest.starts_with(row.name))
      continue;
    rest.remove_prefix(row.name.size());
    if (row.hasAxis) {
      if (rest.size() != 2 || rest[0] != '.' || rest[1] < 'x' || rest[1] > 'z')
        continue;
      axis = unsigned(rest[1] - 'x');
    } else if (!rest.empty()) {
      continue;
    }
    return builder.special(row.special, axis, bytesOf(type));
  }
  return std::nullopt;
}

Slot Decoder::resolve(const Operand &operand, Type type, Width width) {
  unsigned bytes = type == Type::Pred ? 0 : bytesOf(type);
  if (bytes > 8)
    fail("operands of 128 bits must be vectors");
  if (operand.kind == Operand::Kind::Number) {
    if (type == Type::Pred)
      return builder.constant(operand.literal.bits ? ~0u : 0, 0);
    return builder.constant(bitsAs(operand.literal, type), std::max(bytes, 2u));
  }
  if (operand.kind != Operand::Kind::Name)
    fail("an operand is no register and no value");
  if (operand.name == "WARP_SZ")
    return builder.constant(32, bytes);
  if (const Slot *found = builder.findRegister(operand.name)) {
    bool fits = found->bytes == bytes ||
                (width == Width::AtLeast && bytes && found->bytes > bytes);
    if (!fits)
      fail("register '" + operand.name + "' has " +
           (found->bytes ? std::to_string(found->bytes * 8) + " bits" : "one bit") +
           ", which is not what type ." + std::string(nameOf(type)) + " takes");
    if (operand.offset && type != Type::Pred)
      fail("an offset belongs in an address");
    return *found;
  }
  if (bytes >= 2)
    if (std::optional<Slot> special = resolveSpecial(operand, type))
      return *special;
  if (const Symbol *symbol = builder.findSymbol(operand.name))
    if (bytes == 8 || (bytes == 4 && symbol->space == Space::Shared))
      return builder.address(operand.name, *symbol, operand.offset, bytes);
  fail("'" + operand.name + "' is not known here");
}

void Decoder::addSlot(Slot slot) {
  if (out.numSlots == Instruction::maxSlots)
    fail("has too many operands");
  out.slot[out.numSlots] = slot.offset;
  out.width[out.numSlots++] = slot.bytes;
}

void Decoder::destination(const Operand &operand, Type type, Width width) {
  unsigned bytes = type == Type::Pred ? 0 : std::max(2u, bytesOf(type));
  if (operand.kind == Operand::Kind::Sink) {
    addSlot(builder.scratch(bytes));
  } else {
    if (operand.kind != Operand::Kind::Name || !builder.findRegister(operand.name))
      fail("a destination must be a register");
    addSlot(resolve(operand, type, width));
  }
  out.numDst = out.numSlots;
}

void Decoder::destination(size_t index, Type type, Width width) {
  destination(operand(index), type, width);
}

void Decoder::source(const Operand &operand, Type type, Width width) {
  if (operand.negated) {
    bool may = opcode() == "setp" || opcode() == "set" || opcode() == "vote";
    if (type != Type::Pred || !may)
      fail("'!' belongs before a guard, or the predicate of setp, set and vote");
    out.negated = true;
  }
  addSlot(resolve(operand, type, width));
}

void Decoder::source(size_t index, Type type, Width width) {
  source(operand(index), type, width);
}

void Decoder::sources(size_t first, size_t count, Type type) {
  for (size_t i = 0; i < count; ++i)
    source(first + i, type);
}

void Decoder::address(size_t index, Space space) {
  const Operand &operand = this->operand(index);
  if (operand.kind != Operand::Kind::Address)
    fail("operand " + std::to_string(index + 1) + " must be an address in brackets");
  const Operand &base = operand.parts[0];
  out.offset = operand.offset;
  out.space = space;
  if (base.kind == Operand::Kind::Name) {
    if (const Slot *found = builder.findRegister(base.name)) {
      if (found->bytes != 8 && !(found->bytes == 4 && space == Space::Shared))
        fail("register '" + base.name + "' is no pointer");
      addSlot(*found);
      return;
    }
    const Symbol *symbol = builder.findSymbol(base.name);
    if (symbol && symbol->space != space)
      fail("variable '" + base.name + "' is in another space");
  }
  addSlot(resolve(base, Type::B64, Width::Exact));
}

uint64_t Decoder::immediate(size_t index) {
  const Operand &operand = this->operand(index);
  if (operand.kind != Operand::Kind::Number ||
      operand.literal.kind != Literal::Kind::Integer)
    fail("operand " + std::to_string(index + 1) + " must be a whole number");
  return operand.literal.bits;
}

void Decoder::requireTarget(int target) {
  if (builder.module().target < target)
    fail("needs .target sm_" + std::to_string(target) +
         " or later, the module is for sm_" + std::to_string(builder.module().target));
}

void Decoder::handler(Handler handler) {
  if (!handler)
    failCombination();
  out.handler = handler;
}
