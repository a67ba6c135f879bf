// Attention with its projections, masks and caches as ONNX Runtime has them.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Heads.h"
#include "frontends/onnx/ops/Products.h"
#include "frontends/onnx/ops/microsoft/Scores.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

struct Heads {
  Value query, key, value; ///< [B, N, S, H], [B, N, L, H], [B, N, L, Hv]
};

bool checkRank(OpBinder &b, Value x, int64_t rank, StringRef what) {
  if (!b.failed() && HxBuilder::rank(x) != rank)
    b.contradiction("the " + what + " has rank " + Twine(HxBuilder::rank(x)) +
                    ", expected " + Twine(rank));
  return !b.failed();
}

int64_t readNumHeads(OpBinder &b) {
  int64_t numHeads = b.intAttr("num_heads", 0);
  if (!b.failed() && (numHeads < 1 || numHeads > INT16_MAX))
    b.error("num_heads is " + Twine(numHeads) + ", expected 1 to " + Twine(INT16_MAX));
  return numHeads;
}

/// One position of a past of key and value: [2, B, N, P, H] -> [B, N, P, H].
Value halfOf(OpBinder &b, Value pair, int64_t index) {
  if (!pair || b.failed())
    return {};
  return b.shape.squeeze(
      b.shape.sliceAxis(pair, 0, b.shape.constant(index), b.shape.constant(1)), {0});
}

/// The first `numKeys` positions of a cache.
Value filled(OpBinder &b, Value cache, Dim numKeys) {
  if (b.failed() || b.dims(cache)[2] == numKeys)
    return cache;
  return b.shape.sliceAxis(cache, 2, b.shape.constant(0), numKeys);
}

//===----------------------------------------------------------------------===//
// Attention, QAttention, DecoderMaskedSelfAttention
//===----------------------------------------------------------------------===//

/// Query, key and value out of `projected` [B, S, D + D + Dv].
Heads splitProjection(OpBinder &b, Value projected, ArrayRef<int64_t> sizes,
                      int64_t numHeads) {
  if (!checkRank(b, projected, 3, "projection"))
    return {};
  Dim whole = b.dims(projected)[2];
  SmallVector<Dim, 3> widths;
  if (sizes.empty()) {
    Dim divisor = b.shape.constant(3 * numHeads);
    Dim isMadeOfHeads =
        b.symbols().eq(b.symbols().mod(whole, divisor), b.shape.constant(0));
    check(b, isMadeOfHeads,
          "a projection of {0} features is not made of 3 x " + Twine(numHeads) + " heads",
          {whole});
    widths.assign(3, b.symbols().quotient({whole}, {b.shape.constant(3)}));
  } else {
    int64_t sum = 0;
    for (int64_t size : sizes) {
      if (size < 0 || size % numHeads != 0 || size > INT32_MAX) {
        b.error("qkv_hidden_sizes has " + Twine(size) + ", which is not made of " +
                Twine(numHeads) + " heads");
        return {};
      }
      widths.push_back(b.shape.constant(size));
      sum += size;
    }
    if (sizes.size() != 3 || sizes[0] != sizes[1]) {
      b.error("qkv_hidden_sizes must be three sizes, the first two equal");
      return {};
    }
    checkEqual(b, b.shape.constant(sum), "the sum of qkv_hidden_sizes", whole,
               "the number of columns of the weights");
  }
  SmallVector<Value, 3> heads;
  Dim start = b.shape.constant(0);
  for (Dim width : widths) {
    heads.push_back(
        splitHeads(b, b.shape.sliceAxis(projected, 2, start, width), numHeads));
    if (b.failed())
      return {};
    start = b.symbols().add(start, width);
  }
  return {heads[0], heads[1], heads[2]};
}

