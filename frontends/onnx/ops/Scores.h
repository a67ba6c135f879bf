//===- Scores.h - what classifiers and regressors of ai.onnx.ml share --------------===//
//
// Scores are [N, C]. Where the standard is silent we do as ONNX Runtime: of one score
// alone only PROBIT is taken, and one score of two classes stands for both.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_SCORES_H
#define HEXIN_FRONTENDS_ONNX_OPS_SCORES_H

#include "frontends/onnx/ops/Literals.h"

namespace hexin::onnx {

enum class PostTransform { none, softmax, logistic, softmaxZero, probit };

/// Attribute "post_transform"; an unknown one is an error.
PostTransform readPostTransform(OpBinder &b);

/// 1 / (1 + exp(-x)) and the like, along axis 1.
Value transformScores(OpBinder &b, PostTransform transform, Value scores);

/// [N, 1] of one score s for the second of two classes to [N, 2]: [-s, s] where
/// `isSigned`, else [1 - s, s]; LOGISTIC is taken of [-s, s].
Value scoresOfTwo(OpBinder &b, PostTransform transform, Value score, bool isSigned);

/// The first of the greatest in each row, i64 [N].
Value topClass(OpBinder &b, Value scores);

/// score > bound ? 1 : 0 of [N, 1], i64 [N].
Value isAbove(OpBinder &b, Value score, double bound);

/// Input 0 as rows [N, F] of `type`: what has one axis is one row.
Value featureRows(OpBinder &b, mlir::Type type);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_SCORES_H
