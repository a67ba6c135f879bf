//===- KernelAbi.h - what a compiled kernel looks like on every target -------===//
//
// One contract for all targets. A kernel has
//   bindings  pointers into buffers, already offset; a binding's memory is at
//             least its footprint (an expression over params, checked when the
//             launch is planned) and aligned to its elements, or to what the kernel
//             says that it counts on (Kernel.alignments, up to 64 bytes): all that a
//             plan places is so, weights and temporaries; memory of the caller, a view
//             or an entry of a loop's stack may not be, and is an error then
//   params    int64: sizes, strides (in elements; 0 where a dim broadcasts at
//             run time), scalars; multiples of what Kernel.param_multiples says
//   items     work items 0 .. items-1, independent of each other
//
// CPU (ELF):   void name(void *const *bindings, const int64_t *params,
//                        int64_t begin, int64_t end);
//              runs items [begin, end).
// OpenCL C:    __kernel void name(__global uchar *b0, ulong o0, ... ,
//                                 long p0, ..., long items)
//              buffer and byte offset per binding; work item get_global_id(0)
//              runs that item; global size is rounded up, ids >= items return.
// PTX:         .entry name(.u64 b0, ..., .s64 p0, ..., .s64 items), as OpenCL.
//
// A team kernel (Kernel.team_threads = t > 0) has each item run by a team of t threads
// that share local memory: a work-group of size t, reqd_work_group_size says so, and
// the item is get_group_id(0); a block of t threads in PTX. Its text stands under
// `#ifdef HXH_LOCAL_MEMORY` in OpenCL C. CPU images have none.
//
// A kernel with a workspace (Kernel.workspace_bytes, an expression over params) finds
// behind its bindings one more pointer, 64-byte aligned, to so many bytes that no other
// thread uses while the call lasts; what is in them at first is undefined. Only for
// devices with HEXIN_DEVICE_WORKSPACE.
//
// Kernels never allocate, never start threads, keep no state. Version of this
// contract: hexin.kernelAbiVersion; an image of another version is refused.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_DEVICE_KERNELABI_H
#define HEXIN_RUNTIME_DEVICE_KERNELABI_H

#include <cstdint>

namespace hexin {

inline constexpr uint32_t kernelAbiVersion = 1;

/// What a kernel takes off the limit of a length that is beyond it, to say so in the row
/// of a Fault (runtime/artifact/hexin.fbs).
inline constexpr int64_t lengthFault = int64_t(1) << 62;

using CpuKernelFn = void (*)(void *const *bindings, const int64_t *params, int64_t begin,
                             int64_t end);

} // namespace hexin

#endif // HEXIN_RUNTIME_DEVICE_KERNELABI_H
