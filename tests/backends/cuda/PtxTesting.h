//===- PtxTesting.h - kernels from MLIR text to PTX, judged by ptxas -----------------===//
#ifndef HEXIN_TESTS_BACKENDS_CUDA_PTXTESTING_H
#define HEXIN_TESTS_BACKENDS_CUDA_PTXTESTING_H

#include <string>
#include <vector>

namespace hexin::test {

/// PTX of a kernel module; "" and the diagnostics in `errors` when refused.
std::string ptxOf(const std::string &mlirText, std::string *errors = nullptr);

/// A kernel around a body, with hx.writes for the last `written` bindings:
///   ptxKernel("k_add", {"f32", "f32"}, 1, body) declares %b0, %b1, %p0, %begin, %end
/// and runs `body` for each item %i. `attributes` go in front of the others, `before`
/// stands before the loop.
std::string ptxKernel(const std::string &name, const std::vector<std::string> &elements,
                      unsigned params, const std::string &body,
                      const std::string &attributes = "", const std::string &before = "");

/// The assembler of a toolkit: $HEXIN_PTXAS, the one that CMake found, or the one on
/// PATH. "" where there is none.
std::string findPtxas();

/// The GPUs that everything we write is assembled for.
const std::vector<std::string> &judgedGpus();

struct Assembly {
  std::string error; ///< "" when it was assembled
  unsigned spillBytes = 0;
  unsigned registers = 0; ///< of the kernel that needs most
};
/// Needs findPtxas().
Assembly assemble(const std::string &ptx, const std::string &gpu);

} // namespace hexin::test

#endif // HEXIN_TESTS_BACKENDS_CUDA_PTXTESTING_H
