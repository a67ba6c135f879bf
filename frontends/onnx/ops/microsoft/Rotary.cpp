// Rotary positions (domain com.microsoft).
#include "frontends/onnx/ops/Rotary.h"
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Heads.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// Attributes that no kernel of ONNX Runtime's own gives a meaning, as errors.
bool checkAttributes(OpBinder &b) {
  if (b.intAttr("is_packed_batching", 0) != 0)
    b.unsupported("is_packed_batching: ragged batches; export the padded model");
  if (double scale = b.floatAttr("scale", 1); !b.failed() && scale != 1)
    b.unsupported("scale=" + std::to_string(scale) + ": expected 1");
  return !b.failed();
}

/// x [B, N, S, H] or [B, S, N * H] turned by rows [B or 1, S, R / 2] of a table.
void turn(OpBinder &b, Value cosine, Value sine) {
  Value x = b.input(0);
  if (b.failed())
    return;
  int64_t rank = HxBuilder::rank(x), numHeads = b.intAttr("num_heads", 0);
  int64_t part = b.intAttr("rotary_embedding_dim", 0);
  if (part > 0 && numHeads < 1)
    return b.error("rotary_embedding_dim is given without num_heads");
  Dims given = b.dims(x);
  Dim two = b.shape.constant(2);
  Dim turned = b.symbols().mul(b.dims(cosine)[2], two);
  if (part > 0)
    turned = b.shape.constant(part);
  if (rank == 3) { // heads behind the positions: nothing moves
    if (numHeads > 0 && !checkHeads(b, x, numHeads, "input"))
      return;
    // Without a number of heads all of a head is turned.
    Dim heads = numHeads > 0 ? b.shape.constant(numHeads)
                             : b.symbols().quotient({given[2]}, {turned});
    x = b.shape.reshape(
        x, {given[0], given[1], heads, b.symbols().quotient({given[2]}, {heads})});
  }
  x = rotateHeads(b, x, cosine, sine, /*headAxis=*/rank == 3 ? 2 : 1, turned,
                  b.intAttr("interleaved", 0) != 0);
  b.result(0, rank == 3 && !b.failed() ? b.shape.reshape(x, given) : x);
}

/// Whether x and the tables have the ranks they must have, as an error.
bool checkRanks(OpBinder &b) {
  int64_t rank = HxBuilder::rank(b.input(0));
  if (rank != 3 && rank != 4)
    b.contradiction("the input has rank " + Twine(rank) + ", expected 3 or 4");
  else if (HxBuilder::rank(b.input(2)) != 2 || HxBuilder::rank(b.input(3)) != 2)
    b.contradiction("cos_cache and sin_cache must have rank 2: [positions, size / 2]");
  return !b.failed();
}

/// input, position_ids [B, S] or one number to begin with, cos_cache, sin_cache
void importRotaryEmbedding(OpBinder &b) {
  if (!checkAttributes(b) || !checkRanks(b))
    return;
  Value positions = b.input(1);
  if (HxBuilder::rank(positions) > 2)
    return b.contradiction("position_ids has rank " + Twine(HxBuilder::rank(positions)) +
                           ", expected 2, or one number");
  if (HxBuilder::rank(positions) < 2) {
    Type i64 = b.builder.getI64Type();
    Dims dims = b.dims(b.input(0));
    Dim count = dims[dims.size() == 3 ? 1 : 2];
    positions = b.add(b.shape.iota({b.shape.constant(1), count}, 1, i64),
                      b.cast(b.shape.toScalar(positions), i64));
  }
  turn(b, b.gather(b.input(2), positions, 0), b.gather(b.input(3), positions, 0));
}

/// emb [B, S, H] angles, q, its turned halves, k, its turned halves [B, N, S, H]
void importGemmaRotaryEmbedding(OpBinder &b) {
  auto factor = [&](UnaryFn fn) {
    Value value = b.cast(b.unary(fn, b.input(0)), HxBuilder::elementType(b.input(1)));
    return b.shape.unsqueeze(value, {1});
  };
  Value cosine = factor(UnaryFn::cos), sine = factor(UnaryFn::sin);
  b.result(0, b.add(b.mul(b.input(1), cosine), b.mul(b.input(2), sine)));
  b.result(1, b.add(b.mul(b.input(3), cosine), b.mul(b.input(4), sine)));
}

/// input, position_ids [3, B, S]: time, height and width, cos_cache, sin_cache. Of each
/// column of the tables one of the three positions says the row.
void importMRotaryEmbedding(OpBinder &b) {
  if (!checkAttributes(b) || !checkRanks(b))
    return;
  SmallVector<int64_t> sections = b.intsAttr("mrope_section");
  int64_t layout = b.intAttr("mrope_layout", 0);
  int64_t numColumns = 0;
  for (int64_t section : sections)
    numColumns += section < 0 || section > INT16_MAX ? INT32_MAX : section;
  if (sections.size() != 3 || numColumns < 1 || numColumns > INT16_MAX)
    return b.error("mrope_section must be three numbers of columns");
  if (layout != 0 && layout != 1)
    return b.error("mrope_layout is " + Twine(layout) + ", expected 0 or 1");
  if (HxBuilder::rank(b.input(1)) != 3)
    return b.contradiction("position_ids has rank " + Twine(HxBuilder::rank(b.input(1))) +
                           ", expected 3: [3, batch, positions]");
  checkRange(b, b.dims(b.input(1))[0], 3, 3, "axis 0 of position_ids");
  checkRange(b, b.dims(b.input(2))[1], numColumns, numColumns,
             "the number of columns of cos_cache, which mrope_section divides,");
  SmallVector<bool> isHeight, isWidth;
  for (int64_t i = 0; i < numColumns; ++i) {
    bool height = layout == 0 ? i >= sections[0] && i < sections[0] + sections[1]
                              : i % 3 == 1 && i < sections[1] * 3;
    bool width =
        layout == 0 ? i >= sections[0] + sections[1] : i % 3 == 2 && i < sections[2] * 3;
    isHeight.push_back(height);
    isWidth.push_back(width);
  }
  auto type = RankedTensorType::get({numColumns}, b.builder.getI1Type());
  Value heightMask = b.constant(DenseElementsAttr::get(type, isHeight));
  Value widthMask = b.constant(DenseElementsAttr::get(type, isWidth));
  auto rowsOf = [&](Value table, int64_t axis) {
    Value positions = b.shape.squeeze(
        b.shape.sliceAxis(b.input(1), 0, b.shape.constant(axis), b.shape.constant(1)),
        {0});
    return b.gather(table, positions, 0);
  };
  auto combined = [&](Value table) {
    Value other = b.select(heightMask, rowsOf(table, 1), rowsOf(table, 0));
    return b.select(widthMask, rowsOf(table, 2), other);
  };
  turn(b, combined(b.input(2)), combined(b.input(3)));
}

} // namespace

void registerMicrosoftRotaryOps(OpTable &table) {
  table.add("com.microsoft",
            {
                {"RotaryEmbedding", 1, 4, 4, importRotaryEmbedding},
                {"GemmaRotaryEmbedding", 1, 5, 5, importGemmaRotaryEmbedding},
                {"MRotaryEmbedding", 1, 4, 4, importMRotaryEmbedding},
            });
}

} // namespace hexin::onnx
