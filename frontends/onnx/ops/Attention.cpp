// Scaled dot-product attention, as products around a softmax.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Heads.h"

#include <cmath>

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {

Value splitHeads(OpBinder &b, Value x, int64_t numHeads) {
  if (b.failed())
    return {};
  Dims dims = b.dims(x); // [B, S, N * H]
  Dim heads = b.shape.constant(numHeads);
  Dim size = b.symbols().quotient({dims[2]}, {heads});
  return b.transpose(b.shape.reshape(x, {dims[0], dims[1], heads, size}), {0, 2, 1, 3});
}

Value mergeHeads(OpBinder &b, Value x) {
  x = b.transpose(x, {0, 2, 1, 3});
  if (b.failed())
    return {};
  Dims dims = b.dims(x);
  return b.shape.reshape(x, {dims[0], dims[1], b.symbols().mul(dims[2], dims[3])});
}

bool checkHeads(OpBinder &b, Value x, int64_t numHeads, StringRef what) {
  if (b.failed())
    return false;
  if (numHeads < 1) {
    b.error("a " + what + " of rank 3 needs its number of heads as an attribute, got " +
            Twine(numHeads));
    return false;
  }
  auto size = hx::SymbolTable::constantValue(b.dims(x)[2]);
  if (size && *size % numHeads != 0) {
    b.contradiction("the " + what + "'s last axis has size " + Twine(*size) +
                    ", which is not a multiple of its " + Twine(numHeads) + " heads");
    return false;
  }
  if (!size)
    checkMultiple(b, b.dims(x)[2], numHeads,
                  "with " + Twine(numHeads) + " heads, the " + what + "'s last axis");
  return !b.failed();
}

Value withGroupedRows(OpBinder &b, Value rows, Value perHead,
                      llvm::function_ref<Value(Value, Value)> product) {
  if (b.failed())
    return {};
  Dims dims = b.dims(rows); // [B, Hq, S, x]
  Dim heads = b.dims(perHead)[1];
  if (dims[1] == heads)
    return product(rows, perHead);
  // The rows of the query heads that share a head lie one after the other.
  Dim group = b.symbols().quotient({dims[1]}, {heads});
  Value result = product(
      b.shape.reshape(rows, {dims[0], heads, b.symbols().mul(group, dims[2]), dims[3]}),
      perHead);
  if (b.failed())
    return {};
  return b.shape.reshape(result, {dims[0], dims[1], dims[2], b.dims(result)[3]});
}

namespace {

struct Operands {
  Value query, key, value; ///< [B, Hq, S, D], [B, Hkv, T, D], [B, Hkv, T, Dv]
};

/// Operands of rank 4 whose sizes go together.
bool checkOperands(OpBinder &b, const Operands &all) {
  for (auto [x, name] : {std::pair(all.query, "query"), std::pair(all.key, "key"),
                         std::pair(all.value, "value")})
    if (!b.failed() && HxBuilder::rank(x) != 4)
      b.contradiction(Twine("the ") + name + " has rank " + Twine(HxBuilder::rank(x)) +
                      ", expected 4: [batch, heads, positions, features]");
  if (b.failed())
    return false;
  Dims q = b.dims(all.query), k = b.dims(all.key), v = b.dims(all.value);
  auto queryHeads = hx::SymbolTable::constantValue(q[1]);
  auto keyHeads = hx::SymbolTable::constantValue(k[1]);
  if (queryHeads && keyHeads && (*keyHeads == 0 || *queryHeads % *keyHeads != 0))
    b.contradiction(Twine(*queryHeads) + " query heads cannot share " + Twine(*keyHeads) +
                    " key heads");
  checkEqual(b, k[1], "the number of key heads", v[1], "that of value heads");
  checkEqual(b, k[2], "the number of keys", v[2], "that of values");
  return !b.failed();
}

/// (query * sqrt(scale)) times the transpose of (key * sqrt(scale)): [B, Hq, S, T],
/// rounded to the operands' type at every step as ONNX's function does.
Value scoresOf(OpBinder &b, Value query, Value key) {
  std::optional<int64_t> features = hx::SymbolTable::constantValue(b.dims(query)[3]);
  Value root;
  if (b.hasAttribute("scale") || features) {
    double size = static_cast<double>(features.value_or(1));
    double scale = b.floatAttr("scale", features ? 1 / std::sqrt(size) : 1);
    if (scale < 0) {
      b.error("scale=" + std::to_string(scale) + " is negative");
      return {};
    }
    root = b.scalarLike(query, std::sqrt(scale));
  } else {
    Type f32 = b.builder.getF32Type();
    Value size =
        b.cast(b.shape.buildScalar(b.dims(query)[3], b.builder.getI64Type()), f32);
    Value inverse = b.unary(UnaryFn::rsqrt, size);
    root = b.cast(b.unary(UnaryFn::sqrt, inverse), HxBuilder::elementType(query));
  }
  Value scaledQuery = b.mul(query, root), scaledKey = b.mul(key, root);
  return withGroupedRows(b, scaledQuery, scaledKey, [&](Value rows, Value keys) {
    return b.matmul(rows, keys, /*transposeLhs=*/false, /*transposeRhs=*/true);
  });
}

/// Weights [B, Hq, S, T] times values, in the query's type.
Value weighted(OpBinder &b, Value weights, const Operands &all) {
  if (b.failed())
    return {};
  weights = b.cast(weights, HxBuilder::elementType(all.value));
  Value result = withGroupedRows(b, weights, all.value, [&](Value rows, Value values) {
    return b.matmul(rows, values);
  });
  return b.failed() ? Value() : b.cast(result, HxBuilder::elementType(all.query));
}

Value softmaxAs(OpBinder &b, Value scores, Type type) {
  scores = b.cast(scores, type);
  return b.failed() ? Value() : b.make<hx::SoftmaxOp>(type, scores, /*axis=*/3);
}

/// The type that `softmax_precision` names, else `fallback`.
Type softmaxType(OpBinder &b, Type fallback) {
  if (!b.hasAttribute("softmax_precision"))
    return fallback;
  Type type = b.toType(b.intAttr("softmax_precision", 0));
  if (!b.failed() && !type.isF32() && !type.isF16() && !type.isF64() && !type.isBF16())
    b.error("softmax_precision names a type that is no float of at least 16 bits");
  return type;
}

/// Which keys a query may see, and what is added to their scores.
class Masks {
public:
  Masks(OpBinder &b, const Operands &all, Dim pastLength)
      : b(b), type(HxBuilder::elementType(all.query)), queryDims(b.dims(all.query)),
        numKeys(b.dims(all.key)[2]), pastLength(pastLength) {}

  /// A boolean mask, or one that is added. Its last axis may be shorter than there are
  /// keys; before version 24, where nobody said so, one entry still is for all.
  void addMask(Value mask) {
    int64_t rank = HxBuilder::rank(mask);
    if (rank < 1 || rank > 4)
      return b.contradiction("attn_mask has rank " + Twine(rank) + ", expected 1 to 4");
    bool isBoolean = HxBuilder::elementType(mask).isInteger(1);
    Dims sizes = b.dims(mask);
    Dim one = b.shape.constant(1), zero = b.shape.constant(0);
    bool isForAll = b.opset() < 24 && sizes.back() == one;
    if (sizes.back() != numKeys && !isForAll) {
      hx::SymbolTable &symbols = b.symbols();
      Dims low(rank, zero), high = low;
      high.back() = symbols.max(symbols.sub(numKeys, sizes.back()), zero);
      if (b.opset() < 24)
        high.back() = symbols.select(symbols.eq(sizes.back(), one), zero, high.back());
      Value fill = b.scalarLike(mask, isBoolean ? 0 : -INFINITY);
      mask = b.pad(hx::PadMode::constant, mask, b.shape.build(low), b.shape.build(high),
                   fill);
    }
    if (isBoolean)
      restrict(mask);
    else
      added = b.cast(mask, type);
    mayHideAll = true;
  }

  /// Sample b has lengths[b] keys; the rest is padding.
  void setLengths(Value given) {
    if (HxBuilder::rank(given) != 1)
      return b.contradiction("nonpad_kv_seqlen has rank " +
                             Twine(HxBuilder::rank(given)) + ", expected 1: [batch]");
    given = b.cast(given, b.builder.getI64Type());
    given = checkedLengths(b, given, numKeys, "nonpad_kv_seqlen");
    lengths = b.shape.unsqueeze(given, {1, 2, 3});
    restrict(less(keyPositions(), lengths));
    mayHideAll = true;
  }

  void addCausal() {
    restrict(lessOrEqual(keyPositions(), queryPositions()));
    // Position 0 sees itself when there is nothing before it but a past.
    mayHideAll |= lengths != nullptr;
  }

  /// Keys from `left` before to `right` behind the query; -1 is no limit.
  void addWindow(int64_t left, int64_t right) {
    if (left < -1 || right < -1)
      return b.error("window sizes must be -1 or not negative, got " + Twine(left) +
                     " and " + Twine(right));
    if (left < 0 && right < 0)
      return;
    Value distance = b.sub(queryPositions(), keyPositions());
    if (left >= 0)
      restrict(lessOrEqual(distance, b.scalar(b.builder.getI64Type(), left)));
    if (right >= 0)
      restrict(lessOrEqual(b.scalar(b.builder.getI64Type(), -right), distance));
    mayHideAll = true;
  }

  /// What all of it adds to the scores; null for nothing.
  Value bias() {
    if (!allowed || b.failed())
      return added;
    Value hidden = b.scalar(type, -INFINITY);
    return b.select(allowed, added ? added : b.scalar(type, 0), hidden);
  }

  /// Rows without any key are 0 instead of NaN.
  Value withoutHiddenRows(Value weights, Value bias) {
    if (!bias || !mayHideAll || b.failed())
      return weights;
    Value largest = b.reduce(ReduceFn::max, bias, {HxBuilder::rank(bias) - 1},
                             /*keepDims=*/true);
    return b.select(b.unary(UnaryFn::is_neg_inf, largest), b.scalarLike(weights, 0),
                    weights);
  }

private:
  Value lessOrEqual(Value lhs, Value rhs) {
    return b.compare(ComparePredicate::le, lhs, rhs);
  }
  Value less(Value lhs, Value rhs) { return b.compare(ComparePredicate::lt, lhs, rhs); }
  void restrict(Value condition) {
    allowed = allowed ? b.binary(BinaryFn::bit_and, allowed, condition) : condition;
  }

  Value keyPositions() {
    return b.shape.iota({b.shape.constant(1), numKeys}, 1, b.builder.getI64Type());
  }
  /// Positions of the queries among the keys: behind the past, or the last ones of
  /// each sample.
  Value queryPositions() {
    Type i64 = b.builder.getI64Type();
    Value positions = b.shape.iota({queryDims[2], b.shape.constant(1)}, 0, i64);
    if (pastLength)
      return b.add(positions, b.shape.buildScalar(pastLength, i64));
    if (!lengths)
      return positions;
    return b.add(positions, b.sub(lengths, b.shape.buildScalar(queryDims[2], i64)));
  }

  OpBinder &b;
  Type type;
  Dims queryDims;
  Dim numKeys, pastLength;
  Value allowed, added, lengths;
  bool mayHideAll = false; ///< whether a query can be left without keys
};

/// Q, K, V, attn_mask?, past_key?, past_value?, nonpad_kv_seqlen? -> Y, present_key,
/// present_value, qk_matmul_output
void importAttention(OpBinder &b) {
  Operands all{b.input(0), b.input(1), b.input(2)};
  bool isPacked = HxBuilder::rank(all.query) == 3;
  if (isPacked) {
    int64_t queryHeads = b.intAttr("q_num_heads", 0),
            heads = b.intAttr("kv_num_heads", 0);
    if (HxBuilder::rank(all.key) != 3 || HxBuilder::rank(all.value) != 3)
      return b.contradiction("the query has rank 3, key and value have ranks " +
                             Twine(HxBuilder::rank(all.key)) + " and " +
                             Twine(HxBuilder::rank(all.value)));
    if (!checkHeads(b, all.query, queryHeads, "query") ||
        !checkHeads(b, all.key, heads, "key") ||
        !checkHeads(b, all.value, heads, "value"))
      return;
    all = {splitHeads(b, all.query, queryHeads), splitHeads(b, all.key, heads),
           splitHeads(b, all.value, heads)};
  }
  if (!checkOperands(b, all))
    return;
  if (b.has(4) != b.has(5))
    return b.error("past_key and past_value must be given together");
  if (b.has(4) && b.has(6))
    return b.error("nonpad_kv_seqlen does not go with past_key and past_value: the cache "
                   "is either kept by the node or outside of it");
  Dim pastLength;
  if (b.has(4)) {
    if (HxBuilder::rank(b.input(4)) != 4 || HxBuilder::rank(b.input(5)) != 4)
      return b.contradiction("past_key and past_value must have rank 4");
    pastLength = b.dims(b.input(4))[2];
    all.key = b.concat({b.input(4), all.key}, 2);
    all.value = b.concat({b.input(5), all.value}, 2);
    if (b.failed())
      return;
  }

  Masks masks(b, all, pastLength);
  if (b.has(3))
    masks.addMask(b.input(3));
  if (!b.failed() && b.has(6))
    masks.setLengths(b.input(6));
  if (!b.failed() && b.intAttr("is_causal", 0) != 0)
    masks.addCausal();
  if (!b.failed())
    masks.addWindow(b.intAttr("left_window_size", -1),
                    b.intAttr("right_window_size", -1));
  Value bias = masks.bias();
  if (b.failed())
    return;

  Value raw = scoresOf(b, all.query, all.key);
  Value capped = raw;
  if (double cap = b.floatAttr("softcap", 0); cap > 0 && !b.failed()) {
    Value limit = b.scalarLike(raw, cap);
    capped = b.mul(b.unary(UnaryFn::tanh, b.div(raw, limit)), limit);
  }
  Value scores = bias ? b.add(capped, bias) : capped;
  if (b.failed())
    return;
  Type type = HxBuilder::elementType(all.query);
  Value weights = softmaxAs(b, scores, softmaxType(b, type));
  weights = b.cast(masks.withoutHiddenRows(weights, bias), type);
  Value output = weighted(b, weights, all);
  b.result(0, isPacked ? mergeHeads(b, output) : output);
  b.result(1, all.key);
  b.result(2, all.value);
  if (b.wants(3)) {
    const Value stages[] = {raw, capped, scores, weights};
    int64_t mode = b.intAttr("qk_matmul_output_mode", 0);
    if (mode < 0 || mode > 3)
      return b.error("qk_matmul_output_mode=" + Twine(mode) + ", expected 0 to 3");
    b.result(3, stages[mode]);
  }
}

/// What graph attribute `name` makes of `x`, of the same type; `x` without one.
Value modified(OpBinder &b, StringRef name, Value x) {
  if (b.failed() || !b.hasAttribute(name))
    return x;
  const Graph *graph = b.graphAttr(name);
  if (b.failed())
    return {};
  auto outputs =
      b.importer().importSubgraph(*graph, b.scope(), b.builder.getInsertionBlock(), {x});
  if (mlir::failed(outputs)) {
    b.markFailed();
    return {};
  }
  if (outputs->size() != 1 || outputs->front().getType() != x.getType()) {
    b.error("graph '" + name + "' must give one tensor like the one it takes");
    return {};
  }
  return outputs->front();
}

/// Q, K, V -> Y, with graphs that change scores and weights.
void importFlexAttention(OpBinder &b) {
  Operands all{b.input(0), b.input(1), b.input(2)};
  if (!checkOperands(b, all))
    return;
  Type type = HxBuilder::elementType(all.query);
  Type precision = softmaxType(b, type.isF64() ? type : Type(b.builder.getF32Type()));
  Value scores = b.cast(scoresOf(b, all.query, all.key), precision);
  Value weights = softmaxAs(b, modified(b, "score_mod", scores), precision);
  weights = b.cast(modified(b, "prob_mod", weights), type);
  b.result(0, weighted(b, weights, all));
}

} // namespace

void registerAttentionOps(OpTable &table) {
  table.add("", {
                    {"Attention", 23, 3, 6, importAttention},
                    {"Attention", 24, 3, 7, importAttention},
                });
  table.add("ai.onnx.preview", {
                                   {"FlexAttention", 1, 3, 3, importFlexAttention},
                               });
}

} // namespace hexin::onnx
