//===- KernelBuilder.h - one kernel under construction ---------------------------===//
//
// Makes the func.func of a kernel (form: KernelModule.h). Bindings and
// params are discovered while the body is written: asking for the memref of a
// value binds it, asking for a size lifts it to a param. Sizes other than 0 and 1
// are always params, so that kernels of different sizes are the same kernel; 0
// and 1 are structure (broadcasts) and stay constants.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_KERNELBUILDER_H
#define HEXIN_COMPILER_CODEGEN_KERNELBUILDER_H

#include "compiler/codegen/KernelExpr.h"
#include "compiler/codegen/KernelModule.h"
#include "compiler/ir/SymbolicShapes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/Alignment.h"

namespace hexin::codegen {

using mlir::Value; // not hexin::Value, a model's input or output

/// A finished kernel and how one instruction uses it.
struct KernelUse {
  std::string name; ///< also the func's symbol; equal kernels have equal names
  /// The name that was given belongs to another kernel of the module: nothing was added.
  bool hasOtherName = false;
  /// hx values, in binding order; null: the row of the faults that is this use's.
  llvm::SmallVector<mlir::Value> bindings;
  llvm::SmallVector<bool> writes;
  hx::Dims params; ///< over the program's symbols
  KExprPool exprs; ///< over params
  KExpr items;
  llvm::SmallVector<KExpr> footprints; ///< bytes, per binding
  /// What the kernel counts on (KernelModule.h), 1 for nothing: per binding in bytes, and
  /// per param.
  llvm::SmallVector<unsigned> alignments, paramMultiples;
  int64_t grain = 1;
  unsigned teamThreads = 0;            ///< that run an item together; 0: no team kernel
  unsigned localBytes = 0;             ///< memory such a team shares
  std::optional<KExpr> workspaceBytes; ///< of each thread
  bool usesTiles = false;              ///< registers of ByteTiles.h
  bool flushesSubnormals = false;      ///< hx.flushes_subnormals (KernelModule.h)
  bool isExact = false;                ///< order class exact, else fixed
  float errorConstant = 0;             ///< c of DESIGN's running error bound
  mlir::func::FuncOp func;
};

/// In which type an element is computed (`i1` for bool, f32 for f16/bf16), and
/// in which it stands in memory (i8 for bool; signless integers). Narrower integers
/// are the low bits of an i8; narrow floats and complex<f32> are their bits in both.
mlir::Type computeType(mlir::Type hxElementType);
mlir::Type storageType(mlir::Type hxElementType);
/// `lanes` > 1 of them as a vector.
mlir::Type withLanes(mlir::Type type, unsigned lanes);
/// The hx element type of a tensor.
inline mlir::Type elementType(mlir::Value tensor) {
  return llvm::cast<mlir::ShapedType>(tensor.getType()).getElementType();
}

class KernelBuilder {
public:
  /// `name`: the name an earlier variant of this kernel got, or "" for the hash
  /// of this one's text. Variants for several archs share a name.
  KernelBuilder(mlir::ModuleOp kernels, hx::SymbolicShapes &shapes,
                const CodegenTraits &traits, mlir::Location loc,
                llvm::StringRef name = "");

  mlir::OpBuilder &builder() { return b; }
  mlir::Location loc() const { return location; }
  const CodegenTraits &traits() const { return codegenTraits; }
  hx::SymbolicShapes &shapes() { return symbolicShapes; }
  KExprPool &exprs() { return use.exprs; }

  // -- sizes -------------------------------------------------------------------
  KExpr size(hx::Dim dim);
  /// A param of any sign, never folded (a slice's start).
  KExpr scalar(hx::Dim dim);
  KExpr constantExpr(int64_t value) { return use.exprs.constant(value); }
  /// The expression as an index value, computed once at the top of the kernel.
  mlir::Value value(KExpr e);
  mlir::Value index(int64_t constant);