/// What follows the projection. `pastLength` is an input that says how much of the
/// buffer `past` is filled, or null: then all of it is.
void attendProjected(OpBinder &b, Value projected, Value mask, Value past,
                     Value attentionBias, Value pastLength) {
  if (b.intAttr("do_rotary", 0) != 0)
    return b.unsupported("do_rotary: positions turned inside of the node; export the "
                         "model with RotaryEmbedding nodes");
  int64_t numHeads = readNumHeads(b);
  if (b.failed())
    return;
  Heads heads = splitProjection(b, projected, b.intsAttr("qkv_hidden_sizes"), numHeads);
  if (b.failed() || (past && !checkRank(b, past, 5, "past")))
    return;
  Dims sizes = b.dims(heads.query);
  Dim pastSize = past ? b.dims(past)[3] : b.shape.constant(0);
  if (pastLength) {
    Dims element = b.readInts(6);
    if (b.failed())
      return;
    if (element.size() != 1)
      return b.contradiction("past_sequence_length must be one number");
    pastSize = element[0];
  }
  Dim numKeys = b.symbols().add(pastSize, sizes[2]);
  Value position = pastLength ? b.shape.toScalar(pastLength) : Value();
  Value key = withPast(b, halfOf(b, past, 0), heads.key, position);
  Value value = withPast(b, halfOf(b, past, 1), heads.value, position);
  if (b.failed())
    return;

  ScoreBias bias(b, sizes[2], numKeys);
  if (mask)
    addKeyMask(b, bias, mask, sizes[0], sizes[2], numKeys, pastSize);
  if (attentionBias)
    bias.add(attentionBias);
  if (b.intAttr("unidirectional", 0) != 0)
    bias.hideFuture(b.shape.buildScalar(pastSize, b.builder.getI64Type()));
  Scoring scoring{heads.query, filled(b, key, numKeys), filled(b, value, numKeys),
                  b.floatAttr("scale", 0)};
  b.result(0, attend(b, scoring, bias).output);
  if (b.wants(1))
    b.result(1,
             b.concat({b.shape.unsqueeze(key, {0}), b.shape.unsqueeze(value, {0})}, 0));
}

/// past_sequence_length goes with past_present_share_buffer, as an error.
bool checkSharedBuffer(OpBinder &b, bool hasPast, bool hasLength) {
  bool isShared = b.intAttr("past_present_share_buffer", 0) != 0;
  if (!b.failed() && isShared && (!hasPast || !hasLength))
    b.error("past_present_share_buffer needs the past and past_sequence_length");
  return !b.failed();
}

/// input [B, S, I], weights [I, D + D + Dv], bias?, mask_index?, past?, attention_bias?,
/// past_sequence_length?
void importAttention(OpBinder &b) {
  if (!checkRank(b, b.input(0), 3, "input") || !checkSharedBuffer(b, b.has(4), b.has(6)))
    return;
  Value projected =
      affineProduct(b, {.lhs = b.input(0), .rhs = b.input(1), .addend = b.input(2)});
  if (b.failed())
    return;
  projected = b.cast(projected, HxBuilder::elementType(b.input(0)));
  bool isShared = b.intAttr("past_present_share_buffer", 0) != 0;
  attendProjected(b, projected, b.input(3), b.input(4), b.input(5),
                  isShared ? b.input(6) : Value());
}

/// input [B, 1, I], weights, bias, mask_index?, past, attention_bias?,
/// past_sequence_length, beam_width?, cache_indirection?
void importDecoderMaskedSelfAttention(OpBinder &b) {
  if (b.has(8))
    return b.unsupported("cache_indirection: compile the decoder without beam search");
  if (!checkRank(b, b.input(0), 3, "input"))
    return;
  checkRange(b, b.dims(b.input(0))[1], 1, 1, "the number of positions");
  if (!b.failed())
    importAttention(b);
}

/// input, weight, bias, input_scale, weight_scale, mask_index?, input_zero_point?,
/// weight_zero_point?, past?: the product is exact.
void importQAttention(OpBinder &b) {
  if (!checkRank(b, b.input(0), 3, "input"))
    return;
  if (b.intAttr("past_present_share_buffer", 0) != 0)
    return b.unsupported(
        "past_present_share_buffer: there is no input for how much of it "
        "is filled");
  Type type = HxBuilder::elementType(b.input(2)), f32 = b.builder.getF32Type();
  Value product = b.make<hx::MatMulIntegerOp>(
      b.builder.getI32Type(), b.input(0), b.input(1), b.shape.toScalarIfOne(b.input(6)),
      b.shape.toScalarIfOne(b.input(7)));
  Value scale = b.mul(b.cast(b.shape.toScalarIfOne(b.input(3)), f32),
                      b.cast(b.shape.toScalarIfOne(b.input(4)), f32));
  Value projected = b.add(b.mul(b.cast(product, f32), scale), b.cast(b.input(2), f32));
  attendProjected(b, b.cast(projected, type), b.input(5), b.input(8), Value(), Value());
}

