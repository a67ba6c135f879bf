// DeformConv: every tap of every window reads where its offsets say; what the taps of a
// window read is a row of a product with the weights.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Channels.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Sampling.h"
#include "frontends/onnx/ops/Windows.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// The sizes of a node. G offset groups share offsets and mask among C / G channels.
struct DeformSizes {
  int64_t numAxes;
  int64_t groups, offsetGroups;
  Dims taps, out; ///< per spatial axis
  Dim batch, channels, filters;
  Dim numTaps, numOut;   ///< K, O: taps and out multiplied
  Dim samplesOf;         ///< N * G
  Dim channelsPerOffset; ///< C / G
  Dim channelsPerGroup;  ///< C / groups, as the weights have it
};

/// X [N, C, spatial...], W [M, C/groups, taps...], offset [N, G * K * axes, out...],
/// B [M]?, mask [N, G * K, out...]?
std::optional<DeformSizes> readSizes(OpBinder &b, const WindowAttributes &window) {
  Value x = b.input(0), weights = b.input(1), offset = b.input(2);
  DeformSizes s;
  s.numAxes = HxBuilder::rank(x) - 2;
  s.groups = b.intAttr("group", 1);
  s.offsetGroups = b.intAttr("offset_group", 1);
  if (s.groups < 1 || s.offsetGroups < 1)
    b.error("group=" + Twine(s.groups) + " and offset_group=" + Twine(s.offsetGroups) +
            ": expected 1 or more");
  if (b.failed())
    return std::nullopt;
  hx::SymbolTable &symbols = b.symbols();
  Dims dims = b.dims(x), weightDims = b.dims(weights), offsetDims = b.dims(offset);
  s.batch = dims[0];
  s.channels = dims[1];
  s.filters = weightDims[0];
  s.taps.assign(weightDims.begin() + 2, weightDims.end());
  s.numTaps = b.shape.product(s.taps);
  s.channelsPerGroup = weightDims[1];
  Dim offsetGroups = symbols.constant(s.offsetGroups);
  s.samplesOf = symbols.mul(s.batch, offsetGroups);
  s.channelsPerOffset = symbols.floorDiv(s.channels, offsetGroups);

  checkEqual(b, s.channels, "the number of channels of X",
             symbols.mul(s.channelsPerGroup, symbols.constant(s.groups)),
             "group times that of W");
  checkEqual(b, s.channels, "the number of channels of X",
             symbols.mul(s.channelsPerOffset, offsetGroups),
             "what offset_group divides of it");
  checkEqual(
      b, offsetDims[1], "the number of channels of the offsets",
      symbols.mul(symbols.mul(offsetGroups, s.numTaps), symbols.constant(s.numAxes)),
      "offset_group times taps times axes");
  checkEqual(b, offsetDims[0], "the batch of the offsets", s.batch, "that of X");
  Dim one = symbols.constant(1);
  for (int64_t i = 0; i < s.numAxes; ++i) {
    Dim extent = symbols.add(
        symbols.mul(symbols.sub(s.taps[i], one), symbols.constant(window.dilations[i])),
        one);
    Dim padding = symbols.add(symbols.constant(window.pads[i]),
                              symbols.constant(window.pads[s.numAxes + i]));
    Dim padded = symbols.add(dims[2 + i], padding);
    Dim steps = symbols.floorDiv(symbols.sub(padded, extent),
                                 symbols.constant(window.strides[i]));
    s.out.push_back(symbols.add(steps, one));
    checkEqual(b, offsetDims[2 + i],
               "the number of offsets along spatial axis " + Twine(i), s.out[i],
               "that of windows");
  }
  s.numOut = b.shape.product(s.out);
  return b.failed() ? std::nullopt : std::optional(s);
}

/// A number per tap and window, [N * G, K, O], as [1, N * G, O * K].
Value samples(OpBinder &b, const DeformSizes &s, Value x) {
  return b.shape.reshape(
      b.transpose(x, {0, 2, 1}),
      {b.shape.constant(1), s.samplesOf, b.symbols().mul(s.numOut, s.numTaps)});
}

