// Operators of ONNX Runtime that move, look up, test and crop.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Channels.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/RunTimeAxes.h"
#include "frontends/onnx/ops/Sampling.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// X, axis (one number, into the result's axes).
void importExpandDims(OpBinder &b) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x) + 1;
  Dims axis = b.readInts(1);
  if (b.failed() || axis.size() != 1)
    return b.failed() ? void() : b.error("the axis must be one number");
  if (auto known = hx::SymbolTable::constantValue(axis[0])) {
    int64_t at = b.normalizeAxis(*known, rank);
    return b.result(0, b.failed() ? Value() : b.shape.unsqueeze(x, {at}));
  }
  b.result(0, b.shape.reshape(x, RunTimeAxes(b, axis, rank).insertedInto(b.dims(x))));
}

/// weights [N, M], indices; the other two inputs concern gradients.
void importTorchEmbedding(OpBinder &b) {
  if (HxBuilder::rank(b.input(0)) != 2)
    return b.contradiction("the weights have rank " + Twine(HxBuilder::rank(b.input(0))) +
                           ", expected 2");
  b.result(0, b.gather(b.input(0), b.input(1), 0));
}

/// The windows of `size` along `dim`, `step` apart, with a new last axis inside them.
void importUnfoldTensor(OpBinder &b) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x), size = b.intAttr("size", 0);
  int64_t step = b.intAttr("step", 1);
  int64_t axis = b.normalizeAxis(b.intAttr("dim", -1), rank, "dim");
  if (!b.failed() && (size < 1 || step < 1))
    b.error("size=" + Twine(size) + " and step=" + Twine(step) +
            ": expected 1 or more of both");
  if (b.failed())
    return;
  hx::SymbolTable &symbols = b.symbols();
  Dim length = b.dims(x)[axis], sizeDim = symbols.constant(size);
  Dim stepDim = symbols.constant(step), one = symbols.constant(1);
  if (auto known = hx::SymbolTable::constantValue(length); known && *known < size)
    return b.contradiction("size=" + Twine(size) + " is more than the " + Twine(*known) +
                           " elements along axis " + Twine(axis));
  Dim steps = symbols.floorDiv(symbols.sub(length, sizeDim), stepDim);
  Dim count = symbols.max(symbols.add(steps, one), one);
  // Too short an axis has no such slice, which a run is told.
  Dim used = symbols.add(symbols.mul(symbols.sub(count, one), stepDim), sizeDim);
  x = b.shape.sliceAxis(x, axis, symbols.constant(0), used);
  Type i64 = b.builder.getI64Type();
  Dims grid{count, sizeDim};
  Value first =
      b.mul(b.shape.iota(grid, 0, i64), b.scalar(i64, static_cast<double>(step)));
  Value windows = b.gather(x, b.add(first, b.shape.iota(grid, 1, i64)), axis);
  SmallVector<int64_t> perm; // the axis behind the windows' goes to the end
  for (int64_t i = 0; i <= rank; ++i)
    if (i != axis + 1)
      perm.push_back(i);
  perm.push_back(axis + 1);
  b.result(0, b.transpose(windows, perm));
}

/// Whether no element of any input is NaN or infinite; attributes ask for one of both.
void importIsAllFinite(OpBinder &b) {
  bool isNanOnly = b.intAttr("isnan_only", 0) != 0;
  bool isInfOnly = b.intAttr("isinf_only", 0) != 0;
  if (isNanOnly && isInfOnly)
    return b.error("isnan_only and isinf_only exclude each other");
  Value found;
  auto add = [&](UnaryFn test, Value x) {
    SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, HxBuilder::rank(x)));
    Value any = b.reduce(ReduceFn::max, b.unary(test, x), all, /*keepDims=*/false);
    found = found ? b.binary(BinaryFn::bit_or, found, any) : any;
  };
  for (Value x : b.allInputs()) {
    if (!x)
      return b.error("an input is missing");
    if (!isInfOnly)
      add(UnaryFn::is_nan, x);
    if (!isNanOnly)
      add(UnaryFn::is_inf, x);
  }
  b.result(0, b.logicalNot(found));
}

void importSampleOp(OpBinder &b) { b.result(0, b.input(0)); }

//===----------------------------------------------------------------------===//
// CropAndResize
//===----------------------------------------------------------------------===//

/// One axis of all crops: its coordinates [R, H, W] and whether they lie in the image.
struct CropAxis {
  Value coordinate, isInside;
};

