// SVMRegressor and SVMClassifier of ai.onnx.ml.
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Scores.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

constexpr int64_t maxTableElements = int64_t(1) << 26;

struct Kernel {
  StringRef type = "LINEAR";
  double gamma = 0, coef0 = 0, degree = 0;
};

Kernel readKernel(OpBinder &b) {
  Kernel kernel{b.stringAttr("kernel_type", "LINEAR")};
  if (!llvm::is_contained({"LINEAR", "POLY", "RBF", "SIGMOID"}, kernel.type))
    b.error("attribute 'kernel_type' is '" + kernel.type +
            "', expected LINEAR, POLY, RBF or SIGMOID");
  SmallVector<double> params = b.floatsAttr("kernel_params");
  if (params.size() == 3)
    kernel = {kernel.type, params[0], params[1], params[2]};
  else if (!params.empty())
    b.error("attribute 'kernel_params' has " + Twine(params.size()) +
            " numbers, expected gamma, coef0 and degree");
  return kernel;
}

/// K(x, v) of rows x [N, F] and vectors v [V, F]: [N, V].
Value applyKernel(OpBinder &b, const Kernel &kernel, Value x, Value vectors) {
  if (b.failed())
    return {};
  auto c = [&](double value) { return b.scalarLike(x, value); };
  if (kernel.type == "RBF") {
    // |x - v|^2 as such: the sum of three products loses what is small.
    Value difference = b.sub(b.shape.unsqueeze(x, {1}), vectors);
    Value distance = b.reduce(ReduceFn::sum, b.mul(difference, difference), {2},
                              /*keepDims=*/false);
    return b.unary(UnaryFn::exp, b.mul(c(-kernel.gamma), distance));
  }
  Value product = b.matmul(x, vectors, /*transposeLhs=*/false, /*transposeRhs=*/true);
  if (kernel.type == "LINEAR")
    return product;
  Value inner = b.add(b.mul(c(kernel.gamma), product), c(kernel.coef0));
  return kernel.type == "POLY" ? b.binary(BinaryFn::pow, inner, c(kernel.degree))
                               : b.unary(UnaryFn::tanh, inner);
}

/// The attribute's numbers as [rows, F].
Value readRows(OpBinder &b, StringRef name, int64_t rows) {
  SmallVector<double> numbers = b.floatsAttr(name);
  auto count = static_cast<int64_t>(numbers.size());
  if (!b.failed() && (rows < 1 || count == 0 || count % rows != 0))
    b.error("attribute '" + name + "' has " + Twine(count) +
            " numbers, which do not make " + Twine(rows) + " rows");
  if (b.failed())
    return {};
  return literal(b, numbers, {rows, count / rows}, b.builder.getF32Type(), name);
}

//===----------------------------------------------------------------------===//
// SVMRegressor
//===----------------------------------------------------------------------===//

/// Without support vectors the coefficients are those of a linear model.
void importSvmRegressor(OpBinder &b) {
  Type f32 = b.builder.getF32Type();
  PostTransform transform = readPostTransform(b);
  Kernel kernel = readKernel(b);
  int64_t count = b.intAttr("n_supports", 0);
  SmallVector<double> rho = b.floatsAttr("rho");
  if (!b.failed() && rho.size() != 1)
    b.error("attribute 'rho' has " + Twine(rho.size()) + " numbers, expected 1");
  if (b.failed())
    return;
  Value x = featureRows(b, f32), weights = readRows(b, "coefficients", 1);
  if (count > 0)
    x = applyKernel(b, kernel, x, readRows(b, "support_vectors", count));
  if (b.failed())
    return;
  Value score = b.add(b.matmul(x, weights, false, true), b.scalar(f32, rho[0]));
  if (b.intAttr("one_class", 0) != 0 && !b.failed()) {
    Value isInside = b.compare(ComparePredicate::lt, b.scalar(f32, 0), score);
    score = b.select(isInside, b.scalar(f32, 1), b.scalar(f32, -1));
  }
  b.result(0, transformScores(b, transform, score));
}

