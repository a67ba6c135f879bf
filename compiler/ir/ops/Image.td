//===- Image.td - compressed pictures -------------------------------------------===//

#ifndef HEXIN_IR_OPS_IMAGE_TD
#define HEXIN_IR_OPS_IMAGE_TD

include "compiler/ir/ops/Sequence.td"

def HX_DecodeImageOp : HX_HostOp<"decode_image"> {
  let summary = "the pixels [height, width, channels] of a file's bytes";
  let description = [{
    BMP, JPEG, JPEG 2000, TIFF, PNG, WebP or PNM. `pixelFormat` is "RGB", "BGR" or
    "Grayscale". Bytes that are no picture give [0, 0, channels].
  }];
  let arguments = (ins 1DTensorOf<[UI8]>:$bytes, DefaultValuedAttr<StrAttr, "\"RGB\"">:$pixelFormat);
  let results = (outs 3DTensorOf<[UI8]>:$result);
  let assemblyFormat = "$bytes attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
