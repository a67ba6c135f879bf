//===- Resize.td - interpolation -------------------------------------------------===//

#ifndef HEXIN_IR_OPS_RESIZE_TD
#define HEXIN_IR_OPS_RESIZE_TD

include "compiler/ir/OpBase.td"

def HX_ResizeOp : HX_PureOp<"resize", [HX_HostReads]> {
  let summary = "resamples every axis to the given sizes";
  let description = [{
    `sizes` (host, full rank) are the result's. `scales` (host, f32, full rank)
    map coordinates; ONNX `sizes` without scales give out/in. `roi` (host,
    [starts..., ends...]) only matters to tf_crop_and_resize.
    `coordinates`: half_pixel, half_pixel_symmetric, pytorch_half_pixel,
    align_corners, asymmetric, tf_crop_and_resize, tf_half_pixel_for_nn. `nearest`:
    round_prefer_floor, round_prefer_ceil, floor, ceil.
  }];
  let arguments = (ins HX_ResizeModeAttr:$mode, HX_Tensor:$input, HX_ShapeTensor:$sizes,
                       1DTensorOf<[F32, F64]>:$scales, Optional<HX_Tensor>:$roi,
                       StrAttr:$coordinates, StrAttr:$nearest,
                       DefaultValuedAttr<F64Attr, "-0.75">:$cubicCoefficient,
                       DefaultValuedAttr<BoolAttr, "false">:$excludeOutside,
                       DefaultValuedAttr<BoolAttr, "false">:$antialias,
                       DefaultValuedAttr<F64Attr, "0.0">:$extrapolationValue);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$mode $input `,` $sizes `,` $scales (`,` $roi^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
