// Attention as a recurrence: a state per head instead of scores.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Heads.h"
#include "frontends/onnx/ops/Loops.h"

#include <cmath>

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// x [B, T, heads * rows * columns] as f32 [B, heads, T, rows, columns].
Value perStep(OpBinder &b, Value x, Dim heads, Dim rows, Dim columns) {
  if (b.failed())
    return {};
  Dims dims = b.dims(x);
  x = b.shape.reshape(b.cast(x, b.builder.getF32Type()),
                      {dims[0], dims[1], heads, rows, columns});
  return b.transpose(x, {0, 2, 1, 3, 4});
}

/// [B, T, heads * H] with every head `times` in a row.
Value repeatedHeads(OpBinder &b, Value x, int64_t heads, int64_t times) {
  if (b.failed())
    return {};
  Dims dims = b.dims(x);
  Dim count = b.shape.constant(heads), one = b.shape.constant(1);
  Dim size = b.symbols().quotient({dims[2]}, {count});
  Value apart = b.shape.reshape(x, {dims[0], dims[1], count, one, size});
  apart = b.shape.broadcastTo(apart,
                              {dims[0], dims[1], count, b.shape.constant(times), size});
  return b.failed() ? Value()
                    : b.shape.reshape(
                          apart, {dims[0], dims[1],
                                  b.symbols().mul(dims[2], b.shape.constant(times))});
}

/// a [B, T, H], dt_bias, decay_scale [H], b? -> decay, beta; in f32 up to the end.
void importLinearAttentionGate(OpBinder &b) {
  Type type = HxBuilder::elementType(b.input(0)), f32 = b.builder.getF32Type();
  Value shifted = b.add(b.cast(b.input(0), f32), b.cast(b.input(1), f32));
  Value decay =
      b.mul(b.activation(hx::ActivationKind::softplus, shifted), b.cast(b.input(2), f32));
  b.result(0, b.cast(decay, type));
  if (!b.wants(1))
    return;
  if (!b.has(3))
    return b.error("the result beta needs input b");
  b.result(1, b.cast(b.unary(hx::UnaryFn::sigmoid, b.cast(b.input(3), f32)), type));
}