//===----------------------------------------------------------------------===//
// SVMClassifier
//===----------------------------------------------------------------------===//

/// The contests of all pairs i < j of classes, in that order.
struct Contests {
  SmallVector<int64_t> vectorsPerClass;
  int64_t classes = 0, vectors = 0;
  SmallVector<std::pair<int64_t, int64_t>> pairs;
  int64_t size() const { return static_cast<int64_t>(pairs.size()); }
};

Contests readContests(OpBinder &b) {
  Contests contests;
  contests.vectorsPerClass = b.intsAttr("vectors_per_class");
  for (int64_t count : contests.vectorsPerClass) {
    if (count < 0 || count > INT32_MAX - contests.vectors) {
      b.error("attribute 'vectors_per_class' counts " + Twine(count) + " vectors");
      return {};
    }
    contests.vectors += count;
  }
  contests.classes = static_cast<int64_t>(contests.vectorsPerClass.size());
  if (contests.classes > 1024) {
    b.unsupported(Twine(contests.classes) + " classes of vectors, more than 1024");
    return {};
  }
  for (int64_t i = 0; i < contests.classes; ++i)
    for (int64_t j = i + 1; j < contests.classes; ++j)
      contests.pairs.push_back({i, j});
  return contests;
}

/// A list attribute with a number per contest.
Value perContest(OpBinder &b, StringRef name, int64_t count) {
  return literal(b, b.floatsAttr(name), {count}, b.builder.getF32Type(), name);
}

/// Coefficients are [C - 1, V]: in a contest of i and j, vectors of i have row j - 1,
/// those of j row i, all others 0. Gives [V, contests].
Value contestWeights(OpBinder &b, const Contests &contests) {
  SmallVector<double> rows = b.floatsAttr("coefficients");
  int64_t vectors = contests.vectors, count = contests.size();
  if (!b.failed() &&
      static_cast<int64_t>(rows.size()) != (contests.classes - 1) * vectors)
    b.error("attribute 'coefficients' has " + Twine(rows.size()) + " numbers, expected " +
            Twine((contests.classes - 1) * vectors));
  if (!b.failed() && vectors > maxTableElements / std::max<int64_t>(count, 1))
    b.unsupported(Twine(vectors) + " vectors in " + Twine(count) + " contests");
  if (b.failed())
    return {};
  SmallVector<double> weights(static_cast<size_t>(vectors * count), 0.0);
  SmallVector<int64_t> first{0};
  for (int64_t size : contests.vectorsPerClass)
    first.push_back(first.back() + size);
  for (auto [p, pair] : llvm::enumerate(contests.pairs)) {
    auto fill = [&, p = p](int64_t ofClass, int64_t row) {
      for (int64_t v = first[ofClass]; v < first[ofClass + 1]; ++v)
        weights[v * count + static_cast<int64_t>(p)] = rows[row * vectors + v];
    };
    fill(pair.first, pair.second - 1);
    fill(pair.second, pair.first);
  }
  return literal(b, weights, {vectors, count}, b.builder.getF32Type(), "coefficients");
}

/// How many contests each class has won: [N, C].
Value countVotes(OpBinder &b, const Contests &contests, Value scores) {
  Type f32 = b.builder.getF32Type();
  int64_t classes = contests.classes;
  // What i wins, j loses: votes = wins * gains + what all j would have.
  SmallVector<double> gains(static_cast<size_t>(contests.size() * classes), 0.0),
      base(static_cast<size_t>(classes), 0.0);
  for (auto [p, pair] : llvm::enumerate(contests.pairs)) {
    gains[static_cast<int64_t>(p) * classes + pair.first] = 1;
    gains[static_cast<int64_t>(p) * classes + pair.second] = -1;
    base[pair.second] += 1;
  }
  Value wins = b.cast(b.compare(ComparePredicate::lt, b.scalar(f32, 0), scores), f32);
  Value table = literal(b, gains, {contests.size(), classes}, f32, "votes");
  return b.add(b.matmul(wins, table), literal(b, base, {classes}, f32, "votes"));
}

