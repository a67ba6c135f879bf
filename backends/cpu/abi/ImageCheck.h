//===- ImageCheck.h - what a CPU image must look like ------------------------------===//
//
// A CPU image is an ELF shared object that needs no dynamic linker: its segments
// can be mapped straight from the artifact and run. The compiler checks what it
// writes and the device checks what it loads with this one function. It trusts
// nothing in the bytes, reads only inside them, and its time is linear in them.
//
// An image is accepted when
//   - it is little-endian ELF64, x86-64, type DYN, at most 1 GiB
//   - its loadable segments start on page boundaries in file and memory, come in
//     ascending order, lie wholly in the file, and are R or R-X: nothing writable
//   - its dynamic section holds only a symbol table, its strings and its hash: no
//     relocations, no libraries, no initialisers
//   - every symbol is defined, inside a loadable segment; functions inside an
//     executable one
//   - the symbol `hexin_kernel_abi` names a u32 that equals kernelAbiVersion
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_ABI_IMAGECHECK_H
#define HEXIN_BACKENDS_CPU_ABI_IMAGECHECK_H

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hexin::cpu {

inline constexpr uint64_t imagePageBytes = 4096;
inline constexpr const char *kernelAbiSymbol = "hexin_kernel_abi";

struct ImageSegment {
  uint64_t fileOffset; ///< a multiple of imagePageBytes
  uint64_t address;    ///< from the load base; a multiple of imagePageBytes
  uint64_t byteLength;
  bool isExecutable;
};

/// A checked image. Refers to the bytes that were checked.
class ImageLayout {
public:
  const std::vector<ImageSegment> &segments() const { return segments_; }
  /// Bytes of address space from the load base.
  uint64_t addressSpan() const { return addressSpan_; }
  /// Address of a kernel's entry point from the load base.
  std::optional<uint64_t> findKernel(std::string_view name) const;

private:
  friend class ImageChecker;

  std::vector<ImageSegment> segments_;
  uint64_t addressSpan_ = 0;
  std::span<const uint8_t> symbols_;
  std::span<const uint8_t> strings_;
  std::span<const uint8_t> hash_;
};

/// The layout of an acceptable image; else nullopt, and `error` says what was
/// expected and what is there.
std::optional<ImageLayout> checkImage(std::span<const uint8_t> bytes, std::string &error);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_ABI_IMAGECHECK_H