/// query, key, value, past_state?, decay?, beta? -> output, present_state. In f32.
/// chunk_size (com.microsoft) only says how; state_window is refused.
void importLinearAttention(OpBinder &b) {
  StringRef rule = b.stringAttr("update_rule", "gated_delta");
  bool isGated = rule == "gated" || rule == "gated_delta";
  bool isDelta = rule == "delta" || rule == "gated_delta";
  if (!isGated && !isDelta && rule != "linear")
    return b.error("update_rule '" + rule +
                   "': expected linear, gated, delta or gated_delta");
  if (b.has(4) != isGated || b.has(5) != isDelta)
    return b.error("update_rule '" + rule + "' goes " + (isGated ? "with" : "without") +
                   " decay and " + (isDelta ? "with" : "without") + " beta");
  for (unsigned i : {0, 1, 2, 4, 5})
    if (b.has(i) && HxBuilder::rank(b.input(i)) != 3)
      return b.contradiction("input #" + Twine(i) + " has rank " +
                             Twine(HxBuilder::rank(b.input(i))) +
                             ", expected 3: [batch, positions, features]");
  int64_t queryHeads = b.intAttr("q_num_heads", 0), heads = b.intAttr("kv_num_heads", 0);
  if (!checkHeads(b, b.input(0), queryHeads, "query") ||
      !checkHeads(b, b.input(1), heads, "key") ||
      !checkHeads(b, b.input(2), heads, "value"))
    return;
  if (b.intAttr("state_window", 0) != 0)
    return b.unsupported("state_window: expected 0, the state behind the last position");
  Value queries = b.input(0);
  if (queryHeads < heads && heads % queryHeads == 0) { // heads of keys share queries
    queries = repeatedHeads(b, queries, queryHeads, heads / queryHeads);
    queryHeads = heads;
  }
  if (queryHeads % heads != 0)
    return b.error(Twine(queryHeads) + " query heads cannot share " + Twine(heads) +
                   " key heads");
  Dims keyDims = b.dims(b.input(1));
  Dim one = b.shape.constant(1), numHeads = b.shape.constant(heads);
  Dim features = b.symbols().quotient({keyDims[2]}, {numHeads});
  Dim valueFeatures = b.symbols().quotient({b.dims(b.input(2))[2]}, {numHeads});
  Dim group = b.shape.constant(queryHeads / heads);

  Value query = perStep(b, queries, numHeads, group, features);
  Value keyRow = perStep(b, b.input(1), numHeads, one, features);
  Value keyColumn = perStep(b, b.input(1), numHeads, features, one);
  Value value = perStep(b, b.input(2), numHeads, one, valueFeatures);
  Value decay, beta;
  if (isGated) {
    Dim perHead = b.symbols().quotient({b.dims(b.input(4))[2]}, {numHeads});
    if (b.symbols().isKnownDifferent(perHead, one)) // else it may be one number
      perHead = features;
    decay = b.unary(hx::UnaryFn::exp, perStep(b, b.input(4), numHeads, perHead, one));
  }
  if (isDelta)
    beta = perStep(b, b.input(5), b.dims(b.input(5))[2], one, one);
  Type f32 = b.builder.getF32Type(), i64 = b.builder.getI64Type();
  double scale = b.floatAttr("scale", 0);
  auto known = hx::SymbolTable::constantValue(features);
  if (scale == 0 && known)
    scale = 1 / std::sqrt(static_cast<double>(*known));
  query = b.mul(query, scale != 0 ? b.scalar(f32, scale)
                                  : b.unary(hx::UnaryFn::rsqrt,
                                            b.shape.buildScalar(features, f32)));

  LoopParts parts;
  parts.ignoresCondition = true;
  parts.tripCount = b.shape.buildScalar(keyDims[1], i64);
  Value start =
      b.has(3) ? b.cast(b.input(3), f32)
               : b.shape.broadcastTo(b.scalar(f32, 0),
                                     {keyDims[0], numHeads, features, valueFeatures});
  parts.carried = {start};
  parts.numStacked = 1;
  if (b.failed())
    return;
  auto body = [&](Block &, Value step,
                  ArrayRef<Value> carried) -> FailureOr<SmallVector<Value>> {
    auto now = [&](Value x) { return b.gather(x, step, 2); };
    Value state = carried.front(), update = now(value);
    if (isGated)
      state = b.mul(state, now(decay));
    if (isDelta)
      update = b.mul(now(beta), b.sub(update, b.matmul(now(keyRow), state)));
    state = b.add(state, b.mul(now(keyColumn), update));
    Value output = b.matmul(now(query), state);
    Value goesOn = b.scalar(b.builder.getI1Type(), 1);
    if (b.failed())
      return failure();
    return SmallVector<Value>{goesOn, state, output};
  };
  SmallVector<Value> results = buildLoop(b, std::move(parts), body);
  if (b.failed())
    return;
  Type type = HxBuilder::elementType(b.input(0));
  Value steps = b.transpose(results[1], {1, 0, 2, 3, 4}); // [B, T, heads, group, Dv]
  if (b.failed())
    return;
  Dim width = b.symbols().product({numHeads, group, valueFeatures});
  b.result(0, b.cast(b.shape.reshape(steps, {keyDims[0], keyDims[1], width}), type));
  b.result(1, b.cast(results[0], b.has(3) ? HxBuilder::elementType(b.input(3)) : type));
}

} // namespace

void registerLinearAttentionOps(OpTable &table) {
  table.add("", {
                    {"LinearAttention", 27, 3, 6, importLinearAttention},
                });
  table.add("com.microsoft",
            {
                {"LinearAttention", 1, 3, 6, importLinearAttention},
                {"LinearAttentionGate", 1, 3, 4, importLinearAttentionGate},
            });
}

} // namespace hexin::onnx