/// Platt's probabilities of all contests, coupled to those of classes: [N, C].
Value couple(OpBinder &b, const Contests &contests, Value scores) {
  Type f32 = b.builder.getF32Type();
  int64_t count = contests.size(), classes = contests.classes;
  Value inner = b.add(b.mul(scores, perContest(b, "prob_a", count)),
                      perContest(b, "prob_b", count));
  auto c = [&](double value) { return b.scalar(f32, value); };
  Value wins = b.sub(c(1), b.unary(UnaryFn::sigmoid, inner));
  wins = b.binary(BinaryFn::min, b.binary(BinaryFn::max, wins, c(1e-7f)), c(1 - 1e-7f));
  Value loses = b.sub(c(1), wins);
  SmallVector<int64_t> table(static_cast<size_t>(classes * classes), 0);
  for (auto [p, pair] : llvm::enumerate(contests.pairs)) {
    table[pair.first * classes + pair.second] = static_cast<int64_t>(p);
    table[pair.second * classes + pair.first] = count + static_cast<int64_t>(p);
  }
  Value at = literal(b, table, {classes, classes}, b.builder.getI64Type(), "contests");
  if (b.failed())
    return {};
  Value both = b.gather(b.concat({wins, loses}, 1), at, 1);
  return b.make<hx::CouplePairsOp>(f32, both);
}

void importSvmClassifier(OpBinder &b) {
  Type f32 = b.builder.getF32Type();
  PostTransform transform = readPostTransform(b);
  Kernel kernel = readKernel(b);
  Labels labels = readLabels(b, "classlabels_ints", "classlabels_strings");
  Contests contests = readContests(b);
  SmallVector<double> rho = b.floatsAttr("rho");
  if (b.failed())
    return;
  Value x = featureRows(b, f32);
  auto classes = static_cast<int64_t>(labels.size());
  if (contests.vectors == 0) {
    // A linear model: a row of coefficients per class, one intercept for all.
    if (rho.empty())
      return b.error("attribute 'rho' is empty");
    Value rows = readRows(b, "coefficients", classes);
    if (b.failed())
      return;
    Value scores = b.add(b.matmul(x, rows, false, true), b.scalar(f32, rho[0]));
    b.result(0, labelAt(b, labels, topClass(b, scores)));
    b.result(1, transformScores(b, transform, scores));
    return;
  }
  if (contests.classes != classes || classes < 2)
    return b.error(Twine(classes) + " labels and vectors of " + Twine(contests.classes) +
                   " classes do not go together");
  Value kernels =
      applyKernel(b, kernel, x, readRows(b, "support_vectors", contests.vectors));
  Value weights = contestWeights(b, contests);
  Value offsets = perContest(b, "rho", contests.size());
  if (b.failed())
    return;
  Value scores = b.add(b.matmul(kernels, weights), offsets);
  b.result(0, labelAt(b, labels, topClass(b, countVotes(b, contests, scores))));
  if (!b.floatsAttr("prob_a").empty())
    b.result(1, transformScores(b, transform, couple(b, contests, scores)));
  else if (contests.size() == 1)
    b.result(1, scoresOfTwo(b, transform, scores, transform == PostTransform::none));
  else
    b.result(1, transformScores(b, transform, scores));
}

} // namespace

void registerSvmOps(OpTable &table) {
  table.add("ai.onnx.ml", {
                              {"SVMClassifier", 1, 1, 1, importSvmClassifier},
                              {"SVMRegressor", 1, 1, 1, importSvmRegressor},
                          });
}

} // namespace hexin::onnx
