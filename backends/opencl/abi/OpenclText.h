//===- OpenclText.h - what both halves know of the OpenCL C text -------------===//
//
// The compile half writes the text; the run half builds it with the macros below
// as the device wants them and looks kernels up by their symbol. Arguments of a
// kernel: runtime/device/KernelAbi.h.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_ABI_OPENCLTEXT_H
#define HEXIN_BACKENDS_OPENCL_ABI_OPENCLTEXT_H

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace hexin::opencl {

/// The arch string of images that hold OpenCL C 1.2 text.
inline constexpr std::string_view openclImageArch = "opencl-c-1.2";

/// Defined when building for a device whose f32 fma is a slow emulation: every
/// fma that does not need its single rounding becomes a multiply and an add.
inline constexpr std::string_view slowFmaMacro = "HXH_SLOW_FMA";

/// Defined when building for a device with cl_khr_fp16 (compilers define the
/// extension's own macro for devices without it, too).
inline constexpr std::string_view hasFp16Macro = "HXH_FP16";

/// Defined when building for a device that has local memory on the chip: the text's
/// team kernels (runtime/device/KernelAbi.h) are there then.
inline constexpr std::string_view localMemoryMacro = "HXH_LOCAL_MEMORY";

/// A text is made of blocks: first a head (comments, pragmas), then functions, macros
/// and kernels, each behind what it uses. Blocks of two texts that are equal mean the
/// same, so texts with equal heads can be joined by leaving out what comes again.
inline constexpr std::string_view blockSeparator = "\n\n";

/// At least one; without the separators.
inline std::vector<std::string_view> textBlocks(std::string_view text) {
  std::vector<std::string_view> blocks;
  for (;;) {
    size_t end = text.find(blockSeparator);
    blocks.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return blocks;
    text.remove_prefix(std::min(text.find_first_not_of('\n', end), text.size()));
    if (text.empty())
      return blocks;
  }
}

/// A kernel's name in the text, where OpenCL C allows fewer names than we do:
/// `name` itself, or "hxk_" + `name` with every character outside
/// [A-Za-z0-9] as "_" + two hex digits. Distinct names stay distinct.
inline std::string kernelSymbol(std::string_view name) {
  // Lower-case words without '_' are where C keywords, OpenCL types and nearly
  // all built-in functions live ("float4", "max", "dot"); names with a reserved
  // prefix cover the rest ("get_global_id", "native_sin", "__global").
  auto startsWith = [&](std::string_view prefix) {
    return name.substr(0, prefix.size()) == prefix;
  };
  bool isPlain = !name.empty() && !(name[0] >= '0' && name[0] <= '9');
  bool hasUnderscore = false, hasUpper = false;
  for (char c : name) {
    hasUnderscore |= c == '_';
    hasUpper |= c >= 'A' && c <= 'Z';
    isPlain &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || c == '_';
  }
  isPlain &= hasUnderscore || hasUpper;
  for (std::string_view prefix :
       {"_",          "CL_",      "CLK_",     "M_",      "FLT_",      "DBL_",
        "HALF_",      "INT_",     "UINT_",    "LONG_",   "ULONG_",    "CHAR_",
        "UCHAR_",     "SCHAR_",   "SHRT_",    "USHRT_",  "FP_",       "HUGE_VAL",
        "MAXFLOAT",   "INFINITY", "NAN",      "as_",     "convert_",  "get_",
        "native_",    "half_",    "atomic_",  "atom_",   "async_",    "work_group_",
        "sub_group_", "wait_",    "mem_",     "read_",   "write_",    "image",
        "sampler_",   "event_",   "queue_",   "add_sat", "sub_sat",   "mul_hi",
        "mad_",       "mul24",    "upsample", "fast_",   "vload_",    "vstore_",
        "vloada_",    "vstorea_", "lgamma_",  "size_t",  "ptrdiff_t", "intptr_t",
        "uintptr_t",  "cl_",      "cles_",    "pocl_",   "hxk_",      "hxh_"})
    isPlain &= !startsWith(prefix);
  if (isPlain)
    return std::string(name);

  std::string escaped = "hxk_";
  for (unsigned char c : name) {
    bool isAlnum =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (isAlnum) {
      escaped += static_cast<char>(c);
    } else {
      escaped += '_';
      escaped += "0123456789abcdef"[c >> 4];
      escaped += "0123456789abcdef"[c & 15];
    }
  }
  return escaped;
}

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_ABI_OPENCLTEXT_H
