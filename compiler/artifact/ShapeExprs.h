//===- ShapeExprs.h - Dims as the artifact's expression nodes ---------------===//
#ifndef HEXIN_COMPILER_ARTIFACT_SHAPEEXPRS_H
#define HEXIN_COMPILER_ARTIFACT_SHAPEEXPRS_H

#include "compiler/codegen/KernelExpr.h"
#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "runtime/artifact/hexin_generated.h"

#include <functional>
#include <map>
#include <vector>

namespace hexin {

/// The pool of one program. Equal Dims give the same node.
class ShapeExprs {
public:
  /// `valueId` numbers the program's values (for symbols that stand for an
  /// element or a size known only after running); -1 when there is none.
  ShapeExprs(hx::SymbolicShapes &shapes, std::function<int32_t(mlir::Value)> valueId)
      : shapes(shapes), valueId(std::move(valueId)) {}

  /// From here on `argument` is the number of the iteration of loop `loop`.
  void addLoop(mlir::BlockArgument argument, uint32_t loop) { loops[argument] = loop; }

  /// The node of `dim`, or -1 when it hangs on a value that is not in the program.
  int32_t add(hx::Dim dim);
  int32_t constant(int64_t value);
  /// The node `expr`, which has no value while the loop that counts its iterations in
  /// `iteration` does not run.
  int32_t whileRunning(mlir::BlockArgument iteration, int32_t expr) {
    int32_t count = append(fmt::ExprOp::iteration, loops.lookup(iteration), -1, -1, 0);
    int32_t isPast = append(fmt::ExprOp::lt, count, constant(0), -1, 0);
    return append(fmt::ExprOp::select, isPast, expr, expr, 0);
  }
  /// The size of a value that the run gives it.
  int32_t sizeOfValue(int32_t value, int32_t axis) {
    return append(fmt::ExprOp::result_dim, value, axis, -1, 0);
  }

  std::vector<fmt::ExprNode> take() { return std::move(pool); }

private:
  int32_t append(fmt::ExprOp op, int32_t a, int32_t b, int32_t c, int64_t value);
  int32_t symbol(const hx::Symbol &symbol);
  int32_t sizeOfChoice(hx::IfOp op, unsigned result, unsigned axis);

  hx::SymbolicShapes &shapes;
  std::function<int32_t(mlir::Value)> valueId;
  std::vector<fmt::ExprNode> pool;
  llvm::DenseMap<mlir::Value, uint32_t> loops;
  llvm::DenseMap<hx::Dim, int32_t> known;
  std::map<std::tuple<fmt::ExprOp, int32_t, int32_t, int32_t, int64_t>, int32_t> interned;
};

/// What `roots` are computed from in a kernel's own pool, as it stands in the
/// artifact; renumbers `roots` to match.
std::vector<fmt::ExprNode> toNodes(const codegen::KExprPool &pool,
                                   llvm::MutableArrayRef<int32_t> roots);

} // namespace hexin

#endif // HEXIN_COMPILER_ARTIFACT_SHAPEEXPRS_H
