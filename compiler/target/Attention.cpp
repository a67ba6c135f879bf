#include "compiler/target/Attention.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace hexin {
namespace {

using mlir::Value; // not hexin::Value, a model's input or output

constexpr llvm::StringLiteral mark = "hx.attention";

/// A tile of queries would be mostly empty.
constexpr int64_t fewQueries = 8;
/// What a team's memory on the chip holds of a row.
constexpr int64_t mostFeatures = 128;

bool isF32(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType().isF32();
}

/// A splat of zeros.
bool isZero(Value value) { return matchPattern(value, m_AnyZeroFloat()); }

class Match {
public:
  Match(hx::MatMulOp output, hx::SymbolicShapes &shapes)
      : output(output), shapes(shapes) {}

  bool run() {
    members.insert(output);
    if (output.getTransposeLhs() || output.getTransposeRhs() || !isF32(output) ||
        !isF32(output.getLhs()) || !isF32(output.getRhs()))
      return false;
    Value weights = output.getLhs();
    if (auto select = weights.getDefiningOp<hx::SelectOp>())
      if (!takesHiddenRows(select, weights))
        return false;
    softmax = weights.getDefiningOp<hx::SoftmaxOp>();
    return softmax && joins(softmax) &&
           softmax.getAxis() + 1 == int64_t(shapes.dims(weights).size()) &&
           findScores() && sizesFit();
  }

  llvm::SetVector<Operation *> members;
  hx::MatMulOp output, scores;

private:
  /// What is only read inside becomes part of it.
  bool joins(Operation *op) {
    bool isInside = op->getBlock() == output->getBlock() &&
                    llvm::all_of(op->getUsers(),
                                 [&](Operation *user) { return members.contains(user); });
    if (isInside)
      members.insert(op);
    return isInside;
  }

  /// select(rows without keys, 0, weights).
  bool takesHiddenRows(hx::SelectOp select, Value &weights) {
    hx::Dims condition = shapes.dims(select.getCondition());
    if (!isZero(select.getOnTrue()) || condition.empty() ||
        hx::SymbolTable::constantValue(condition.back()) != 1 ||
        shapes.dims(select.getOnFalse()) != shapes.dims(select) || !joins(select))
      return false;
    weights = select.getOnFalse();
    return true;
  }

  /// Up from the softmax through elementwise ops of its sizes to one product.
  bool findScores() {
    constexpr size_t most = 24;
    hx::Dims full = shapes.dims(softmax.getInput());
    SmallVector<Value> work{softmax.getInput()};
    while (!work.empty()) {
      Value value = work.pop_back_val();
      Operation *op = value.getDefiningOp();
      if (!op || members.contains(op) || shapes.dims(value) != full)
        continue; // comes from outside
      if (auto product = dyn_cast<hx::MatMulOp>(op)) {
        if (scores || !joins(product))
          return false;
        scores = product;
        continue;
      }
      if (!op->hasTrait<hx::HxElementwise>() || op->getNumResults() != 1 || !joins(op))
        continue;
      if (members.size() > most)
        return false;
      llvm::append_range(work, op->getOperands());
    }
    return scores && isF32(softmax.getInput());
  }

  bool sizesFit() {
    if (scores.getTransposeLhs() || !isF32(scores.getLhs()) || !isF32(scores.getRhs()))
      return false;
    hx::Dims q = shapes.dims(scores.getLhs()), k = shapes.dims(scores.getRhs()),
             v = shapes.dims(output.getRhs()), s = shapes.dims(scores);
    size_t rank = q.size();
    if (rank < 3 || k.size() != rank || v.size() != rank || s.size() != rank)
      return false;
    for (size_t axis = 0; axis + 2 < rank; ++axis)
      if (k[axis] != q[axis] || v[axis] != q[axis])
        return false;
    auto isFew = [](hx::Dim dim) {
      auto size = hx::SymbolTable::constantValue(dim);
      return size && *size >= 1 && *size <= mostFeatures;
    };
    auto queries = hx::SymbolTable::constantValue(q[rank - 2]);
    return isFew(q.back()) && isFew(v.back()) && s.back() == v[rank - 2] &&
           !(queries && *queries <= fewQueries);
  }

  hx::SymbolicShapes &shapes;
  hx::SoftmaxOp softmax;
};

} // namespace

void markAttention(func::FuncOp func, hx::SymbolicShapes &shapes) {
  func.walk([&](hx::MatMulOp product) {
    Match match(product, shapes);
    if (product->hasAttr("hx.fallback") || !match.run() ||
        llvm::any_of(match.members,
                     [](Operation *op) { return op->hasAttr("hx.fallback"); }))
      return;
    auto unit = UnitAttr::get(func.getContext());
    match.output->setAttr(mark, unit);
    match.scores->setAttr(mark, unit);
  });
}

SmallVector<Operation *> attentionEndingIn(Operation *root, hx::SymbolicShapes &shapes) {
  auto product = dyn_cast<hx::MatMulOp>(root);
  if (!product || !product->hasAttr(mark))
    return {};
  Match match(product, shapes);
  if (!match.run())
    return {};
  SmallVector<Operation *> ops = match.members.takeVector();
  llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ops;
}

} // namespace hexin
