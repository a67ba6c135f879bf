/*===- Standin.h - what the stand-in exports besides the driver API ----------------===
 *
 * For tests: they ask libcuda.so.1 for these by dlsym, and know by their absence that
 * the library is the real one. All functions are thread-safe.
 *===-------------------------------------------------------------------------===*/
#ifndef HEXIN_TESTS_CUDA_DRIVER_STANDIN_H
#define HEXIN_TESTS_CUDA_DRIVER_STANDIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STANDIN_EXPORT __attribute__((visibility("default")))

/* Sums over all devices since the start or `standinReset`. */
typedef struct StandinCounters {
  uint32_t structSize; /* set by the caller; newer fields lie behind */
  uint32_t leaks;      /* live objects: what `standinReport` lists */
  uint64_t launches, warpInstructions, threadInstructions;
  uint64_t globalSectors, idealGlobalSectors; /* of 32 bytes */
  uint64_t sharedWavefronts, idealSharedWavefronts;
  uint64_t fma, mma; /* warp instructions */
  uint64_t graphLaunches, synchronisations, allocations;
  uint64_t hostToDeviceBytes, deviceToHostBytes, deviceToDeviceBytes;
  uint64_t peakDeviceBytes; /* of the device that had most */
  uint64_t faults;          /* kernels and copies that died */
  uint64_t peerAccesses;    /* contexts that were let into another's memory */
} StandinCounters;

STANDIN_EXPORT void standinCounters(StandinCounters *out);

/* Counters, launches by kernel and live objects as text. Returns the bytes of the whole
 * text; writes at most `capacity` of them, zero-terminated. */
STANDIN_EXPORT size_t standinReport(char *text, size_t capacity);

/* Text of the last call that failed, or of the last kernel that died; of any thread.
 * As standinReport. */
STANDIN_EXPORT size_t standinLastError(char *text, size_t capacity);

/* Sets a switch of README.md by its name without "HEXIN_STANDIN_", as the variable would
 * have at the start; NULL is its default. Returns 0 when there is no such switch, or the
 * value is not understood. DEVICES, MEMORY and DRIVER hold from the next standinReset.
 * Counting switches (the n-th ...) count from here. */
STANDIN_EXPORT int standinSet(const char *name, const char *value);

/* Where [address, address + bytes) of a device's memory lies on the host, NULL when it is
 * not inside one allocation: for libraries that compute there, in a host function. */
STANDIN_EXPORT void *standinHostAddress(uint64_t address, size_t bytes);

/* Forgets all contexts, objects, counters and pending work, as a new process would;
 * switches stay. No other call may run meanwhile. */
STANDIN_EXPORT void standinReset(void);

#ifdef __cplusplus
}
#endif

#endif /* HEXIN_TESTS_CUDA_DRIVER_STANDIN_H */