  // -- index arithmetic at the insertion point -------------------------------------
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value div(mlir::Value x, mlir::Value y); ///< both >= 0
  mlir::Value rem(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  mlir::Value max(mlir::Value x, mlir::Value y);
  mlir::Value less(mlir::Value x, mlir::Value y); ///< i1, signed
  /// Whether the index is a multiple of `factor`, a power of two, for all params that the
  /// kernel is made for; counts on that from here on (KernelUse::paramMultiples).
  bool isMultiple(mlir::Value index, unsigned factor);
  /// Row-major position split into one index per size; the first is not reduced.
  llvm::SmallVector<mlir::Value> delinearize(mlir::Value position,
                                             llvm::ArrayRef<KExpr> sizes);

  // -- memory ----------------------------------------------------------------------
  /// Binds an outer hx value; `numElements` is its footprint.
  mlir::Value bind(mlir::Value hxValue, KExpr numElements, bool isWritten = false);
  /// Has the line at `position`, which need not exist, brought into the second-level
  /// cache.
  void prefetch(mlir::Value memref, mlir::Value position);
  /// Loads `lanes` consecutive elements at `position` in compute type.
  mlir::Value load(mlir::Value memref, mlir::Value position, unsigned lanes,
                   mlir::Type hxElementType);
  void store(mlir::Value memref, mlir::Value position, mlir::Value value,
             mlir::Type hxElementType);
  /// What a value is that is wrong: an index into an axis of so many elements, which may
  /// count from its end or not; or a length of at most so many.
  enum class FaultKind { index, indexFromStart, length };
  /// For a binding that is part of a value, at any offset: nothing counts on its
  /// alignment.
  void setMisaligned(mlir::Value memref) { misaligned.insert(memref); }
  /// Whether a vector in memory was written that is not known to be aligned, where that
  /// matters (CodegenTraits::alignedVectors).
  bool hasSplitVectors() const { return splitVectors; }
  /// Whether `lanes` elements from `position` on lie at a multiple of their bytes, a
  /// power of two; counts on that from here on (KernelUse::alignments).
  bool countOnAlignment(mlir::Value memref, mlir::Value position, unsigned lanes);
  /// Says that `value` is no such thing, given the axis' `size` (both of index type): a
  /// Fault of runtime/artifact/hexin.fbs. The kernel goes on.
  void reportFault(mlir::Value value, mlir::Value size, FaultKind kind);
  /// Private scratch of `count` elements of compute type, reused by all items.
  mlir::Value scratch(unsigned count, mlir::Type elementType);

  /// `numElements` floats that each thread has to itself, where traits().workspaces;
  /// asked for once.
  mlir::Value workspace(KExpr numElements);

  // -- teams (KernelModule.h); after beginTeamItems ----------------------------------
  /// The thread's number in its team.
  mlir::Value thread();
  /// `count` elements of compute type that the team shares.
  mlir::Value local(unsigned count, mlir::Type elementType);
  /// What threads stored in local memory before is there for all of the team after.
  void barrier();
  /// `value` (of compute type) as the thread of the warp has it whose number differs from
  /// this thread's in the bits of `mask`. For all threads of a warp (CodegenTraits).
  mlir::Value exchange(mlir::Value value, unsigned mask);

  // -- values ------------------------------------------------------------------------
  /// `value` as `lanes` equal lanes (1 = as it is).
  mlir::Value splat(mlir::Value value, unsigned lanes);
  mlir::Value floatConstant(double value, mlir::Type computeType, unsigned lanes);
  /// A float of the model (a scale, an exponent), which no kernel should exist twice
  /// for: a param with its bits, but for numbers that many models have (0, 1, 0.5, 3).
  mlir::Value floatScalar(double value, mlir::Type computeType, unsigned lanes);
  mlir::Value intConstant(int64_t value, mlir::Type computeType, unsigned lanes);

  // -- loops ---------------------------------------------------------------------------
  /// Opens the loop over work items and returns the item's number; the insertion
  /// point is inside. Called once, by the schedule.
  mlir::Value beginItems(KExpr items);
  /// The first of the range of items that this call of the kernel runs.
  mlir::Value firstItem();
  /// The same for items that teams of `threads` threads run.
  mlir::Value beginTeamItems(KExpr items, unsigned threads);
  using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value index, mlir::ValueRange carried)>;
  /// for (i = lower; i < upper; i += step) carried = body(i, carried)
  llvm::SmallVector<mlir::Value> forLoop(mlir::Value lower, mlir::Value upper,
                                         mlir::Value step, mlir::ValueRange init,
                                         LoopBody body);
  using Branch = llvm::function_ref<llvm::SmallVector<mlir::Value>()>;
  /// Both branches give values of `types`.
  llvm::SmallVector<mlir::Value> ifElse(mlir::Value condition, mlir::TypeRange types,
                                        Branch onTrue, Branch onFalse);
  void ifThen(mlir::Value condition, llvm::function_ref<void()> body);

  /// Closes the kernel: names it by the hash of its text, or as the constructor was told,
  /// and drops it when the module has it already.
  KernelUse finish();
  /// Takes all of it back.
  void discard() { func.erase(); }

  KernelUse use;

private:
  mlir::Value bindMemory(mlir::Value hxValue, mlir::Type element, KExpr numElements,
                         bool isWritten);
  void moveResultsLast();
  /// What an access to so many elements at `position` may count on.
  llvm::MaybeAlign alignmentOf(mlir::Value memref, mlir::Value position, unsigned lanes);
  /// Arguments before the params.
  unsigned numMemrefs() const { return bindingTypes.size() + (workspaceMemory ? 1 : 0); }
  mlir::Value foldIndex(mlir::Value x, mlir::Value y, KOp op);

  mlir::ModuleOp kernels;
  std::string givenName;
  hx::SymbolicShapes &symbolicShapes;
  CodegenTraits codegenTraits;
  mlir::Location location;
  mlir::OpBuilder b;
  mlir::func::FuncOp func;
  mlir::Operation *itemLoop = nullptr;
  mlir::Value threadNumber;
  mlir::Value workspaceMemory; ///< the argument behind those of bindings
  llvm::SmallPtrSet<mlir::Value, 2> misaligned;
  bool splitVectors = false;
  mlir::OpBuilder top; ///< inserts before the item loop
  llvm::DenseMap<mlir::Value, unsigned> bindingOf;
  llvm::SmallVector<mlir::Type> bindingTypes;
  llvm::DenseMap<int32_t, mlir::Value> materialised;
  llvm::DenseMap<int64_t, mlir::Value> constants;
  llvm::DenseMap<std::pair<mlir::Type, int64_t>, mlir::Value> floatScalars;
};

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_KERNELBUILDER_H
