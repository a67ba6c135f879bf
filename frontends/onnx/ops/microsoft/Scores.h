//===- Scores.h - attention from heads, masks and a cache ---------------------------===//
//
// What the attention operators of com.microsoft share. Scores are query * key * scale;
// masks and biases are added in f32 (f64 for f64), where the softmax is as well.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_MICROSOFT_SCORES_H
#define HEXIN_FRONTENDS_ONNX_OPS_MICROSOFT_SCORES_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// What is added to scores [B, N, S, T].
class ScoreBias {
public:
  ScoreBias(OpBinder &b, hx::Dim numQueries, hx::Dim numKeys)
      : b(b), numQueries(numQueries), numKeys(numKeys) {}

  /// Keys that are not `allowed` have no weight at all.
  void hide(Value allowed);
  /// `amount` is added to the score of those that are not `allowed`.
  void lower(Value allowed, double amount);
  /// A tensor that broadcasts to the scores.
  void add(Value bias);
  /// Query i sees keys up to past + i; `past` broadcasts to [B, 1, 1, 1], i64.
  void hideFuture(Value past);
  /// Query i sees the last `window` keys up to past + i.
  void hideBefore(Value past, int64_t window);

  Value keyPositions();             ///< i64 [T]
  Value queryPositions(Value past); ///< i64 [B or 1..., S, 1]

  /// Null when nothing is added.
  Value total() const;

private:
  OpBinder &b;
  hx::Dim numQueries, numKeys;
  Value allowed, sum;
};

struct Scoring {
  Value query, key, value; ///< [B, N, S, H], [B, M, T, H], [B, M, T, Hv], M divides N
  double scale = 0;        ///< 0 stands for 1 / sqrt(H)
  double softcap = 0;      ///< above 0: scores become softcap * tanh(score / softcap)
  Value sink = {};         ///< [N] or scalar, a score without a value; or null
};

struct Attended {
  Value output;  ///< [B, S, N * Hv]
  Value scores;  ///< [B, N, S, T] before the softmax, all biases added
  Value weights; ///< behind it
};

Attended attend(OpBinder &b, const Scoring &scoring, const ScoreBias &bias);

/// The keys and values of `update` [B, N, S, H] behind those of `past` [B, N, P, H]:
/// one after the other, or, where `position` [B] or scalar is given, written into the
/// buffer `past` from there on. `past` may be null.
Value withPast(OpBinder &b, Value past, Value update, Value position);

/// Padding as `mask_index` and `key_padding_mask` say it: [B] numbers of keys, [2 * B]
/// ends and starts, [3 * B + 2] with numbers of keys first, [B, T], [B, S, T], or
/// [B, 1, most, most] for positions from `past` on. What is masked is lowered by
/// attribute mask_filter_value.
void addKeyMask(OpBinder &b, ScoreBias &bias, Value mask, hx::Dim batch,
                hx::Dim numQueries, hx::Dim numKeys, hx::Dim past);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_MICROSOFT_SCORES_H