//===----------------------------------------------------------------------===//
// MultiHeadAttention, DecoderMaskedMultiHeadAttention
//===----------------------------------------------------------------------===//

/// Part `index` of [B, S, N, parts, H], as [B, N, S, H].
Value partOf(OpBinder &b, Value packed, int64_t index) {
  if (b.failed())
    return {};
  Value part = b.shape.squeeze(
      b.shape.sliceAxis(packed, 3, b.shape.constant(index), b.shape.constant(1)), {3});
  return b.transpose(part, {0, 2, 1, 3});
}

/// A tensor of rank 5 that holds heads as [B, S, numHeads, parts, H], as an error.
bool checkPacked(OpBinder &b, Value packed, int64_t numHeads, int64_t parts) {
  Dims dims = b.dims(packed);
  checkRange(b, dims[2], numHeads, numHeads, "the number of packed heads");
  checkRange(b, dims[3], parts, parts, "the number of parts of a packed head");
  return !b.failed();
}

/// [B, N, S, H] plus the N * H elements of `bias` from `start` on.
Value plusBias(OpBinder &b, Value heads, Value bias, Dim start) {
  if (!bias || b.failed())
    return heads;
  Dims dims = b.dims(heads);
  Value part = b.shape.sliceAxis(bias, 0, start, b.symbols().mul(dims[1], dims[3]));
  return b.add(heads, b.shape.reshape(part, {dims[1], b.shape.constant(1), dims[3]}));
}

/// Query, key, value and bias in each of the forms there are; `hasPast`: key and value
/// are only the new ones.
Heads readHeads(OpBinder &b, int64_t numHeads, Value bias, bool hasPast) {
  Value query = b.input(0), key = b.input(1), value = b.input(2);
  int64_t queryRank = HxBuilder::rank(query), keyRank = HxBuilder::rank(key);
  Heads heads;
  if (!key && queryRank == 5) {
    if (!checkPacked(b, query, numHeads, 3))
      return {};
    heads = {partOf(b, query, 0), partOf(b, query, 1), partOf(b, query, 2)};
  } else if (!key) {
    heads = splitProjection(b, query, {}, numHeads);
  } else {
    if (!checkRank(b, query, 3, "query") || !checkHeads(b, query, numHeads, "query"))
      return {};
    heads.query = splitHeads(b, query, numHeads);
    if (keyRank == 5) {
      if (value) {
        b.error("a value is given beside packed keys and values");
        return {};
      }
      if (!checkPacked(b, key, numHeads, 2))
        return {};
      heads.key = partOf(b, key, 0);
      heads.value = partOf(b, key, 1);
    } else if (keyRank == 4) { // heads of an encoder, as they are
      if (!value || hasPast || bias) {
        b.error("a key of rank 4 goes with a value of rank 4, without a bias or a past");
        return {};
      }
      if (!checkRank(b, value, 4, "value"))
        return {};
      heads.key = key;
      heads.value = value;
    } else {
      if (!value) {
        b.error("a key of rank 3 is given without a value");
        return {};
      }
      if (!checkRank(b, key, 3, "key") || !checkRank(b, value, 3, "value") ||
          !checkHeads(b, key, numHeads, "key") ||
          !checkHeads(b, value, numHeads, "value"))
        return {};
      heads.key = splitHeads(b, key, numHeads);
      heads.value = splitHeads(b, value, numHeads);
    }
  }
  if (b.failed() || !bias)
    return heads;
  if (!checkRank(b, bias, 1, "bias"))
    return {};
  Dim width = b.symbols().mul(b.dims(heads.query)[1], b.dims(heads.query)[3]);
  heads.query = plusBias(b, heads.query, bias, b.shape.constant(0));
  heads.key = plusBias(b, heads.key, bias, width);
  heads.value = plusBias(b, heads.value, bias, b.symbols().add(width, width));
  return heads;
}

