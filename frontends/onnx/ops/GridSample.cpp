// Sampling at computed coordinates, and the coordinates of an affine map.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Channels.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Sampling.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// X [N, C, spatial...], grid [N, out..., number of spatial axes], the last axis first.
void importGridSample(OpBinder &b) {
  Value x = b.input(0), grid = b.input(1);
  int64_t rank = HxBuilder::rank(x), numAxes = rank - 2;
  Dims dims = b.dims(x), gridDims = b.dims(grid);
  if (rank < 3 || HxBuilder::rank(grid) != rank)
    return b.contradiction("X has rank " + Twine(rank) + " and the grid rank " +
                           Twine(HxBuilder::rank(grid)) +
                           ": expected the same of 3 or more");
  checkRange(b, gridDims.back(), numAxes, numAxes, "the size of the grid's last axis");
  if (b.failed())
    return;
  StringRef mode = b.stringAttr("mode", "linear");
  bool isNearest = mode == "nearest", isCubic = mode == "cubic" || mode == "bicubic";
  if (!isNearest && !isCubic && mode != "linear" && mode != "bilinear")
    return b.error("mode '" + mode + "': expected nearest, linear or cubic");
  StringRef name = b.stringAttr("padding_mode", "zeros");
  if (name != "zeros" && name != "border" && name != "reflection")
    return b.error("padding_mode '" + name + "': expected zeros, border or reflection");
  Padding padding = name == "zeros"    ? Padding::zeros
                    : name == "border" ? Padding::border
                                       : Padding::reflection;
  bool alignCorners = b.intAttr("align_corners", 0) != 0;
  if (!isNearest && numAxes > (isCubic ? 3 : 6))
    return b.unsupported(mode + " over " + Twine(numAxes) + " axes");

  Type type = HxBuilder::elementType(x), gridType = HxBuilder::elementType(grid);
  Type wide = type.isF64() || gridType.isF64() ? Type(b.builder.getF64Type())
                                               : Type(b.builder.getF32Type());
  Dims out(gridDims.begin() + 1, gridDims.end() - 1);
  Dims samples{b.shape.constant(1), gridDims[0], b.shape.product(out)};
  SmallVector<SmallVector<Tap>> axes;
  for (int64_t i = 0; i < numAxes && !b.failed(); ++i) {
    Value coordinate = b.shape.sliceAxis(
        grid, rank - 1, b.shape.constant(numAxes - 1 - i), b.shape.constant(1));
    coordinate = b.cast(b.shape.reshape(coordinate, samples), wide);
    SampledAxis axis(b, wide, dims[2 + i], padding, alignCorners);
    coordinate = axis.fromNormalized(coordinate);
    axes.push_back(isNearest ? axis.nearest(coordinate)
                   : isCubic ? axis.cubic(coordinate)
                             : axis.linear(coordinate));
  }
  Value image = channelsLast(b, isNearest ? x : b.cast(x, wide));
  Value result = b.transpose(sampled(b, image, axes), {0, 2, 1});
  Dims resultDims{gridDims[0], dims[1]};
  resultDims.append(out);
  b.result(0, b.cast(b.shape.reshape(result, resultDims), type));
}

/// theta [N, k, k + 1] times the coordinates of every point of `size`, [N, C,
/// spatial...], between -1 and 1.
void importAffineGrid(OpBinder &b) {
  Value theta = b.input(0);
  Dims size = b.readInts(1);
  if (b.failed())
    return;
  int64_t numAxes = static_cast<int64_t>(size.size()) - 2;
  if (numAxes != 2 && numAxes != 3)
    return b.error("size has " + Twine(size.size()) +
                   " entries, expected [N, C, H, W] or [N, C, D, H, W]");
  if (HxBuilder::rank(theta) != 3)
    return b.contradiction("theta has rank " + Twine(HxBuilder::rank(theta)) +
                           ", expected 3");
  Type type = HxBuilder::elementType(theta);
  bool alignCorners = b.intAttr("align_corners", 0) != 0;
  hx::SymbolTable &symbols = b.symbols();
  Dim one = symbols.constant(1);
  Dims spatial(size.begin() + 2, size.end()), column = spatial;
  column.push_back(one);
  SmallVector<Value> coordinates; // the last axis first, then 1
  for (int64_t axis = numAxes - 1; axis >= 0; --axis) {
    Value i = b.shape.iota(column, axis, type);
    if (alignCorners) { // from -1 to 1; one point stands at -1
      Dim steps = symbols.max(symbols.sub(spatial[axis], one), one);
      Value step = b.div(b.scalar(type, 2), b.shape.buildScalar(steps, type));
      coordinates.push_back(b.sub(b.mul(i, step), b.scalar(type, 1)));
    } else {
      Value step = b.div(b.scalar(type, 2), b.shape.buildScalar(spatial[axis], type));
      Value first = b.sub(b.mul(step, b.scalar(type, 0.5)), b.scalar(type, 1));
      coordinates.push_back(b.add(b.mul(i, step), first));
    }
  }
  coordinates.push_back(b.shape.broadcastTo(b.scalar(type, 1), column));
  Value points = b.concat(coordinates, numAxes);
  Dim numPoints = b.shape.product(spatial);
  points = b.shape.reshape(points, {one, numPoints, symbols.constant(numAxes + 1)});
  Value mapped = b.matmul(points, theta, /*transposeLhs=*/false, /*transposeRhs=*/true);
  if (b.failed())
    return;
  Dims result{b.dims(mapped)[0]};
  result.append(spatial);
  result.push_back(symbols.constant(numAxes));
  b.result(0, b.shape.reshape(mapped, result));
}

} // namespace

void registerGridSampleOps(OpTable &table) {
  table.add("", {
                    {"GridSample", 16, 2, 2, importGridSample},
                    {"AffineGrid", 20, 2, 2, importAffineGrid},
                });
  table.add("com.microsoft", {{"GridSample", 1, 2, 2, importGridSample}});
}

} // namespace hexin::onnx
