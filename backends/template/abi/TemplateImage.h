//===- TemplateImage.h - what both halves know of an image -------------------===//
//
// Anything the compile half writes and the run half reads belongs in abi/, and
// only that: the halves share no other file. Neither LLVM nor a vendor's header
// is included here.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_TEMPLATE_ABI_TEMPLATEIMAGE_H
#define HEXIN_BACKENDS_TEMPLATE_ABI_TEMPLATEIMAGE_H

namespace hexin::templ {

/// The `arch` of images. Name what decides whether a device can load it: an
/// instruction set ("x86-64-v4"), a language version ("opencl-c-1.2"), ... A
/// change that old devices cannot read gets a new name.
inline constexpr char imageArch[] = "template-1";

} // namespace hexin::templ

#endif // HEXIN_BACKENDS_TEMPLATE_ABI_TEMPLATEIMAGE_H
