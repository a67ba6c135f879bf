// Embeddings and biases by position (domain com.microsoft).
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Heads.h"
#include "frontends/onnx/ops/Norms.h"

#include <cmath>

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

//===----------------------------------------------------------------------===//
// EmbedLayerNormalization
//===----------------------------------------------------------------------===//

struct Embedding {
  Value words, positions, segments; ///< rows of each table; segments may be null
  Value gamma, beta;
};

/// ids [B, S], or an error.
bool checkIds(OpBinder &b) {
  if (!b.failed() && HxBuilder::rank(b.input(0)) != 2)
    b.contradiction("input_ids has rank " + Twine(HxBuilder::rank(b.input(0))) +
                    ", expected 2: [batch, positions]");
  return !b.failed();
}

/// 0, 1, ... as [1, S].
Value countedPositions(OpBinder &b) {
  return b.shape.iota({b.shape.constant(1), b.dims(b.input(0))[1]}, 1,
                      b.builder.getI64Type());
}

/// Results: the normalised sum, how many words each sample has, the sum.
void resultNormalized(OpBinder &b, const Embedding &rows, Value mask) {
  Value sum = b.add(rows.words, rows.positions);
  if (rows.segments)
    sum = b.add(sum, rows.segments);
  if (b.failed())
    return;
  if (HxBuilder::rank(sum) != 3)
    return b.contradiction("the embeddings have rank " + Twine(HxBuilder::rank(sum)) +
                           ", expected 3: tables must be [number, size]");
  b.result(0,
           layerNorm(b, sum, rows.gamma, rows.beta, 2, b.floatAttr("epsilon", 1e-12f)));
  if (b.wants(1))
    b.result(1, mask ? b.reduce(ReduceFn::sum, mask, {1}, /*keepDims=*/false)
                     : b.shape.broadcastTo(b.scalar(b.builder.getI32Type(), 0),
                                           {b.dims(b.input(0))[0]}));
  b.result(2, sum);
}

/// input_ids, segment_ids?, word_embedding, position_embedding, segment_embedding?,
/// gamma, beta, mask?, position_ids?
void importEmbedLayerNormalization(OpBinder &b) {
  for (unsigned i : {2, 3, 5, 6})
    if (!b.has(i))
      return b.error("input #" + Twine(i) + " is missing");
  if (b.has(1) != b.has(4))
    return b.error("segment_ids and segment_embedding must be given together");
  if (!checkIds(b))
    return;
  Embedding rows;
  rows.words = b.gather(b.input(2), b.input(0), 0);
  rows.positions = b.gather(b.input(3), b.has(8) ? b.input(8) : countedPositions(b), 0);
  if (b.has(1))
    rows.segments = b.gather(b.input(4), b.input(1), 0);
  rows.gamma = b.input(5);
  rows.beta = b.input(6);
  resultNormalized(b, rows, b.input(7));
}

/// As above, without position_ids; then a scale of each of the five tables, then a zero
/// point of each.
void importQEmbedLayerNormalization(OpBinder &b) {
  bool hasSegments = b.has(1);
  for (unsigned i : {2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}) {
    bool isOfSegments = i == 4 || i == 10 || i == 15;
    if (isOfSegments && !hasSegments && b.has(i))
      return b.error("input #" + Twine(i) + " is given without segment_ids");
    if ((!isOfSegments || hasSegments) && !b.has(i))
      return b.error("input #" + Twine(i) + " is missing");
  }
  if (!checkIds(b))
    return;
  // Tables stay in 8 bits: only the rows that are read are scaled.
  auto scaled = [&](Value quantized, unsigned position) {
    Value scale = b.shape.toScalar(b.input(8 + position));
    Value zero = b.shape.toScalar(b.input(13 + position));
    return b.failed() ? Value()
                      : b.make<hx::DequantizeOp>(HxBuilder::elementType(scale), quantized,
                                                 scale, zero, /*axis=*/0, /*block=*/0);
  };
  Embedding rows;
  rows.words = scaled(b.gather(b.input(2), b.input(0), 0), 0);
  rows.positions = scaled(b.gather(b.input(3), countedPositions(b), 0), 1);
  if (hasSegments)
    rows.segments = scaled(b.gather(b.input(4), b.input(1), 0), 2);
  rows.gamma = scaled(b.input(5), 3);
  rows.beta = scaled(b.input(6), 4);
  resultNormalized(b, rows, b.input(7));
}

//===----------------------------------------------------------------------===//
// Biases of attention
//===----------------------------------------------------------------------===//

/// Which of `numBuckets` a distance falls into, for 0 up to `maxDistance`, where the
/// last one begins: T5's, in f32. Half of them hold one distance each.
SmallVector<int32_t> bucketsByDistance(int64_t numBuckets, int64_t maxDistance) {
  int64_t numExact = numBuckets / 2;
  SmallVector<int32_t> buckets;
  for (int64_t distance = 0; distance <= maxDistance; ++distance) {
    int64_t bucket = distance;
    if (distance >= numExact) {
      float exact = static_cast<float>(numExact);
      float part = std::log(static_cast<float>(distance) / exact) /
                   std::log(static_cast<float>(maxDistance) / exact);
      bucket = numExact +
               static_cast<int64_t>(part * static_cast<float>(numBuckets - numExact));
    }
    buckets.push_back(static_cast<int32_t>(std::min(bucket, numBuckets - 1)));
  }
  return buckets;
}