/// Where the two operators have their inputs.
struct Places {
  unsigned bias, mask, attentionBias, pastKey, pastValue, pastLength, indirection;
};

void importHeads(OpBinder &b, const Places &at, bool isBufferShared, bool wantsScores) {
  int64_t numHeads = readNumHeads(b);
  if (b.failed())
    return;
  if (b.has(at.indirection))
    return b.unsupported("cache_indirection: compile the decoder without beam search");
  if (b.has(at.pastKey) != b.has(at.pastValue))
    return b.error("past_key and past_value must be given together");
  bool hasPast = b.has(at.pastKey);
  // A key of rank 4 is all there is: nothing is written behind the past.
  Heads heads = readHeads(b, numHeads, b.input(at.bias), hasPast);
  if (b.failed())
    return;
  for (unsigned i : {at.pastKey, at.pastValue})
    if (hasPast && !checkRank(b, b.input(i), 4, "past"))
      return;
  Dims sizes = b.dims(heads.query);
  Dim pastSize = hasPast ? b.dims(b.input(at.pastKey))[2] : b.shape.constant(0);
  Value position;
  if (isBufferShared && hasPast) {
    Dims element = b.readInts(at.pastLength);
    if (b.failed())
      return;
    if (element.size() != 1)
      return b.contradiction("past_sequence_length must be one number");
    pastSize = element[0];
    position = b.shape.toScalar(b.input(at.pastLength));
  }
  Dim numKeys = b.symbols().add(pastSize, b.dims(heads.key)[2]);
  Value key = withPast(b, b.input(at.pastKey), heads.key, position);
  Value value = withPast(b, b.input(at.pastValue), heads.value, position);
  if (b.failed())
    return;

  ScoreBias bias(b, sizes[2], numKeys);
  if (b.has(at.mask))
    addKeyMask(b, bias, b.input(at.mask), sizes[0], sizes[2], numKeys, pastSize);
  if (b.has(at.attentionBias))
    bias.add(b.input(at.attentionBias));
  if (b.intAttr("unidirectional", 0) != 0)
    bias.hideFuture(b.shape.buildScalar(pastSize, b.builder.getI64Type()));
  Scoring scoring{heads.query, filled(b, key, numKeys), filled(b, value, numKeys),
                  b.floatAttr("scale", 0)};
  Attended attended = attend(b, scoring, bias);
  b.result(0, attended.output);
  b.result(1, key);
  b.result(2, value);
  if (wantsScores && !b.failed())
    b.result(3, b.cast(attended.scores, HxBuilder::elementType(heads.query)));
}

/// query, key?, value?, bias?, key_padding_mask?, attention_bias?, past_key?,
/// past_value?, past_sequence_length?, cache_indirection?
void importMultiHeadAttention(OpBinder &b) {
  importHeads(b, {3, 4, 5, 6, 7, 8, 9}, /*isBufferShared=*/b.has(8), b.wants(3));
}

/// query, key?, value?, mask_index?, attention_bias?, past_key?, past_value?,
/// past_sequence_length?, beam_width?, cache_indirection?, bias?
void importDecoderMaskedMultiHeadAttention(OpBinder &b) {
  // Without a past it attends to what an encoder left.
  if (b.has(5) && !checkSharedBuffer(b, true, b.has(7)))
    return;
  if (HxBuilder::rank(b.input(0)) == 3)
    checkRange(b, b.dims(b.input(0))[1], 1, 1, "the number of positions");
  bool isShared = b.intAttr("past_present_share_buffer", 0) != 0;
  importHeads(b, {10, 3, 4, 5, 6, 7, 9}, isShared, b.intAttr("output_qk", 0) != 0);
}

} // namespace

void registerMicrosoftAttentionOps(OpTable &table) {
  table.add("com.microsoft",
            {
                {"Attention", 1, 2, 7, importAttention},
                {"QAttention", 1, 5, 9, importQAttention},
                {"DecoderMaskedSelfAttention", 1, 3, 9, importDecoderMaskedSelfAttention},
                {"MultiHeadAttention", 1, 1, 10, importMultiHeadAttention},
                {"DecoderMaskedMultiHeadAttention", 1, 1, 11,
                 importDecoderMaskedMultiHeadAttention},
            });
}

} // namespace hexin::onnx
