// GroupQueryAttention: turned heads, a cache written in place, causal attention.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Heads.h"
#include "frontends/onnx/ops/Norms.h"
#include "frontends/onnx/ops/Rotary.h"
#include "frontends/onnx/ops/microsoft/Scores.h"

using namespace mlir;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

enum Input : unsigned {
  queryInput,
  keyInput,
  valueInput,
  pastKeyInput,
  pastValueInput,
  lengthsInput, ///< seqlens_k [B]: keys of each sample, less one
  totalInput,   ///< the most keys of a sample
  cosineInput,
  sineInput,
  positionsInput,
  biasInput,
  sinkInput,
  keyScaleInput,
  valueScaleInput,
  queryNormInput,
  keyNormInput,
};

struct Heads {
  Value query, key, value; ///< [B, N, S, H], [B, M, S, H], [B, M, S, H]
};

Heads readHeads(OpBinder &b, int64_t queryHeads, int64_t heads) {
  Value query = b.input(queryInput), key = b.input(keyInput), value = b.input(valueInput);
  for (Value x : {query, key, value})
    if (x && HxBuilder::rank(x) != 3) {
      b.contradiction("query, key or value has rank " + Twine(HxBuilder::rank(x)) +
                      ", expected 3: [batch, positions, heads x size]");
      return {};
    }
  if (!key != !value) {
    b.error("key and value must be given together, or packed with the query");
    return {};
  }
  if (key) {
    if (!checkHeads(b, query, queryHeads, "query") || !checkHeads(b, key, heads, "key") ||
        !checkHeads(b, value, heads, "value"))
      return {};
    return {splitHeads(b, query, queryHeads), splitHeads(b, key, heads),
            splitHeads(b, value, heads)};
  }
  if (!checkHeads(b, query, queryHeads + 2 * heads, "packed query"))
    return {};
  Value all = splitHeads(b, query, queryHeads + 2 * heads);
  auto part = [&](int64_t start, int64_t size) {
    return b.shape.sliceAxis(all, 1, b.shape.constant(start), b.shape.constant(size));
  };
  return {part(0, queryHeads), part(queryHeads, heads), part(queryHeads + heads, heads)};
}

/// q_norm_weight and k_norm_weight [H].
void normalize(OpBinder &b, Heads &heads) {
  if (b.has(queryNormInput) != b.has(keyNormInput))
    return b.error("q_norm_weight and k_norm_weight must be given together");
  if (!b.has(queryNormInput))
    return;
  double epsilon = b.floatAttr("qk_norm_epsilon", 1e-6f);
  heads.query = rmsNorm(b, heads.query, b.input(queryNormInput), 3, epsilon);
  heads.key = rmsNorm(b, heads.key, b.input(keyNormInput), 3, epsilon);
}

/// do_rotary: positions are given, or count from the past on.
void turn(OpBinder &b, Heads &heads, Value past) {
  if (b.intAttr("do_rotary", 0) == 0 || b.failed())
    return;
  if (!b.has(cosineInput) || !b.has(sineInput))
    return b.error("do_rotary needs cos_cache and sin_cache");
  if (HxBuilder::rank(b.input(cosineInput)) != 2)
    return b.contradiction("cos_cache has rank " +
                           Twine(HxBuilder::rank(b.input(cosineInput))) + ", expected 2");
  Value positions = b.input(positionsInput);
  if (positions && HxBuilder::rank(positions) != 2)
    return b.contradiction("position_ids has rank " + Twine(HxBuilder::rank(positions)) +
                           ", expected 2: [batch, positions]");
  if (!positions)
    positions = b.add(b.shape.iota({b.shape.constant(1), b.dims(heads.query)[2]}, 1,
                                   b.builder.getI64Type()),
                      b.shape.squeeze(past, {2, 3})); // [B, S]
  Value cosine = b.gather(b.input(cosineInput), positions, 0);
  Value sine = b.gather(b.input(sineInput), positions, 0);
  if (b.failed())
    return;
  Dim turned = b.symbols().mul(b.dims(cosine).back(), b.shape.constant(2));
  bool isInterleaved = b.intAttr("rotary_interleaved", 0) != 0;
  heads.query = rotateHeads(b, heads.query, cosine, sine, 1, turned, isInterleaved);
  heads.key = rotateHeads(b, heads.key, cosine, sine, 1, turned, isInterleaved);
}

