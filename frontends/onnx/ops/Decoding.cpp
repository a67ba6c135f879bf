// What decoders of language models do besides attention: rotary positions, caches that
// are written at an index, short convolutions with a state.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Heads.h"
#include "frontends/onnx/ops/Rotary.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
/// Every second element of the last axis, from `first` on.
static Value everySecond(OpBinder &b, Value x, int64_t first) {
  if (b.failed())
    return {};
  Dims sizes = b.dims(x), starts(sizes.size(), b.shape.constant(0));
  SmallVector<int64_t> steps(sizes.size(), 1);
  starts.back() = b.shape.constant(first);
  sizes.back() = b.symbols().floorDiv(sizes.back(), b.shape.constant(2));
  steps.back() = 2;
  return b.shape.slice(x, starts, sizes, steps);
}

/// x [..., R] turned by the angles whose cosines and sines [..., R / 2] are given:
/// pairs are neighbours, or the two halves.
static Value rotated(OpBinder &b, Value x, Value cosine, Value sine, bool isInterleaved) {
  if (b.failed())
    return {};
  int64_t last = HxBuilder::rank(x) - 1;
  Dims dims = b.dims(x);
  Dim half = b.symbols().floorDiv(dims[last], b.shape.constant(2));
  Value first = isInterleaved ? everySecond(b, x, 0)
                              : b.shape.sliceAxis(x, last, b.shape.constant(0), half);
  Value second =
      isInterleaved ? everySecond(b, x, 1) : b.shape.sliceAxis(x, last, half, half);
  Value real = b.sub(b.mul(cosine, first), b.mul(sine, second));
  Value imaginary = b.add(b.mul(sine, first), b.mul(cosine, second));
  if (!isInterleaved || b.failed())
    return b.failed() ? Value() : b.concat({real, imaginary}, last);
  Value pairs = b.concat(
      {b.shape.unsqueeze(real, {last + 1}), b.shape.unsqueeze(imaginary, {last + 1})},
      last + 1);
  return b.shape.reshape(pairs, dims);
}

Value rotateHeads(OpBinder &b, Value x, Value cosine, Value sine, int64_t headAxis,
                  Dim turned, bool isInterleaved) {
  cosine = b.shape.unsqueeze(cosine, {headAxis});
  sine = b.shape.unsqueeze(sine, {headAxis});
  if (b.failed())
    return {};
  Dim size = b.dims(x)[3];
  auto known = hx::SymbolTable::constantValue(turned);
  auto available = hx::SymbolTable::constantValue(size);
  if ((known && *known % 2 != 0) || (known && available && *known > *available)) {
    b.contradiction("cannot turn " + Twine(*known) + " features of a head of " +
                    b.symbols().toString(size) + ": expected an even number, not above");
    return {};
  }
  Dim two = b.shape.constant(2);
  for (auto [table, name] :
       {std::pair(cosine, "cos_cache"), std::pair(sine, "sin_cache")})
    checkEqual(b, b.symbols().mul(b.dims(table).back(), two),
               Twine("twice the number of columns of ") + name, turned,
               "the number of features to turn");
  if (b.failed())
    return {};
  if (turned == size)
    return rotated(b, x, cosine, sine, isInterleaved);
  Value front = b.shape.sliceAxis(x, 3, b.shape.constant(0), turned);
  Value rest = b.shape.sliceAxis(x, 3, turned, b.symbols().sub(size, turned));
  front = rotated(b, front, cosine, sine, isInterleaved);
  return b.failed() ? Value() : b.concat({front, rest}, 3);
}

