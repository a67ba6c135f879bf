#include "backends/cpu/runtime/IsaDetect.h"

#include <cpuid.h>
#include <cstdint>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace hexin::cpu {
namespace {

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

/// All zero where the processor does not know the leaf.
Registers cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

bool hasAll(uint32_t value, uint32_t bits) { return (value & bits) == bits; }

/// The register state that the operating system saves (XCR0).
uint64_t savedState() {
  if (!hasAll(cpuid(1).c, bit_OSXSAVE))
    return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

/// Tiles are so much state that Linux wants to be asked, once for the process.
bool mayUseTiles() {
  constexpr long requestPermission = 0x1023, tileData = 18; // asm/prctl.h
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
}

std::vector<std::string> detect() {
  Registers basic = cpuid(1), more = cpuid(7), extended = cpuid(0x80000001);
  uint64_t state = savedState();
  constexpr uint64_t ymmState = 0x6, zmmState = 0xe6, tileState = 0x60000;
  constexpr uint32_t lahf = 1, tiles = 1u << 24; // compilers name them differently
  constexpr uint32_t ofBytes = 1u << 25, ofBfloats = 1u << 22, bfloatPairs = 1u << 5;

  bool v2 = hasAll(basic.c, bit_SSE3 | bit_SSSE3 | bit_CMPXCHG16B | bit_SSE4_1 |
                                bit_SSE4_2 | bit_POPCNT) &&
            hasAll(extended.c, lahf);
  bool v3 = v2 && hasAll(basic.c, bit_AVX | bit_FMA | bit_F16C | bit_MOVBE) &&
            hasAll(more.b, bit_AVX2 | bit_BMI | bit_BMI2) &&
            hasAll(extended.c, bit_LZCNT) && (state & ymmState) == ymmState;
  bool v4 = v3 &&
            hasAll(more.b, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ |
                               bit_AVX512VL) &&
            (state & zmmState) == zmmState;
  std::vector<std::string> archs;
  bool vnni = v4 && hasAll(more.c, bit_AVX512VNNI);
  bool bf16 = v4 && hasAll(cpuid(7, 1).a, bfloatPairs);
  bool hasTiles = (vnni || bf16) && hasAll(more.d, tiles) &&
                  (state & tileState) == tileState && mayUseTiles();
  if (vnni && hasTiles && hasAll(more.d, ofBytes))
    archs.push_back("x86-64-v4+avx512vnni+amx-int8");
  if (vnni)
    archs.push_back("x86-64-v4+avx512vnni");
  if (bf16 && hasTiles && hasAll(more.d, ofBfloats))
    archs.push_back("x86-64-v4+avx512bf16+amx-bf16");
  if (bf16)
    archs.push_back("x86-64-v4+avx512bf16");
  if (v4)
    archs.push_back("x86-64-v4");
  if (v3)
    archs.push_back("x86-64-v3");
  if (v2)
    archs.push_back("x86-64-v2");
  return archs;
}

} // namespace

const std::vector<std::string> &supportedArchs() {
  static const std::vector<std::string> archs = detect();
  return archs;
}

std::string processorName() {
  if (cpuid(0x80000000).a < 0x80000004)
    return "x86-64 processor";
  char text[49] = {};
  for (uint32_t i = 0; i < 3; ++i) {
    Registers r = cpuid(0x80000002 + i);
    std::memcpy(text + 16 * i, &r, 16);
  }
  std::string name(text);
  size_t first = name.find_first_not_of(' ');
  if (first == std::string::npos)
    return "x86-64 processor";
  return name.substr(first, name.find_last_not_of(' ') - first + 1);
}

} // namespace hexin::cpu
