#include "compiler/target/Attention.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace hexin {
namespace {

using mlir::Value; // not hexin::Value, a model's input or output

constexpr llvm::StringLiteral mark = "hx.attention";

/// A thread's registers hold no more of a row of the result.
constexpr int64_t mostFeatures = 512;

/// Floats that are computed in f32.
bool isFloat(Value value) {
  Type type = cast<RankedTensorType>(value.getType()).getElementType();
  return type.isF32() || type.isF16() || type.isBF16();
}

/// A splat of zeros.
bool isZero(Value value) { return matchPattern(value, m_AnyZeroFloat()); }

class Match {
public:
  Match(hx::MatMulOp output, hx::SymbolicShapes &shapes, int64_t fewestQueries = 0)
      : output(output), shapes(shapes), fewestQueries(fewestQueries) {}

  bool run() {
    members.insert(output);
    if (output.getTransposeLhs() || output.getTransposeRhs() || !isFloat(output) ||
        !isFloat(output.getLhs()) || !isFloat(output.getRhs()) || !findSoftmax())
      return false;
    return softmax.getAxis() + 1 == shapes.dims(softmax).size() && findScores() &&
           sizesFit();
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

  /// Up from the output through casts, one choice of hidden rows and one change of what
  /// leads the rows.
  bool findSoftmax() {
    bool isHidden = false, isRegrouped = false;
    for (Value weights = output.getLhs(); !softmax;) {
      Operation *op = weights.getDefiningOp();
      auto select = dyn_cast_or_null<hx::SelectOp>(op);
      if (select && !isHidden && takesHiddenRows(select, weights)) {
        isHidden = true;
      } else if (auto cast = dyn_cast_or_null<hx::CastOp>(op);
                 cast && isFloat(cast) && isFloat(cast.getInput()) && joins(cast)) {
        weights = cast.getInput();
      } else if (auto reshape = dyn_cast_or_null<hx::ReshapeOp>(op);
                 reshape && !isRegrouped && keepsKeys(reshape) && joins(reshape)) {
        isRegrouped = true;
        weights = reshape.getInput();
      } else {
        softmax = dyn_cast_or_null<hx::SoftmaxOp>(op);
        if (!softmax || !isFloat(softmax) || !joins(softmax))
          return false;
      }
    }
    return true;
  }

  /// Query heads that share keys are rows of one head to the products, and heads of
  /// their own to the mask; exporters merge heads with the batch.
  bool keepsKeys(hx::ReshapeOp op) {
    hx::Dims from = shapes.dims(op.getInput()), to = shapes.dims(op);
    return from.size() > 1 && to.size() > 1 && from.back() == to.back();
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
      if (auto reshape = dyn_cast<hx::ReshapeOp>(op)) {
        Operation *product = reshape.getInput().getDefiningOp<hx::MatMulOp>();
        if (scores || !product || !keepsKeys(reshape) || !joins(reshape))
          return false;
        op = product;
      }
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
    return scores && isFloat(softmax.getInput());
  }

  bool sizesFit() {
    if (scores.getTransposeLhs() || !isFloat(scores) || !isFloat(scores.getLhs()) ||
        !isFloat(scores.getRhs()))
      return false;
    hx::Dims q = shapes.dims(scores.getLhs()), k = shapes.dims(scores.getRhs()),
             v = shapes.dims(output.getRhs()), s = shapes.dims(scores);
    size_t rank = q.size();
    if (s != shapes.dims(output.getLhs()))
      return false;
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
           !(queries && *queries < fewestQueries);
  }

  hx::SymbolicShapes &shapes;
  int64_t fewestQueries;
  hx::SoftmaxOp softmax;
};

} // namespace

/// A transpose of the last two axes only.
static bool swapsMatrix(hx::TransposeOp op) {
  SmallVector<int64_t> perm(op.getPerm());
  if (perm.size() < 2)
    return false;
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return llvm::equal(perm, llvm::seq<int64_t>(0, perm.size()));
}

void markAttention(func::FuncOp func, hx::SymbolicShapes &shapes, int64_t fewestQueries) {
  func.walk([&](hx::MatMulOp product) {
    Match match(product, shapes, fewestQueries);
    if (product->hasAttr("hx.fallback") || !match.run() ||
        llvm::any_of(match.members,
                     [](Operation *op) { return op->hasAttr("hx.fallback"); }))
      return;
    auto unit = UnitAttr::get(func.getContext());
    match.output->setAttr(mark, unit);
    match.scores->setAttr(mark, unit);
    auto keys = match.scores.getRhs().getDefiningOp<hx::TransposeOp>();
    if (keys && swapsMatrix(keys)) {
      match.scores.getRhsMutable().assign(keys.getInput());
      match.scores.setTransposeRhs(!match.scores.getTransposeRhs());
    }
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
