//===- EntryBuilder.h - names, slots and labels of an entry while it is read --------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_PTX_ENTRYBUILDER_H
#define HEXIN_TESTS_CUDA_DRIVER_PTX_ENTRYBUILDER_H

#include "tests/cuda_driver/ptx/Code.h"
#include "tests/cuda_driver/ptx/Module.h"

#include <map>
#include <string>
#include <vector>

namespace standin {

/// A variable, parameter or array that an instruction may name.
struct Symbol {
  Space space = Space::Global;
  uint64_t bytes = 0, align = 1;
  uint64_t offset = 0; ///< in its space; of global and constant ones known at the launch
  bool isDynamicShared = false;
  bool isPlaced = true; ///< false: shared memory of the module, not yet used here
};

class EntryBuilder {
public:
  /// `variables` are the module's; borrowed.
  EntryBuilder(Entry &entry, const Module &module,
               const std::map<std::string, Symbol> &variables);

  const Module &module() const { return module_; }

  void openScope();
  void closeScope(int line);
  void declareRegister(const std::string &name, Type type, int line);
  /// Gives a shared or local array its place.
  void declareArray(const std::string &name, Symbol symbol, int line);
  void declareParam(const std::string &name, Symbol symbol, int line);
  void declareLabel(const std::string &name, int line);
  void declareBranchTable(const std::string &name, std::vector<std::string> labels,
                          int line);

  const Slot *findRegister(const std::string &name) const;
  /// Places what is not yet placed. Null: unknown.
  const Symbol *findSymbol(const std::string &name);
  Slot constant(uint64_t value, unsigned bytes);
  /// The address of a symbol within its space.
  Slot address(const std::string &name, const Symbol &symbol, int64_t offset,
               unsigned bytes);
  Slot special(Special special, unsigned axis, unsigned bytes);
  Slot scratch(unsigned bytes) { return newSlot(bytes); }

  void add(const Instruction &instruction) { code_->instructions.push_back(instruction); }
  /// The instruction that is added next goes to a label, perhaps a later one.
  void branchTo(const std::string &label, int line);
  /// The instruction that is added next uses this table, declared before.
  uint32_t branchTable(const std::string &name, int line);

  /// Resolves what is open and hands the code to the entry.
  void finish(int line);

private:
  struct Jump {
    std::string label;
    int line;
    size_t instruction; ///< or, where `table` is said, the element in that table
    int table = -1;
  };
  struct Scope {
    std::map<std::string, Slot> registers;
    std::map<std::string, Symbol> symbols;
    std::map<std::string, uint32_t> labels;
    std::map<std::string, uint32_t> tables;
    std::vector<Jump> jumps;
  };
  Slot newSlot(unsigned bytes);
  void place(Symbol &symbol);

  Entry &entry_;
  const Module &module_;
  std::map<std::string, Symbol> variables_;
  std::shared_ptr<Code> code_ = std::make_shared<Code>();
  std::vector<Scope> scopes_;
  std::map<std::pair<uint64_t, unsigned>, Slot> values_;
  std::map<std::pair<std::string, unsigned>, Slot> addresses_;
  std::map<std::array<unsigned, 3>, Slot> specials_;
  uint32_t dynamicAlign_ = 16;
};

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_PTX_ENTRYBUILDER_H
