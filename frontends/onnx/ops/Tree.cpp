// TreeEnsemble, TreeEnsembleRegressor and TreeEnsembleClassifier of ai.onnx.ml.
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Scores.h"
#include "frontends/onnx/ops/TreeLists.h"

#include <limits>

using namespace mlir;
using hexin::hx::ReduceFn;

namespace hexin::onnx {
namespace {

constexpr int64_t maxTargets = int64_t(1) << 24;

int64_t readTargetCount(OpBinder &b) {
  int64_t count = b.intAttr("n_targets", 1);
  if (count < 1 || count > maxTargets)
    b.error("attribute 'n_targets' is " + Twine(count) + ", expected 1 to " +
            Twine(maxTargets));
  return count;
}

//===----------------------------------------------------------------------===//
// The ensemble as an op
//===----------------------------------------------------------------------===//

/// f64 for inputs or numbers of that type, else f32, as all integers are compared.
Type computeType(OpBinder &b, bool hasDoubles) {
  Type type = HxBuilder::elementType(b.input(0));
  return hasDoubles || type.isF64() ? Type(b.builder.getF64Type())
                                    : Type(b.builder.getF32Type());
}

/// [N, numTargets] in `type`; what is known of the trees besides is in `tables`.
Value ensemble(OpBinder &b, const TreeModel &model, Type type, TreeTables &tables) {
  if (b.failed())
    return {};
  if (std::string wrong = buildTreeTables(model, tables); !wrong.empty()) {
    b.error(wrong);
    return {};
  }
  Value x = featureRows(b, type);
  if (b.failed())
    return {};
  hx::Dims dims = b.dims(x);
  int64_t needed = tables.maxFeature + 1;
  if (std::optional<int64_t> known = hx::SymbolTable::constantValue(dims[1])) {
    if (*known < needed) {
      b.error("feature " + Twine(tables.maxFeature) + " is tested, the input has " +
              Twine(*known));
      return {};
    }
  } else {
    // The slice demands that the run has so many.
    x = b.shape.sliceAxis(x, 1, b.shape.constant(0), b.shape.constant(needed));
  }
  Type i32 = b.builder.getI32Type();
  auto count = [](const auto &list) { return static_cast<int64_t>(list.size()); };
  ReduceFn fn = model.join == TreeJoin::sum   ? ReduceFn::sum
                : model.join == TreeJoin::min ? ReduceFn::min
                                              : ReduceFn::max;
  Value nodes = literal(b, ArrayRef<int64_t>(tables.nodes), {count(tables.nodes) / 4, 4},
                        i32, "nodes");
  Value thresholds = literal(b, ArrayRef<double>(tables.thresholds),
                             {count(tables.thresholds)}, type, "thresholds");
  Value entries = literal(b, ArrayRef<int64_t>(tables.entries),
                          {count(tables.entries) / 2, 2}, i32, "entries");
  Value starts =
      literal(b, ArrayRef<int64_t>(tables.starts), {count(tables.starts)}, i32, "starts");
  Value weights = literal(b, ArrayRef<double>(tables.weights), {count(tables.weights)},
                          type, "weights");
  if (b.failed())
    return {};
  return b.make<hx::TreeEnsembleOp>(type, fn, x, nodes, thresholds, entries, starts,
                                    weights);
}

Value ensemble(OpBinder &b, const TreeModel &model, Type type) {
  TreeTables tables;
  return ensemble(b, model, type, tables);
}

Value average(OpBinder &b, const TreeModel &model, Value scores) {
  auto count = static_cast<double>(std::max<size_t>(model.roots.size(), 1));
  return b.failed() ? Value() : b.div(scores, b.scalarLike(scores, count));
}

Value addBase(OpBinder &b, ArrayRef<double> base, Value scores) {
  if (b.failed() || base.empty())
    return scores;
  return b.add(scores, literal(b, base, {static_cast<int64_t>(base.size())},
                               HxBuilder::elementType(scores), "base_values"));
}

//===----------------------------------------------------------------------===//
// TreeEnsembleRegressor
//===----------------------------------------------------------------------===//

void importTreeRegressor(OpBinder &b) {
  PostTransform transform = readPostTransform(b);
  StringRef join = b.stringAttr("aggregate_function", "SUM");
  if (!llvm::is_contained({"SUM", "AVERAGE", "MIN", "MAX"}, join))
    return b.error("attribute 'aggregate_function' is '" + join +
                   "', expected SUM, AVERAGE, MIN or MAX");
  TreeModel model;
  model.join = join == "MIN"   ? TreeJoin::min
               : join == "MAX" ? TreeJoin::max
                               : TreeJoin::sum;
  model.numTargets = readTargetCount(b);
  bool hasDoubles = false;
  readTreesById(b, "target", model, hasDoubles);
  SmallVector<double> base = readNumbers(b, "base_values", hasDoubles);
  if (!base.empty() &&
      !hasLength(b, "base_values", base.size(), static_cast<size_t>(model.numTargets)))
    return;
  if (b.failed())
    return;
  Value scores = ensemble(b, model, computeType(b, hasDoubles));
  if (join == "AVERAGE")
    scores = average(b, model, scores);
  scores = transformScores(b, transform, addBase(b, base, scores));
  if (!b.failed())
    b.result(0, b.cast(scores, b.builder.getF32Type()));
}

//===----------------------------------------------------------------------===//
// TreeEnsembleClassifier
//===----------------------------------------------------------------------===//

/// The one class of two that all weights are for, if there is one.
std::optional<int64_t> onlyClass(const TreeModel &model) {
  if (model.numTargets != 2 || model.votes.empty())
    return std::nullopt;
  int64_t first = model.votes.front().target;
  for (const TreeVote &vote : model.votes)
    if (vote.target != first)
      return std::nullopt;
  return first;
}

/// One score for two classes: positive weights make a probability, others a margin.
void classifyByOneScore(OpBinder &b, const TreeModel &model, const Labels &labels,
                        PostTransform transform, ArrayRef<double> base, Type type) {
  int64_t which = model.votes.front().target;
  bool isSigned =
      llvm::any_of(model.votes, [](const TreeVote &vote) { return vote.weight < 0; });
  Value all = ensemble(b, model, type);
  if (b.failed())
    return;
  Value score = b.shape.sliceAxis(all, 1, b.shape.constant(which), b.shape.constant(1));
  if (!base.empty())
    score = addBase(b, base[base.size() == 1 ? 0 : which], score);
  b.result(0, labelAt(b, labels, isAbove(b, score, isSigned ? 0 : 0.5)));
  Value scores;
  if (which == 0)
    scores = scoresOfTwo(b, transform, score, isSigned);
  else if (!b.failed()) {
    double other = base.size() == 2 ? base[0] : 0;
    Value zeros = b.mul(score, b.scalarLike(score, 0));
    scores = transformScores(
        b, transform, b.concat({b.add(zeros, b.scalarLike(score, other)), score}, 1));
  }
  if (!b.failed())
    b.result(1, b.cast(scores, b.builder.getF32Type()));
}

/// The top class among those that a leaf on the way has a weight for: one that nobody
/// votes for does not win with its 0. `tables` are those of `model`.
Value topVotedClass(OpBinder &b, const TreeModel &model, const TreeTables &tables,
                    Value scores) {
  bool mayLose =
      llvm::any_of(model.votes, [](const TreeVote &vote) { return !(vote.weight > 0); });
  if (!mayLose || llvm::all_of(tables.isAlwaysVoted, [](bool always) { return always; }))
    return topClass(b, scores);
  TreeModel counting = model;
  for (TreeVote &vote : counting.votes)
    vote.weight = 1;
  Value votes = ensemble(b, counting, HxBuilder::elementType(scores));
  if (b.failed())
    return {};
  Value isVoted = b.compare(hx::ComparePredicate::lt, b.scalarLike(votes, 0), votes);
  Value least = b.scalarLike(scores, -std::numeric_limits<double>::infinity());
  return topClass(b, b.select(isVoted, scores, least));
}

void importTreeClassifier(OpBinder &b) {
  PostTransform transform = readPostTransform(b);
  Labels labels = readLabels(b, "classlabels_int64s", "classlabels_strings");
  TreeModel model;
  model.numTargets = static_cast<int64_t>(labels.size());
  bool hasDoubles = false;
  readTreesById(b, "class", model, hasDoubles);
  SmallVector<double> base = readNumbers(b, "base_values", hasDoubles);
  if (b.failed())
    return;
  Type type = computeType(b, hasDoubles);
  bool isOneOfTwo = onlyClass(model).has_value();
  if (!base.empty() && !(isOneOfTwo && base.size() == 1) &&
      !hasLength(b, "base_values", base.size(), labels.size()))
    return;
  if (isOneOfTwo)
    return classifyByOneScore(b, model, labels, transform, base, type);
  TreeTables tables;
  Value scores = addBase(b, base, ensemble(b, model, type, tables));
  if (b.failed())
    return;
  // A single label is not among what its score decides between: 1 or 0, as in ONNX
  // Runtime.
  if (labels.size() == 1 && !labels.areStrings())
    b.result(0, isAbove(b, scores, 0));
  else
    b.result(0, labelAt(b, labels,
                        base.empty() && labels.size() > 2
                            ? topVotedClass(b, model, tables, scores)
                            : topClass(b, scores)));
  scores = transformScores(b, transform, scores);
  if (!b.failed())
    b.result(1, b.cast(scores, b.builder.getF32Type()));
}

//===----------------------------------------------------------------------===//
// TreeEnsemble
//===----------------------------------------------------------------------===//

PostTransform readTransformNumber(OpBinder &b) {
  int64_t number = b.intAttr("post_transform", 0);
  if (number < 0 || number > 4)
    b.error("attribute 'post_transform' is " + Twine(number) + ", expected 0 to 4");
  return b.failed() ? PostTransform::none : static_cast<PostTransform>(number);
}

void importTreeEnsemble(OpBinder &b) {
  PostTransform transform = readTransformNumber(b);
  int64_t join = b.intAttr("aggregate_function", 1);
  if (join < 0 || join > 3)
    return b.error("attribute 'aggregate_function' is " + Twine(join) +
                   ", expected 0 to 3");
  constexpr int64_t averages = 0;
  TreeModel model;
  model.join = join == 2 ? TreeJoin::min : join == 3 ? TreeJoin::max : TreeJoin::sum;
  model.numTargets = readTargetCount(b);
  readTreesByPosition(b, model);
  if (b.failed())
    return;
  Value scores = ensemble(b, model, computeType(b, false));
  if (join == averages)
    scores = average(b, model, scores);
  scores = transformScores(b, transform, scores);
  if (!b.failed())
    b.result(0, b.cast(scores, HxBuilder::elementType(b.input(0))));
}

} // namespace

void registerTreeOps(OpTable &table) {
  table.add("ai.onnx.ml", {
                              {"TreeEnsemble", 5, 1, 1, importTreeEnsemble},
                              {"TreeEnsembleClassifier", 1, 1, 1, importTreeClassifier},
                              {"TreeEnsembleRegressor", 1, 1, 1, importTreeRegressor},
                          });
}

} // namespace hexin::onnx
