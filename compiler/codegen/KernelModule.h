//===- KernelModule.h - what codegen hands to targets -------------------------------===//
//
// Kernel module: a builtin module of func.func, one per kernel,
//   func.func @name(%b0: memref<?xT0>, ..., %p0: i64, ..., %begin: index, %end: index)
//     attributes {hx.bindings = n : i64, hx.params = m : i64, hx.writes = array<i1...>}
// whose body runs work items [begin, end) and holds only
//   scf.for / scf.if / scf.while, arith.*, math.{fma, sqrt, absf, floor, ceil,
//   trunc, roundeven, copysign} (see codegen/LowerMath.h for the others),
//   memref.load/store on the 1-D bindings, memref.alloca of static 1-D scratch,
//   vector.{load, store, broadcast, fma, extract, insert, reduction, shuffle,
//   bitcast, from_elements, to_elements, step} on 1-D power-of-two vectors,
//   memref.cast of scratch to memref<?xT> and arith.select of memrefs for targets whose
//   traits say `flatMemory`, and llvm.call_intrinsic of those that WordDots.h and
//   ByteTiles.h name, with llvm.inttoptr, where they say `wordDots` or `bfloatDots`.
// Vector loads and stores of bindings may say an `alignment` in bytes; the bindings that
// it takes are listed in hx.alignments, the multiples that its position takes params to
// be in hx.param_multiples (both array<i64>, 1 for any; runtime/device/KernelAbi.h).
// With hx.workspace (unit) the last of the n bindings is memref<?xf32> of memory that
// each thread has to itself (runtime/device/KernelAbi.h); not in hx.writes and
// hx.alignments. With hx.flushes_subnormals (unit) f32 and f64 below the normal numbers
// may count as zeros, where a target is faster for it. Elements in memory are i8, i16,
// i32, i64, f16, bf16, f32, f64; bool is an i8 that holds 0 or 1. No calls, no globals.
//
// A *team kernel* (attributes hx.team_threads = t, hx.local_bytes = n) has each of its
// items run by a team of t threads that share memory on the chip: a work-group of
// OpenCL, a block of CUDA. Besides the above it holds
//   gpu.thread_id x       the thread's number in its team, 0 .. t-1
//   gpu.barrier           reached by all threads of the team or by none
//   gpu.shuffle xor       of i32 or f32, over all threads of a warp, where the target has
//                         warps (CodegenTraits::warpThreads) and t is whole ones;
//                         reached by all threads of the warp or by none
//   memref.alloca of static 1-D memory in #gpu.address_space<workgroup>, n bytes in
//                         all, undefined when an item begins; a thread sees what others
//                         stored there before the last barrier
// Every thread of a team runs the same items, so that barriers match. Where the traits
// of the target say so, there are besides
//   nvgpu.device_async_copy, nvvm.cp.async.{commit.group, wait.group}    (AsyncCopy.h)
//   nvgpu.{ldmatrix, mma.sync}, vector.shape_cast    (HalfMatrices.h, ByteMatrices.h);
//                         bytes are signed, but for those of a product's operand that
//                         its hx.unsigned_left, hx.unsigned_right name
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_KERNELMODULE_H
#define HEXIN_COMPILER_CODEGEN_KERNELMODULE_H

#include <string>

namespace hexin {

/// On a function: numbers below the normal ones are zeros while it runs.
constexpr const char *flushesSubnormalsAttr = "hx.flushes_subnormals";

/// What a kernel may ask for: where any, 64 threads and 16 KiB at least. A device that
/// has less passes it over when a plan is made (Kernel.team_threads in hexin.fbs).
struct TeamTraits {
  unsigned threads = 0;    ///< at most in a team; 0: write no team kernels
  unsigned localBytes = 0; ///< of memory on the chip for a team
  unsigned sums = 16;      ///< of 32 bits that a thread may hold of a product
  unsigned stages = 1;     ///< steps of a product that may be in local memory at a time
  /// Copies into local memory may go on while threads compute (AsyncCopy.h).
  bool asyncCopies = false;
  /// 32 threads in a row multiply matrices of f16 and bf16 together (HalfMatrices.h), and
  /// of 8-bit integers (ByteMatrices.h).
  bool halfMatrices = false;
};

/// Numbers of 32-bit words that are multiplied and added up (WordDots.h); tiles: quads,
/// and whole tiles of them at a time (ByteTiles.h).
enum class WordDots { none, pairs, quads, tiles };

/// The same of pairs of bf16, summed in f32; widened: by arithmetic on f32.
enum class BfloatDots { none, widened, pairs, tiles };

/// What the shared codegen must know of the machine it writes for.
struct CodegenTraits {
  std::string arch; ///< "x86-64-v4", "opencl-c-1.2", ...
  /// The arch that has all kernels that this one has not: it has those only that differ,
  /// for devices that can more. Empty: it has all.
  std::string extends;
  unsigned vectorLanes = 16;     ///< f32 lanes per vector op; 1 = scalar code
  unsigned tileRows = 8;         ///< register tile of a matmul: rows ...
  unsigned tileVectors = 2;      ///< ... x vectors of vectorLanes columns
  unsigned vectorRegisters = 16; ///< that have names
  /// Numbers of 32 bits that an item may sum at a time, where vectors are taken apart
  /// into scalar registers; 0: tileRows and tileVectors say it all.
  unsigned registerSums = 0;
  /// Rows of a tile that lie at a constant distance, so that one pointer serves them all.
  unsigned pitchedRows = 8;
  /// Steps of a product's depth that a loop writes out one after the other.
  unsigned depthSteps = 1;
  /// Divisions take longer than a handful of fused multiply-adds.
  bool slowDivision = false;
  /// Vectors of any length may be shuffled, loaded and stored.
  bool longVectors = false;
  /// Kernels may have a workspace.
  bool workspaces = false;
  bool itemPerElement =
      false; ///< GPU-like: neighbouring items touch neighbouring elements
  /// A vector in memory is one access only where it is aligned to its size. Where that
  /// is not known, elementwise kernels take single elements.
  bool alignedVectors = false;
  /// Scratch and bindings lie in one address space: which of them a load reads may be
  /// chosen at run time (arith.select of memrefs).
  bool flatMemory = false;
  /// There are caches that a kernel may fill ahead (memref.prefetch).
  bool prefetches = false;
  /// Products of small integers, by instructions that LLVM knows by name (WordDots.h).
  WordDots wordDots = WordDots::none;
  BfloatDots bfloatDots = BfloatDots::none;
  /// Threads of a team that hand each other values without memory (gpu.shuffle), a power
  /// of two and neighbours by number; 0: none do.
  unsigned warpThreads = 0;
  TeamTraits team; ///< of devices with on-chip memory among those of this arch
};

} // namespace hexin

#endif // HEXIN_COMPILER_CODEGEN_KERNELMODULE_H
