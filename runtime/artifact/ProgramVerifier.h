//===- ProgramVerifier.h - the checks of one program, part by part ----------------===//
//
// Behind VerifyProgram.h. Values and ports are in VerifyProgram.cpp, expressions in
// VerifyExprs.cpp, kernels and instructions in VerifyInstructions.cpp, loops in
// VerifyLoops.cpp. Each part may
// rely on those that run() checks before it.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_PROGRAMVERIFIER_H
#define HEXIN_RUNTIME_ARTIFACT_PROGRAMVERIFIER_H

#include "runtime/artifact/VerifyProgram.h"

#include <string>
#include <vector>

namespace hexin::verify {

using ExprPool = flatbuffers::Vector<const fmt::ExprNode *>;

inline std::string at(const char *what, uint32_t index) {
  return std::string(what) + " " + std::to_string(index);
}

class ProgramVerifier {
public:
  ProgramVerifier(const fmt::Program &program, const fmt::Header &header, Budget &budget)
      : program(program), header(header), budget(budget) {}

  Status run();

private:
  bool isExpr(int32_t index) const {
    return index >= 0 && static_cast<uint32_t>(index) < sizeOf(program.exprs());
  }
  bool isExprOrNone(int32_t index) const { return index == -1 || isExpr(index); }
  bool isConstant(int32_t expr, int64_t value) const {
    return isExpr(expr) && program.exprs()->Get(expr)->op() == fmt::ExprOp::constant &&
           program.exprs()->Get(expr)->value() == value;
  }
  bool isValue(int64_t index) const {
    return index >= 0 && index < sizeOf(program.values());
  }
  /// Whether something may be written to a value: not to inputs and weights,
  /// nor to what may be one of them.
  bool isWritable(uint32_t value) const { return writable[value]; }
  bool holdsNumbers(uint32_t value) const {
    return program.values()->Get(value)->holds() ==
           static_cast<uint8_t>(ValueKind::tensor);
  }
  Status verifyHolds(const fmt::ValueDef &value, const std::string &where);
  Status verifyValues();
  Status verifyValue(const fmt::ValueDef &value, uint32_t id);
  Status setViewDepth(uint32_t id, uint32_t depthBelow);
  /// `kernel` is null for the program's own pool, whose leaves are values and
  /// inputs; a kernel's are its params.
  Status verifyPool(const ExprPool *pool, const fmt::Kernel *kernel, const char *what);
  Status verifyNode(const fmt::ExprNode &node, uint32_t id, const fmt::Kernel *kernel,
                    const char *what);
  Status verifyConstraints();
  /// The values of the model's inputs and outputs.
  Status verifyInterface();
  Status verifyPortValue(uint32_t id, const fmt::Port &port, const std::string &where);
  Status verifyKernels();
  Status verifyImages();
  Status verifyInstruction(const fmt::Instruction &instruction, const std::string &where);
  Status verifyVariant(const fmt::Variant &variant, const std::string &where);
  Status verifyKernelUse(const fmt::Variant &variant, const std::string &where);
  Status verifyBindings(const fmt::Variant &variant, const std::string &where);
  Status verifyLoops();
  Status verifyLoop(const fmt::Loop &loop, const std::string &where);
  /// That `values` are temps that no loop named before, as many as `count`, and like
  /// those of `model` (may be null) with `extraAxes` more axes.
  Status verifyLoopValues(const flatbuffers::Vector<uint32_t> *values, uint32_t count,
                          const flatbuffers::Vector<uint32_t> *model, uint32_t extraAxes,
                          const std::string &where);
  Status verifyNesting();
  Status verifyAttributes(const fmt::Variant &variant, const std::string &where);

  const fmt::Program &program;
  const fmt::Header &header;
  Budget &budget;
  bool hasFaults = false;          // whether a value for them was seen
  std::vector<bool> writable;      // by value
  std::vector<bool> inLoop;        // by value: whether a loop names it
  std::vector<uint32_t> viewDepth; // by value: views and phis down to memory
};

} // namespace hexin::verify

#endif // HEXIN_RUNTIME_ARTIFACT_PROGRAMVERIFIER_H