/// Where the taps read along `axis`, [1, N * G, O * K]: the window's place and the
/// offset.
Value coordinates(OpBinder &b, const DeformSizes &s, const WindowAttributes &window,
                  Type type, int64_t axis) {
  auto number = [&](int64_t value) { return b.scalar(type, static_cast<double>(value)); };
  Dims grid = s.taps;
  grid.append(s.out);
  Value tap = b.mul(b.shape.iota(grid, axis, type), number(window.dilations[axis]));
  Value first = b.sub(
      b.mul(b.shape.iota(grid, s.numAxes + axis, type), number(window.strides[axis])),
      number(window.pads[axis]));
  Value place = b.shape.reshape(b.add(first, tap), {s.numTaps, s.numOut});
  Value offsets = b.shape.reshape(
      b.input(2), {s.samplesOf, s.numTaps, b.shape.constant(s.numAxes), s.numOut});
  Value offset = b.shape.squeeze(
      b.shape.sliceAxis(offsets, 2, b.shape.constant(axis), b.shape.constant(1)), {2});
  return samples(b, s, b.add(b.cast(offset, type), place));
}

/// What the taps read, times the mask: [N, groups, O, K * C / groups], rows of a product.
Value rowsOf(OpBinder &b, const DeformSizes &s, const WindowAttributes &window,
             Type type) {
  Dims dims = b.dims(b.input(0)), image{s.samplesOf, s.channelsPerOffset};
  image.append(dims.begin() + 2, dims.end());
  SmallVector<SmallVector<Tap>> axes;
  for (int64_t axis = 0; axis < s.numAxes && !b.failed(); ++axis) {
    SampledAxis sampledAxis(b, type, dims[2 + axis], Padding::zeros,
                            /*alignCorners=*/true);
    axes.push_back(sampledAxis.linear(coordinates(b, s, window, type, axis)));
  }
  Value x = b.shape.reshape(b.cast(b.input(0), type), image);
  Value mask;
  if (b.has(4))
    mask = samples(
        b, s,
        b.shape.reshape(b.cast(b.input(4), type), {s.samplesOf, s.numTaps, s.numOut}));
  Value read = sampled(b, channelsLast(b, x), axes, Value(), mask);
  hx::SymbolTable &symbols = b.symbols();
  Dim groups = symbols.constant(s.groups);
  if (b.failed())
    return {};
  if (s.offsetGroups > 1) { // the channels of all come together
    read = b.shape.reshape(read, {s.batch, symbols.constant(s.offsetGroups), s.numOut,
                                  s.numTaps, s.channelsPerOffset});
    read = b.transpose(read, {0, 2, 3, 1, 4});
  }
  if (s.groups > 1) {
    read =
        b.shape.reshape(read, {s.batch, s.numOut, s.numTaps, groups, s.channelsPerGroup});
    read = b.transpose(read, {0, 3, 1, 2, 4});
  }
  return b.shape.reshape(
      read, {s.batch, groups, s.numOut, symbols.mul(s.numTaps, s.channelsPerGroup)});
}

void importDeformConv(OpBinder &b) {
  Value x = b.input(0), weights = b.input(1);
  int64_t numAxes = spatialRankOf(b, x), rank = HxBuilder::rank(x);
  for (unsigned i : {1u, 2u, 4u})
    if (b.has(i) && HxBuilder::rank(b.input(i)) != rank)
      b.contradiction("input #" + Twine(i) + " has rank " +
                      Twine(HxBuilder::rank(b.input(i))) + ", the first one " +
                      Twine(rank));
  if (b.failed())
    return;
  WindowAttributes window = readWindow(b, numAxes);
  checkKernel(b, window, weights);
  if (b.failed())
    return;
  std::optional<DeformSizes> s = readSizes(b, window);
  if (!s)
    return;
  Type type = HxBuilder::elementType(x);
  Type wide = type.isF64() ? type : Type(b.builder.getF32Type());
  Value rows = rowsOf(b, *s, window, wide);
  hx::SymbolTable &symbols = b.symbols();
  Dim groups = symbols.constant(s->groups);
  Dim filtersPerGroup = symbols.floorDiv(s->filters, groups);
  Value columns = b.shape.reshape(
      b.cast(weights, wide), {groups, filtersPerGroup, s->channelsPerGroup, s->numTaps});
  columns = b.shape.reshape(
      b.transpose(columns, {0, 3, 2, 1}),
      {groups, symbols.mul(s->numTaps, s->channelsPerGroup), filtersPerGroup});
  Value product = b.matmul(rows, columns); // [N, groups, O, M / groups]
  if (b.has(3))
    product =
        b.add(product, b.shape.reshape(b.cast(b.input(3), wide),
                                       {groups, symbols.constant(1), filtersPerGroup}));
  product = b.transpose(product, {0, 1, 3, 2});
  Dims sizes{s->batch, s->filters};
  sizes.append(s->out);
  product = b.shape.reshape(product, sizes);
  b.result(0, b.cast(product, type));
}

} // namespace

void registerDeformConvOps(OpTable &table) {
  table.add("", {{"DeformConv", 19, 3, 5, importDeformConv}});
}

} // namespace hexin::onnx
