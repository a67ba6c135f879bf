// Regions of interest.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::RoiPoolFn;

namespace hexin::onnx {
namespace {

void setRoiPool(OpBinder &b, RoiPoolFn fn, Value rois, Value batch,
                ArrayRef<int64_t> size, int64_t ratio, bool isHalfPixel) {
  double scale = b.floatAttr("spatial_scale", 1);
  if (b.failed())
    return;
  b.result(0, b.make<hx::RoiPoolOp>(HxBuilder::elementType(b.input(0)), fn, b.input(0),
                                    rois, batch, size, llvm::APFloat(scale), ratio,
                                    isHalfPixel, hx::Layout::nchw));
}

/// x, rois [R, 4], batch_indices [R]
void importRoiAlign(OpBinder &b) {
  StringRef mode = b.stringAttr("mode", "avg");
  if (mode != "avg" && mode != "max")
    return b.error("mode='" + mode + "', expected avg or max");
  StringRef coordinates = "output_half_pixel"; // what there was before opset 16
  if (b.sinceVersion() >= 16)
    coordinates = b.stringAttr("coordinate_transformation_mode", "half_pixel");
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel")
    return b.error("coordinate_transformation_mode='" + coordinates +
                   "', expected half_pixel or output_half_pixel");
  int64_t ratio = b.intAttr("sampling_ratio", 0);
  if (ratio < 0)
    return b.error("sampling_ratio=" + Twine(ratio) + " is negative");
  if (ratio > hx::RoiPoolOp::maxRatio)
    return b.unsupported("sampling_ratio=" + Twine(ratio) + ": at most " +
                         Twine(hx::RoiPoolOp::maxRatio) + " samples along an axis");
  setRoiPool(b, mode == "avg" ? RoiPoolFn::align_avg : RoiPoolFn::align_max, b.input(1),
             b.input(2), {b.intAttr("output_height", 1), b.intAttr("output_width", 1)},
             ratio, coordinates == "half_pixel");
}

/// x, rois [R, 5]: the image's number, then two corners
void importMaxRoiPool(OpBinder &b) {
  SmallVector<int64_t> size = b.intsAttr("pooled_shape");
  Value rois = b.input(1);
  if (b.failed())
    return;
  if (size.size() != 2)
    return b.error("attribute 'pooled_shape' has " + Twine(size.size()) +
                   " entries, expected 2");
  if (HxBuilder::rank(rois) != 2)
    return b.error("rois must be [boxes, 5], got rank " + Twine(HxBuilder::rank(rois)));
  checkRange(b, b.dims(rois)[1], 5, 5, "the columns of rois");
  auto part = [&](int64_t first, int64_t count) {
    return b.shape.sliceAxis(rois, 1, b.shape.constant(first), b.shape.constant(count));
  };
  Value batch = b.cast(b.shape.squeeze(part(0, 1), {1}), b.builder.getI64Type());
  setRoiPool(b, RoiPoolFn::bin_max, part(1, 4), batch, size, 0, false);
}

} // namespace

void registerRoiOps(OpTable &table) {
  table.add("", {
                    {"RoiAlign", 10, 3, 3, importRoiAlign},
                    {"RoiAlign", 16, 3, 3, importRoiAlign},
                    {"MaxRoiPool", 1, 2, 2, importMaxRoiPool},
                });
}

} // namespace hexin::onnx
