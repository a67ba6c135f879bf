// hexin-peak [THREADS]      {"isa": "avx512", "gflops": 255.1, "read_gbs": 33.2}
#include "runtime/tools/CpuPeak.h"

#include <cstdio>
#include <cstdlib>

int main(int argc, char **argv) {
  auto peak = hexin::cli::measureCpuPeak(argc > 1 ? std::atoi(argv[1]) : 1);
  if (!peak) {
    std::fprintf(stderr, "hexin-peak: %s\n", peak.status().message().c_str());
    return 1;
  }
  std::printf("{\"isa\": \"%s\", \"gflops\": %.1f, \"read_gbs\": %.1f}\n",
              peak->isa.c_str(), peak->flops * 1e-9, peak->readBytes * 1e-9);
}