namespace {

/// X [B, N, S, H] or [B, S, N * H], cosines and sines [B, S, R / 2], or a table
/// [positions, R / 2] with position_ids [B, S].
void importRotaryEmbedding(OpBinder &b) {
  Value x = b.input(0), cosine = b.input(1), sine = b.input(2);
  int64_t rank = HxBuilder::rank(x), numHeads = b.intAttr("num_heads", 0);
  if (rank != 3 && rank != 4)
    return b.contradiction("the input has rank " + Twine(rank) + ", expected 3 or 4");
  if (b.has(3)) {
    cosine = b.gather(cosine, b.input(3), 0);
    sine = b.gather(sine, b.input(3), 0);
  }
  if (b.failed())
    return;
  if (HxBuilder::rank(cosine) != 3 || HxBuilder::rank(sine) != 3)
    return b.contradiction("cos_cache and sin_cache must have rank " +
                           Twine(b.has(3) ? 2 : 3) +
                           (b.has(3) ? " with position_ids" : " without position_ids"));
  Dims given = b.dims(x);
  if (rank == 3) { // heads behind the positions: nothing moves
    if (!checkHeads(b, x, numHeads, "input"))
      return;
    Dim heads = b.shape.constant(numHeads);
    x = b.shape.reshape(
        x, {given[0], given[1], heads, b.symbols().quotient({given[2]}, {heads})});
  }
  if (b.failed())
    return;
  Dim turned = b.dims(x)[3];
  if (int64_t part = b.intAttr("rotary_embedding_dim", 0); part > 0)
    turned = b.shape.constant(part);
  x = rotateHeads(b, x, cosine, sine, /*headAxis=*/rank == 3 ? 2 : 1, turned,
                  b.intAttr("interleaved", 0) != 0);
  b.result(0, rank == 3 && !b.failed() ? b.shape.reshape(x, given) : x);
}

/// past_cache, update, write_indices? [B] -> the cache with the update at its place.
void importTensorScatter(OpBinder &b) {
  Value cache = b.input(0), update = b.input(1);
  int64_t rank = HxBuilder::rank(cache);
  StringRef mode = b.stringAttr("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return b.error("mode '" + mode + "': expected linear or circular");
  int64_t axis = b.normalizeAxis(b.intAttr("axis", -2), rank);
  if (b.failed())
    return;
  if (axis == 0)
    return b.error("axis 0 is the batch, not the sequence");
  if (HxBuilder::rank(update) != rank)
    return b.contradiction("the cache has rank " + Twine(rank) + ", the update " +
                           Twine(HxBuilder::rank(update)));
  Dims sizes = b.dims(update);
  Dim capacity = b.dims(cache)[axis];
  Type i64 = b.builder.getI64Type();
  Dims along(rank, b.shape.constant(1));
  along[axis] = sizes[axis];
  Value positions = b.shape.iota(along, axis, i64);
  if (b.has(2)) {
    if (HxBuilder::rank(b.input(2)) != 1)
      return b.contradiction("write_indices has rank " +
                             Twine(HxBuilder::rank(b.input(2))) +
                             ", expected 1: [batch]");
    SmallVector<int64_t> others;
    for (int64_t i = 1; i < rank; ++i)
      others.push_back(i);
    positions = b.add(positions, b.cast(b.shape.unsqueeze(b.input(2), others), i64));
  }
  if (mode == "circular")
    positions =
        b.binary(hx::BinaryFn::mod, positions, b.shape.buildScalar(capacity, i64));
  positions = b.shape.broadcastTo(positions, sizes);
  if (b.failed())
    return;
  b.result(0, b.make<hx::ScatterElementsOp>(HxBuilder::elementType(cache),
                                            hx::ScatterFn::set, cache, positions, update,
                                            axis));
}

/// Each of [B, C, length + (k - 1) * dilation] with its filter of weight [C, 1, k], plus
/// bias [C] or null, for numbers of channels that only a run knows: hx.conv's groups are
/// static.
Value convolvedByGather(OpBinder &b, Value x, Value weight, Value bias, Dim length,
                        int64_t dilation) {
  if (b.failed())
    return {};
  Type type = HxBuilder::elementType(x), i64 = b.builder.getI64Type();
  Type wide = type.isF64() ? type : Type(b.builder.getF32Type());
  Dims taps = b.dims(weight);
  checkEqual(b, taps[0], "the number of channels of the weight", b.dims(x)[1],
             "that of the input");
  Dim one = b.shape.constant(1);
  Value steps = b.mul(b.shape.iota({one, taps[2]}, 1, i64), b.scalar(i64, dilation));
  Value positions = b.add(b.shape.iota({length, one}, 0, i64), steps);
  Value windows = b.cast(b.gather(x, positions, 2), wide); // [B, C, length, k]
  Value products = b.mul(windows, b.cast(weight, wide));
  Value sum = b.reduce(hx::ReduceFn::sum, products, {3}, /*keepDims=*/false);
  if (bias)
    sum = b.add(sum, b.cast(b.shape.unsqueeze(bias, {1}), wide));
  return b.cast(sum, type);
}

/// [B, L, channels...] as [B, C, L].
Value channelsSecond(OpBinder &b, Value x) {
  if (b.failed())
    return {};
  Dims dims = b.dims(x);
  Dim channels = b.shape.product(ArrayRef(dims).drop_front(2));
  return b.transpose(b.shape.reshape(x, {dims[0], dims[1], channels}), {0, 2, 1});
}

/// [B, C, L] as [B, L, channels...], where `like` has those channels.
Value channelsLastLike(OpBinder &b, Value x, Value like) {
  x = b.transpose(x, {0, 2, 1});
  if (b.failed())
    return {};
  Dims dims = b.dims(like);
  dims[1] = b.dims(x)[1];
  return b.shape.reshape(x, dims);
}

/// input [B, C, L], weight [C, 1, k], bias? [C], past_state? [B, C, n] -> output,
/// present_state: what the next call continues with, n = (k - 1) * dilation positions.
/// Attributes dilation, channels_last ([B, L, channels...] for all but the weights),
/// ndim and state_window are com.microsoft's.
void importCausalConvWithState(OpBinder &b) {
  Value given = b.input(0), weight = b.input(1), past = b.input(3);
  bool isLast = b.intAttr("channels_last", 0) != 0;
  int64_t dilation = b.intAttr("dilation", 1), rank = HxBuilder::rank(given);
  if (b.intAttr("ndim", 1) != 1)
    return b.unsupported("ndim: expected 1, positions along one axis");
  if (b.intAttr("state_window", 0) != 0)
    return b.unsupported("state_window: expected 0, the state behind the last position");
  if (dilation < 1 || dilation > INT32_MAX)
    return b.error("dilation is " + Twine(dilation) + ", expected at least 1");
  if ((isLast ? rank < 3 : rank != 3) || HxBuilder::rank(weight) != 3 ||
      (past && HxBuilder::rank(past) != rank))
    return b.contradiction("input and weight have ranks " + Twine(rank) + " and " +
                           Twine(HxBuilder::rank(weight)) +
                           ", expected 3, and of the past that of the input");
  Value x = isLast ? channelsSecond(b, given) : given;
  if (past && isLast)
    past = channelsSecond(b, past);
  StringRef activation = b.stringAttr("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    return b.error("activation '" + activation + "': expected none, silu or swish");
  if (b.failed())
    return;
  Dims dims = b.dims(x), taps = b.dims(weight);
  auto channels = hx::SymbolTable::constantValue(taps[0]);
  if (!channels)
    channels = hx::SymbolTable::constantValue(dims[1]);
  Dim before = b.symbols().mul(b.symbols().sub(taps[2], b.shape.constant(1)),
                               b.shape.constant(dilation));
  if (past)
    checkEqual(b, b.dims(past)[2], "the length of past_state", before,
               "that of the taps before the last");
  if (b.failed())
    return;
  Dim none = b.shape.constant(0);
  Value padded =
      past ? b.concat({past, x}, 2)
           : b.pad(hx::PadMode::constant, x, b.shape.build({none, none, before}),
                   b.shape.build({none, none, none}), b.scalarLike(x, 0));
  if (b.failed())
    return;
  Value output =
      channels ? b.make<hx::ConvOp>(HxBuilder::elementType(x), padded, weight, b.input(2),
                                    *channels, ArrayRef<int64_t>{1},
                                    ArrayRef<int64_t>{0, 0}, ArrayRef<int64_t>{dilation},
                                    hx::PadPolicy::explicit_pads, hx::Layout::nchw)
               : convolvedByGather(b, padded, weight, b.input(2), dims[2], dilation);
  if (activation != "none")
    output = b.activation(hx::ActivationKind::swish, output, 1);
  b.result(0, isLast ? channelsLastLike(b, output, given) : output);
  if (!b.wants(1) || b.failed())
    return;
  Value present =
      b.shape.sliceAxis(padded, 2, b.symbols().sub(b.dims(padded)[2], before), before);
  b.result(1, isLast ? channelsLastLike(b, present, given) : present);
}

} // namespace

void registerDecodingOps(OpTable &table) {
  table.add("", {
                    {"RotaryEmbedding", 23, 3, 4, importRotaryEmbedding},
                    {"TensorScatter", 24, 2, 3, importTensorScatter},
                    {"CausalConvWithState", 27, 2, 4, importCausalConvWithState},
                });
  table.add("com.microsoft",
            {
                {"CausalConvWithState", 1, 2, 4, importCausalConvWithState},
            });
}

} // namespace hexin::onnx
