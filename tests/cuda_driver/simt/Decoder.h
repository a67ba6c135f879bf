//===- Decoder.h - from a written instruction to a handler ---------------------------===//
//
// Each family of instructions has a file with the handlers and with the functions that
// choose among them: they take the modifiers they know, then the operands. A modifier
// or an operand that is left over is an error, so nothing is ever ignored.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_SIMT_DECODER_H
#define HEXIN_TESTS_CUDA_DRIVER_SIMT_DECODER_H

#include "tests/cuda_driver/ptx/EntryBuilder.h"
#include "tests/cuda_driver/ptx/Statement.h"

#include <initializer_list>
#include <span>

namespace standin {

/// Adds the instruction to the entry; throws ParseError.
void decode(const Statement &statement, EntryBuilder &builder);
/// The exit behind the last instruction.
void decodeEnd(EntryBuilder &builder, int line);

class Decoder {
public:
  Decoder(const Statement &statement, EntryBuilder &builder);

  const Statement &statement;
  EntryBuilder &builder;
  Instruction out;

  const std::string &opcode() const { return statement.opcode; }
  size_t numOperands() const { return statement.operands.size(); }
  const Operand &operand(size_t index) const;

  /// Takes a modifier wherever it stands.
  bool take(std::string_view modifier);
  /// Takes the first of `modifiers` that is there and returns its number, else `none`.
  static constexpr unsigned none = ~0u;
  unsigned takeOneOf(std::initializer_list<std::string_view> modifiers);
  /// Takes the first modifier that is a type.
  Type takeType();
  std::optional<Type> tryType();
  std::optional<Space> trySpace();
  /// Takes what says only how fast or in what order memory is reached: the interpreter
  /// is sequentially consistent and has no caches.
  void takeMemoryHints();

  /// Operands become slots in the order of these calls; destinations come first.
  /// `exact`: the register has just the type's width; else it may be wider.
  enum class Width { Exact, AtLeast };
  void destination(size_t index, Type type, Width width = Width::Exact);
  void destination(const Operand &operand, Type type, Width width = Width::Exact);
  void source(size_t index, Type type, Width width = Width::Exact);
  void source(const Operand &operand, Type type, Width width = Width::Exact);
  void sources(size_t first, size_t count, Type type);
  /// [base + offset]: the slot of the base, and Instruction::offset.
  void address(size_t index, Space space);
  void addSlot(Slot slot);
  /// The value of an operand that must be a literal.
  uint64_t immediate(size_t index);

  void requireTarget(int target);
  void handler(Handler handler); ///< refuses null
  [[noreturn]] void fail(const std::string &why) const;
  [[noreturn]] void failCombination() const;

private:
  friend void decode(const Statement &, EntryBuilder &);
  Slot resolve(const Operand &operand, Type type, Width width);
  std::optional<Slot> resolveSpecial(const Operand &operand, Type type);

  std::vector<std::string_view> modifiers_; ///< not yet taken
  std::vector<bool> operandUsed_;
};

struct OpcodeRow {
  std::string_view opcode;
  void (*decode)(Decoder &);
};

std::span<const OpcodeRow> arithmeticRows(); ///< Arithmetic.cpp
std::span<const OpcodeRow> bitRows();        ///< Bits.cpp
std::span<const OpcodeRow> compareRows();    ///< Compare.cpp
std::span<const OpcodeRow> convertRows();    ///< Convert.cpp
std::span<const OpcodeRow> moveRows();       ///< Move.cpp
std::span<const OpcodeRow> memoryRows();     ///< LoadStore.cpp
std::span<const OpcodeRow> atomicRows();     ///< Atomic.cpp
std::span<const OpcodeRow> asyncCopyRows();  ///< AsyncCopy.cpp
std::span<const OpcodeRow> controlRows();    ///< Control.cpp
std::span<const OpcodeRow> collectiveRows(); ///< Collective.cpp
std::span<const OpcodeRow> matrixRows();     ///< Matrix.cpp

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_SIMT_DECODER_H