/// A key or value cache in 8 bits, or as it is.
class Cache {
public:
  Cache(OpBinder &b, Value past, unsigned scaleInput, StringRef kindName)
      : b(b), past(past), scale(b.input(scaleInput)) {
    StringRef kind = b.stringAttr(kindName, "NONE");
    isQuantized = kind != "NONE";
    if (kind != "NONE" && kind != "PER_TENSOR" && kind != "PER_CHANNEL")
      b.error(kindName + " is '" + kind + "', expected NONE, PER_TENSOR or PER_CHANNEL");
    else if (isQuantized && b.intAttr("kv_cache_bit_width", 8) != 8)
      b.unsupported("kv_cache_bit_width below 8");
    else if (isQuantized && (!past || !scale))
      b.error("a quantised cache needs past_key, past_value, k_scale and v_scale");
  }

  /// [B, M, size, H]: the past with `heads` [B, M, S, H] from `position` [B, 1, 1, 1] on.
  Value append(Value heads, Value position, Dim size) {
    if (b.failed())
      return {};
    Dims dims = b.dims(heads);
    Value stored = isQuantized ? quantized(heads) : heads;
    if (b.failed())
      return {};
    Value whole = past;
    dims[2] = size;
    if (!whole) {
      if (b.dims(heads)[2] == size)
        return stored;
      whole = b.shape.broadcastTo(b.scalarLike(stored, 0), dims);
    } else if (b.dims(whole)[2] != size) { // grows up to the most keys of a sample
      Dim none = b.shape.constant(0);
      Dim more = b.symbols().sub(size, b.dims(whole)[2]);
      whole = b.pad(hx::PadMode::constant, whole, b.shape.build({none, none, none, none}),
                    b.shape.build({none, none, more, none}), b.scalarLike(whole, 0));
    }
    return withPast(b, whole, stored,
                    b.failed() ? Value() : b.shape.squeeze(position, {1, 2, 3}));
  }

  /// The first `count` positions of what append() gave, like `heads`.
  Value read(Value cache, Dim count, Value heads) {
    if (b.failed())
      return {};
    if (b.dims(cache)[2] != count)
      cache = b.shape.sliceAxis(cache, 2, b.shape.constant(0), count);
    if (!isQuantized || b.failed())
      return cache;
    Value wide = b.mul(b.cast(cache, b.builder.getF32Type()), scale);
    return b.failed() ? Value() : b.cast(wide, HxBuilder::elementType(heads));
  }

private:
  Value quantized(Value heads) {
    Type type = HxBuilder::elementType(past), f32 = b.builder.getF32Type();
    Value x = b.div(b.cast(heads, f32), scale);
    if (b.failed() || isa<FloatType>(type))
      return b.failed() ? Value() : b.cast(x, type);
    if (!type.isInteger(8)) {
      b.unsupported("a quantised cache of this type: expected int8 or float8e4m3fn");
      return {};
    }
    Value none = b.scalar(type, 0);
    return b.make<hx::QuantizeOp>(type, x, b.scalar(f32, 1), none, /*axis=*/0,
                                  /*block=*/0, /*saturate=*/true);
  }

  OpBinder &b;
  Value past, scale;
  bool isQuantized = false;
};

/// Attributes whose values have a closed set, as errors.
bool checkAttributes(OpBinder &b) {
  if (b.intAttr("sliding_window_cache", 0) != 0)
    b.unsupported("sliding_window_cache: a cache that drops positions; export the model "
                  "with the whole cache");
  int64_t window = b.intAttr("local_window_size", -1), causal = b.intAttr("causal", 1);
  if (causal != 0 && causal != 1)
    b.error("causal is " + Twine(causal) + ", expected 0 or 1");
  if (window != -1 && (window < 1 || window > INT32_MAX || causal == 0))
    b.error("local_window_size is " + Twine(window) +
            ", expected -1, or above 0 with causal=1");
  if (b.has(pastKeyInput) != b.has(pastValueInput))
    b.error("past_key and past_value must be given together");
  for (unsigned i : {pastKeyInput, pastValueInput})
    if (b.has(i) && HxBuilder::rank(b.input(i)) != 4)
      b.contradiction("a past has rank " + Twine(HxBuilder::rank(b.input(i))) +
                      ", expected 4");
  if (HxBuilder::rank(b.input(lengthsInput)) != 1)
    b.contradiction("seqlens_k has rank " +
                    Twine(HxBuilder::rank(b.input(lengthsInput))) +
                    ", expected 1: [batch]");
  return !b.failed();
}

