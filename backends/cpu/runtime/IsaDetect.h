//===- IsaDetect.h - which images this machine runs ---------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_ISADETECT_H
#define HEXIN_BACKENDS_CPU_RUNTIME_ISADETECT_H

#include <string>
#include <string_view>
#include <vector>

namespace hexin::cpu {

/// The x86-64 levels that both the processor and the operating system (which must
/// save the wide registers) support, best first: of "x86-64-v4", "x86-64-v3",
/// "x86-64-v2", before the first "x86-64-v4+avx512vnni+amx-int8" and
/// "x86-64-v4+avx512vnni", and the same of bf16. Empty on an older machine.
const std::vector<std::string> &supportedArchs();

/// The processor's name for people, e.g. "AMD EPYC 9B45".
std::string processorName();

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_ISADETECT_H
