//===- Roi.td - regions of interest -------------------------------------------===//

#ifndef HEXIN_IR_OPS_ROI_TD
#define HEXIN_IR_OPS_ROI_TD

include "compiler/ir/OpBase.td"

def HX_RoiPoolOp : HX_PureOp<"roi_pool"> {
  let summary = "boxes of an image, each pooled to one size";
  let description = [{
    `input` [N, C, H, W] (or [N, H, W, C], `layout`), `rois` [R, 4] as x1, y1, x2, y2,
    which `scale` brings to the input's elements, `batch` [R]: the image of each. The
    result is [R, C, size...] in the input's layout.

    align_avg, align_max: a box is moved by -1/2 with `halfPixel`, else widened to at
    least 1 x 1, and cut into `size` bins; a bin has ratio x ratio samples (`ratio` 0:
    ceil(box / size) along each axis), evenly spaced. A sample is interpolated from four
    elements; beyond -1 or the input's size it is 0. align_avg divides by all samples,
    align_max takes the largest of their weighted elements; a bin without samples is 0.

    bin_max: corners are rounded (halves away from 0), both are inside; a bin goes from
    floor(i * length / size) to ceil((i + 1) * length / size) and gives the largest
    element that is in the input, or 0 when there is none.

    Boxes are computed in the input's type, f32 at least. Along an axis only the first
    2^30 samples count, and corners of bins stay within 2^30 of 0; with NaN, positions
    are outside and corners at the lower end. An index in `batch` that is no image is an
    error of the run.
  }];
  let arguments = (ins HX_RoiPoolFnAttr:$fn, HX_Tensor:$input, HX_Tensor:$rois,
                       HX_IndexTensor:$batch, DenseI64ArrayAttr:$size, F64Attr:$scale,
                       DefaultValuedAttr<I64Attr, "0">:$ratio,
                       DefaultValuedAttr<BoolAttr, "false">:$halfPixel,
                       DefaultValuedAttr<HX_LayoutAttr, "Layout::nchw">:$layout);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$fn $input `,` $rois `,` $batch attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Samples of a bin along one axis: more serve nothing, and take their time squared.
    static constexpr int64_t maxRatio = 1024;
  }];
}

#endif
