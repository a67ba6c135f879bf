#include "runtime/tools/CpuPeak.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

namespace hexin::cli {
namespace {

constexpr int numSums = 12; // covers the latency of two units, and fits 16 registers
constexpr int numSteps = 2'000'000;
constexpr size_t bufferBytes = size_t(128) << 20; // per thread, beyond any cache's share

// The empty statement makes the compiler take each sum for needed, and for changed:
// without it equal chains become one.
#define HEXIN_KEEP(sum) asm volatile("" : "+v"(sum))

__attribute__((target("avx512f"))) float multiplyAdd512() {
  __m512 sums[numSums], factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(0.001f);
  for (__m512 &sum : sums)
    sum = term;
  for (int step = 0; step < numSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < numSums; ++i) {
      sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
      HEXIN_KEEP(sums[i]);
    }
  float total = 0;
  for (__m512 sum : sums)
    total += _mm512_cvtss_f32(sum);
  return total;
}

__attribute__((target("avx2,fma"))) float multiplyAdd256() {
  __m256 sums[numSums], factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(0.001f);
  for (__m256 &sum : sums)
    sum = term;
  for (int step = 0; step < numSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < numSums; ++i) {
      sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
      HEXIN_KEEP(sums[i]);
    }
  float total = 0;
  for (__m256 sum : sums)
    total += _mm256_cvtss_f32(sum);
  return total;
}

long readAll(const std::vector<long> &buffer) {
  long sums[8] = {};
  for (size_t i = 0; i + 8 <= buffer.size(); i += 8)
    for (int lane = 0; lane < 8; ++lane)
      sums[lane] += buffer[i + lane];
  long total = 0;
  for (long sum : sums)
    total += sum;
  return total;
}

/// Seconds for `work(thread)` on all threads, which begin together: the best of 5.
template <typename Work> double secondsOf(unsigned numThreads, Work work) {
  double best = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::chrono::steady_clock::time_point begin;
    std::barrier start(numThreads,
                       [&]() noexcept { begin = std::chrono::steady_clock::now(); });
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < numThreads; ++i)
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        work(i);
      });
    for (std::thread &thread : threads)
      thread.join();
    std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::min(best, taken.count());
  }
  return best;
}

} // namespace

Result<Peak> measureCpuPeak(unsigned threads) {
  if (threads < 1 || threads > 1024)
    return invalidArgument("a peak of " + std::to_string(threads) +
                           " threads: expected 1 to 1024");
  bool is512 = __builtin_cpu_supports("avx512f");
  if (!is512 && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")))
    return unsupported("this CPU has neither AVX-512 nor AVX2 with FMA: its peak is not "
                       "measured");
  Peak peak;
  peak.isa = is512 ? "avx512" : "avx2";
  volatile float sink = 0;
  double seconds = secondsOf(
      threads, [&](unsigned) { sink = is512 ? multiplyAdd512() : multiplyAdd256(); });
  peak.flops = 2.0 * (is512 ? 16 : 8) * numSums * double(numSteps) * threads / seconds;

  std::vector<std::vector<long>> buffers(threads);
  for (std::vector<long> &buffer : buffers)
    buffer.assign(bufferBytes / sizeof(long), 1);
  volatile long total = 0;
  double readSeconds =
      secondsOf(threads, [&](unsigned i) { total = readAll(buffers[i]); });
  peak.readBytes = double(bufferBytes) * threads / readSeconds;
  return peak;
}

} // namespace hexin::cli

#else

namespace hexin::cli {

Result<Peak> measureCpuPeak(unsigned) {
  return unsupported("the peak of this CPU is not measured: expected x86-64");
}

} // namespace hexin::cli

#endif
