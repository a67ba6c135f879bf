//===- Selectable.h - the LLVM IR that NVPTX is known to take --------------------------===//
//
// LLVM's NVPTX ends the process, or writes a call of a function that nobody has, for
// instructions and intrinsics that it cannot translate. So there is a list of those that
// it can, by type; the tests translate every entry for every arch that we write.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_COMPILER_SELECTABLE_H
#define HEXIN_BACKENDS_CUDA_COMPILER_SELECTABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/IR/Intrinsics.h"

#include <optional>
#include <string>

namespace llvm {
class Module;
class Type;
} // namespace llvm

namespace hexin::cuda {

/// Kinds of scalar types, as bits of a set.
enum TypeSet : unsigned {
  noType = 0, ///< the intrinsic has no type of its own
  i1Type = 1,
  i8Type = 2,
  i16Type = 4,
  i32Type = 8,
  i64Type = 16,
  f16Type = 32,
  bf16Type = 64,
  f32Type = 128,
  f64Type = 256,
  pointerType = 512,
  wideIntType = 1024, ///< other integers of up to 128 bits, which optimisations make
};

/// The set with only `type`, 0 for a type that is in no set.
unsigned typeSetOf(llvm::Type *type);

struct SelectableIntrinsic {
  llvm::Intrinsic::ID id;
  unsigned types; ///< of its first argument
};
struct SelectableInstruction {
  unsigned opcode;
  unsigned results, operands; ///< types; operands as far as they are scalars
};

llvm::ArrayRef<SelectableIntrinsic> selectableIntrinsics();
llvm::ArrayRef<SelectableInstruction> selectableInstructions();

/// The first thing of `module` that is not on the lists, in words; nullopt when NVPTX
/// takes all of it. Run behind the optimiser, which makes instructions of its own.
std::optional<std::string> findUnselectable(const llvm::Module &module);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_COMPILER_SELECTABLE_H
