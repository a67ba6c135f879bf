// LinearRegressor and LinearClassifier of ai.onnx.ml.
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Scores.h"

using namespace mlir;

namespace hexin::onnx {
namespace {

/// x [N, F] times coefficients [rows, F], plus intercepts: [N, rows].
Value linearScores(OpBinder &b, int64_t rows) {
  Type f32 = b.builder.getF32Type();
  SmallVector<double> coefficients = b.floatsAttr("coefficients"),
                      intercepts = b.floatsAttr("intercepts");
  if (b.failed())
    return {};
  auto count = static_cast<int64_t>(coefficients.size());
  if (rows < 1 || count == 0 || count % rows != 0) {
    b.error(Twine(count) + " coefficients do not make " + Twine(rows) + " rows");
    return {};
  }
  Value x = featureRows(b, f32);
  // More coefficients than there are features to weigh are left over at the end, as
  // ONNX Runtime reads them (its own logreg_iris.onnx has such).
  int64_t features = count / rows;
  if (b.failed())
    return {};
  if (auto given = hx::SymbolTable::constantValue(b.dims(x)[1]);
      given && *given > 0 && *given < features) {
    features = *given;
    coefficients.truncate(static_cast<size_t>(rows * features));
  }
  Value weights = literal(b, coefficients, {rows, features}, f32, "coefficients");
  if (b.failed())
    return {};
  Value scores = b.matmul(x, weights, /*transposeLhs=*/false, /*transposeRhs=*/true);
  if (intercepts.empty())
    return scores;
  return b.add(scores, literal(b, intercepts, {rows}, f32, "intercepts"));
}

void importLinearRegressor(OpBinder &b) {
  PostTransform transform = readPostTransform(b);
  Value scores = linearScores(b, b.intAttr("targets", 1));
  b.result(0, transformScores(b, transform, scores));
}

/// One row of coefficients and two labels: the score of the second one.
void importLinearClassifier(OpBinder &b) {
  PostTransform transform = readPostTransform(b);
  bool hasLabels =
      b.hasAttribute("classlabels_ints") || b.hasAttribute("classlabels_strings");
  Labels labels = hasLabels ? readLabels(b, "classlabels_ints", "classlabels_strings")
                            : Labels{{}, {0, 1}};
  auto rows = static_cast<int64_t>(b.floatsAttr("intercepts").size());
  if (rows == 0)
    rows = static_cast<int64_t>(labels.size());
  if (b.failed())
    return;
  if (static_cast<int64_t>(labels.size()) != rows && (labels.size() != 2 || rows != 1))
    return b.error(Twine(rows) + " rows of coefficients and " + Twine(labels.size()) +
                   " labels do not go together");
  Value scores = linearScores(b, rows);
  bool isOneOfTwo = rows == 1 && labels.size() == 2;
  b.result(0,
           labelAt(b, labels, isOneOfTwo ? isAbove(b, scores, 0) : topClass(b, scores)));
  b.result(1, isOneOfTwo && hasLabels ? scoresOfTwo(b, transform, scores, false)
                                      : transformScores(b, transform, scores));
}

} // namespace

void registerLinearOps(OpTable &table) {
  table.add("ai.onnx.ml", {
                              {"LinearClassifier", 1, 1, 1, importLinearClassifier},
                              {"LinearRegressor", 1, 1, 1, importLinearRegressor},
                          });
}

} // namespace hexin::onnx