/// bias_table of numBuckets * numHeads elements, those of a head side by side;
/// query_length, key_length -> [1, N, queries, keys]
void importRelativePositionBias(OpBinder &b) {
  Value table = b.input(0);
  bool isBidirectional = b.intAttr("is_bidirectional", 0) != 0;
  int64_t maxDistance = b.intAttr("max_distance", 0);
  if (HxBuilder::rank(table) != 2)
    return b.contradiction("bias_table has rank " + Twine(HxBuilder::rank(table)) +
                           ", expected 2");
  Dims lengths = b.readInts(1), keyLengths = b.readInts(2);
  if (b.failed())
    return;
  if (lengths.size() != 1 || keyLengths.size() != 1)
    return b.contradiction("query_length and key_length must be one number each");
  Dims sizes = b.dims(table);
  auto numBuckets = hx::SymbolTable::constantValue(sizes[0]);
  if (!numBuckets)
    return b.unsupported(
        "the number of buckets must be known when compiling: declare the "
        "sizes of bias_table, or give them with --shape");
  int64_t perSide = isBidirectional ? *numBuckets / 2 : *numBuckets;
  // A table that a constant may hold; models have 32 buckets up to 128.
  if (perSide < 2 || maxDistance <= perSide / 2 || maxDistance >= 16384)
    return b.error("max_distance is " + Twine(maxDistance) + " for " +
                   Twine(*numBuckets) +
                   " buckets: expected more than half of those of a side, below 16384");

  Type i64 = b.builder.getI64Type();
  Dim one = b.shape.constant(1);
  // Where the key stands, seen from the query.
  Value offset = b.sub(b.shape.iota({one, keyLengths[0]}, 1, i64),
                       b.shape.iota({lengths[0], one}, 0, i64));
  Value zero = b.scalar(i64, 0);
  Value distance = isBidirectional
                       ? b.unary(UnaryFn::abs, offset)
                       : b.unary(UnaryFn::neg, b.binary(BinaryFn::min, offset, zero));
  distance = b.binary(BinaryFn::min, distance, b.scalar(i64, double(maxDistance)));
  SmallVector<int32_t> buckets = bucketsByDistance(perSide, maxDistance);
  auto type = RankedTensorType::get({static_cast<int64_t>(buckets.size())},
                                    b.builder.getI32Type());
  Value bucket = b.gather(
      b.constant(DenseElementsAttr::get(type, ArrayRef<int32_t>(buckets))), distance, 0);
  if (isBidirectional) {
    Type i32 = b.builder.getI32Type();
    Value isAhead = b.compare(ComparePredicate::lt, zero, offset);
    bucket = b.add(bucket,
                   b.select(isAhead, b.scalar(i32, double(perSide)), b.scalar(i32, 0)));
  }
  Value perHead = b.shape.reshape(table, {sizes[1], sizes[0]});
  b.result(0, b.shape.unsqueeze(b.gather(perHead, bucket, 1), {0}));
}

/// query_layer [B, S, N * H], query_bias, rel_pos [1, N, S, S], weight [H, D], bias [D],
/// eco_a [1, N, 1, 1]
void importGatedRelativePositionBias(OpBinder &b) {
  if (b.has(6))
    return b.unsupported("token_offset: ragged batches; export the padded model");
  if (HxBuilder::rank(b.input(0)) != 3)
    return b.contradiction("query_layer has rank " + Twine(HxBuilder::rank(b.input(0))) +
                           ", expected 3");
  int64_t numHeads = b.intAttr("num_heads", 0);
  Value query = b.add(b.input(0), b.input(1));
  if (!checkHeads(b, query, numHeads, "query_layer"))
    return;
  Value gates = b.add(b.matmul(splitHeads(b, query, numHeads), b.input(3)), b.input(4));
  if (b.failed())
    return;
  Dims dims = b.dims(gates); // [B, N, S, D]
  Dim two = b.shape.constant(2), one = b.shape.constant(1);
  gates = b.shape.reshape(
      gates, {dims[0], dims[1], dims[2], two, b.symbols().quotient({dims[3]}, {two})});
  gates = b.unary(UnaryFn::sigmoid, b.reduce(ReduceFn::sum, gates, {4}, false));
  if (b.failed())
    return;
  Value update = b.shape.sliceAxis(gates, 3, b.shape.constant(0), one);
  Value reset = b.shape.sliceAxis(gates, 3, one, one);
  if (b.failed())
    return;
  Value factor = b.mul(update, b.sub(b.mul(reset, b.input(5)), b.scalarLike(update, 1)));
  if (b.failed())
    return;
  b.result(0, b.mul(b.add(factor, b.scalarLike(factor, 2)), b.input(2)));
}

} // namespace

void registerMicrosoftPositionOps(OpTable &table) {
  table.add("com.microsoft",
            {
                {"EmbedLayerNormalization", 1, 1, 9, importEmbedLayerNormalization},
                {"QEmbedLayerNormalization", 1, 1, 18, importQEmbedLayerNormalization},
                {"RelativePositionBias", 1, 3, 3, importRelativePositionBias},
                {"GatedRelativePositionBias", 1, 6, 7, importGatedRelativePositionBias},
            });
}

} // namespace hexin::onnx