void importGroupQueryAttention(OpBinder &b) {
  if (!checkAttributes(b))
    return;
  int64_t queryHeads = b.intAttr("num_heads", 0), numHeads = b.intAttr("kv_num_heads", 0);
  if (b.failed() || numHeads < 1 || queryHeads < 1 || queryHeads % numHeads != 0 ||
      queryHeads > INT16_MAX)
    return b.error(Twine(queryHeads) + " query heads cannot share " + Twine(numHeads) +
                   " key heads");
  Heads heads = readHeads(b, queryHeads, numHeads);
  Dims total = b.readInts(totalInput);
  if (b.failed())
    return;
  if (total.size() != 1)
    return b.contradiction("total_sequence_length must be one number");
  Type i64 = b.builder.getI64Type();
  Dim numQueries = b.dims(heads.query)[2];

  // A first prompt has no past, whatever the samples' lengths; later each sample's new
  // positions are its last ones.
  Value lengths = b.add(b.cast(b.shape.unsqueeze(b.input(lengthsInput), {1, 2, 3}), i64),
                        b.scalar(i64, 1)); // [B, 1, 1, 1]
  Value queries = b.shape.buildScalar(numQueries, i64);
  Value isPrompt =
      b.compare(ComparePredicate::eq, queries, b.shape.buildScalar(total[0], i64));
  Value zero = b.scalar(i64, 0);
  Value past = b.select(isPrompt, zero,
                        b.binary(hx::BinaryFn::max, b.sub(lengths, queries), zero));

  normalize(b, heads);
  turn(b, heads, past);
  Cache keys(b, b.input(pastKeyInput), keyScaleInput, "k_quant_type");
  Cache values(b, b.input(pastValueInput), valueScaleInput, "v_quant_type");
  if (b.failed())
    return;
  Dim size = total[0];
  if (b.has(pastKeyInput))
    size = b.symbols().max(size, b.dims(b.input(pastKeyInput))[2]);
  Value presentKey = keys.append(heads.key, past, size);
  Value presentValue = values.append(heads.value, past, size);

  ScoreBias bias(b, numQueries, total[0]);
  if (b.has(biasInput))
    bias.add(b.input(biasInput));
  if (b.intAttr("causal", 1) != 0)
    bias.hideFuture(past);
  else
    bias.hide(b.compare(ComparePredicate::lt, bias.keyPositions(), lengths));
  if (int64_t window = b.intAttr("local_window_size", -1); window > 0)
    bias.hideBefore(past, window);

  Scoring scoring{heads.query,
                  keys.read(presentKey, total[0], heads.key),
                  values.read(presentValue, total[0], heads.value),
                  b.floatAttr("scale", 0),
                  b.floatAttr("softcap", 0),
                  b.input(sinkInput)};
  if (b.intAttr("smooth_softmax", -1) > 0) {
    if (scoring.sink)
      return b.error("smooth_softmax and head_sink are both given");
    scoring.sink = b.scalar(b.builder.getF32Type(), 0);
  }
  Attended attended = attend(b, scoring, bias);
  b.result(0, attended.output);
  b.result(1, presentKey);
  b.result(2, presentValue);
  int64_t stage = b.intAttr("qk_output", 0);
  if (stage < 0 || stage > 2)
    return b.error("qk_output is " + Twine(stage) + ", expected 0, 1 or 2");
  if (stage > 0 && !b.failed())
    b.result(3, b.cast(stage == 1 ? attended.scores : attended.weights,
                       HxBuilder::elementType(heads.query)));
}

} // namespace

void registerMicrosoftGroupQueryOps(OpTable &table) {
  table.add("com.microsoft",
            {
                {"GroupQueryAttention", 1, 1, 16, importGroupQueryAttention},
            });
}

} // namespace hexin::onnx