/// From `first` to `last` of rois (columns of [R, 4], in lengths of the image) in `steps`
/// steps, or their middle.
CropAxis cropAxis(OpBinder &b, Value rois, Type type, Dim length, ArrayRef<Dim> out,
                  int64_t axis, int64_t first, int64_t last) {
  hx::SymbolTable &symbols = b.symbols();
  Dim one = symbols.constant(1);
  auto column = [&](int64_t index) {
    Value side = b.shape.sliceAxis(rois, 1, symbols.constant(index), one);
    return b.shape.unsqueeze(b.cast(side, type), {2}); // [R, 1, 1]
  };
  Value from = column(first), to = column(last);
  Dim steps = symbols.sub(out[axis], one);
  Value end = b.shape.buildScalar(symbols.sub(length, one), type);
  Dims line{one, one, one};
  line[axis] = out[axis];
  Value i = b.shape.iota(line, axis, type);
  Value stride = b.div(b.mul(b.sub(to, from), end),
                       b.shape.buildScalar(symbols.max(steps, one), type));
  Value along = b.add(b.mul(from, end), b.mul(i, stride));
  Value middle = b.mul(b.mul(b.scalar(type, 0.5), b.add(from, to)), end);
  Value isLine = b.compare(ComparePredicate::lt, b.scalar(type, 0),
                           b.shape.buildScalar(steps, type));
  CropAxis result;
  result.coordinate = b.shape.broadcastTo(b.select(isLine, along, middle), out);
  result.isInside =
      b.binary(BinaryFn::bit_and,
               b.compare(ComparePredicate::le, b.scalar(type, 0), result.coordinate),
               b.compare(ComparePredicate::le, result.coordinate, end));
  return result;
}

/// X [N, C, H, W], rois [R, 4] (y1, x1, y2, x2), batch_indices [R], crop_size [2] ->
/// [R, C, crop_size...]
void importCropAndResize(OpBinder &b) {
  Value x = b.input(0), rois = b.input(1), images = b.input(2);
  if (HxBuilder::rank(x) != 4 || HxBuilder::rank(rois) != 2 ||
      HxBuilder::rank(images) != 1)
    return b.contradiction("expected X [N, C, H, W], rois [R, 4] and batch_indices [R]");
  StringRef mode = b.stringAttr("mode", "bilinear");
  if (mode != "bilinear" && mode != "nearest")
    return b.error("mode '" + mode + "': expected bilinear or nearest");
  double outside = b.floatAttr("extrapolation_value", 0);
  Dims size = b.readInts(3);
  if (b.failed())
    return;
  if (size.size() != 2)
    return b.contradiction("crop_size has " + Twine(size.size()) +
                           " numbers, expected 2");
  Dims dims = b.dims(x), roiDims = b.dims(rois);
  checkRange(b, roiDims[1], 4, 4, "the columns of rois");
  checkEqual(b, roiDims[0], "the number of rois", b.dims(images)[0],
             "that of batch_indices");
  rois = b.shape.reshape(rois, {roiDims[0], b.shape.constant(4)});
  Type type = HxBuilder::elementType(x);
  Type wide = type.isF64() ? type : Type(b.builder.getF32Type());
  Dims out{roiDims[0], size[0], size[1]};
  Dims samples{b.shape.constant(1), b.shape.constant(1), b.shape.product(out)};
  SmallVector<SmallVector<Tap>> axes;
  Value isInside;
  for (int64_t i = 0; i < 2 && !b.failed(); ++i) {
    CropAxis crop = cropAxis(b, rois, wide, dims[2 + i], out, 1 + i, i, 2 + i);
    SampledAxis axis(b, wide, dims[2 + i], Padding::zeros, /*alignCorners=*/true);
    Value half = b.scalar(wide, 0.5); // halves go up
    Value at = b.shape.reshape(crop.coordinate, samples);
    axes.push_back(mode == "nearest"
                       ? axis.nearest(b.unary(UnaryFn::floor, b.add(at, half)))
                       : axis.linear(at));
    isInside =
        isInside ? b.binary(BinaryFn::bit_and, isInside, crop.isInside) : crop.isInside;
  }
  Value row = b.shape.reshape(b.cast(images, b.builder.getI64Type()),
                              {roiDims[0], b.shape.constant(1), b.shape.constant(1)});
  row = b.shape.reshape(b.shape.broadcastTo(row, out), samples);
  Value crops = sampled(b, channelsLast(b, b.cast(x, wide)), axes, row);
  if (b.failed())
    return;
  Dims cropDims = out;
  cropDims.push_back(dims[1]);
  crops = b.shape.reshape(crops, cropDims);
  crops = b.select(b.shape.unsqueeze(isInside, {3}), crops, b.scalarLike(crops, outside));
  b.result(0, b.cast(channelsFirst(b, crops), type));
}

} // namespace

void registerMicrosoftPlainOps(OpTable &table) {
  table.add("com.microsoft", {
                                 {"ExpandDims", 1, 2, 2, importExpandDims},
                                 {"TorchEmbedding", 1, 2, 4, importTorchEmbedding},
                                 {"UnfoldTensor", 1, 1, 1, importUnfoldTensor},
                                 {"IsAllFinite", 1, 1, OpRow::any, importIsAllFinite},
                                 {"SampleOp", 1, 1, 1, importSampleOp},
                                 {"CropAndResize", 1, 4, 4, importCropAndResize},
                             });
}

} // namespace hexin::onnx
