//===- Rounding.h - an f32 engine's rounding errors, drawn at random ----------------===//
//
// Monte Carlo arithmetic (Parker 1997) at the level of ops: a module that runs in
// f64 gets, behind every op whose results are f32, errors of the size that an f32
// engine makes there. What they do to the outputs is then the model's own doing: no
// first-order propagation, no assumption that errors of different ops or elements
// cancel. bench/judge.py says how a bound is made of such runs.
//
// The model of one op, u = 2^-24:
//  - movement, comparison, selection, integers: exact. So is what + - * / sqrt, sums
//    and casts give as a number that f32 has: masks and counts stay what they are.
//  - a sum of K products (conv, matmul, sums): each of K roundings of a running sum
//    s_k is independent with variance at most u^2 s_k^2 / 3. With terms in an order
//    that has nothing to do with their values E[sum s_k^2] <= K (S^2 / 3 + Q / 6) + S^2,
//    where S is the sum and Q the sum of the terms' squares (sampling without
//    replacement); Q is the op itself on squared operands. Sums in blocks, in pairs
//    and with fused products have less error than this.
//  - other elementwise functions: the result is off by up to `ulps` roundings.
//  - anything else (softmax, normalisation, LSTM, pooling, resizing, ...) is
//    computed right from operands that are off by up to `ulps` roundings, times
//    sqrt(K / 6) where it is a product inside.
//
// What this leaves out: roundings that are not independent, an order of summation
// that the values chose, algorithms with a larger constant (Winograd: about 2).
//
//===------------------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_FRONTENDS_ONNX_ROUNDING_H
#define HEXIN_TESTS_FRONTENDS_ONNX_ROUNDING_H

#include "runtime/reference/Reference.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hexin::onnx::testing {

/// One op, as the reference kernels run it.
struct OpCall {
  std::string_view name;
  const Attributes &attributes;
  std::span<const Tensor *const> operands;
  std::span<const DType> resultTypes;
  /// Per operand and per result, whether it is f32 in the model (and f64 here).
  const std::vector<bool> &singleOperands;
  const std::vector<bool> &singleResults;

  Result<std::vector<Tensor>> run() const {
    return reference::run(name, attributes, operands, resultTypes);
  }
};

/// The errors of one run, a function of `seed` and of the ops in their order.
class Rounding {
public:
  explicit Rounding(uint64_t seed) : state(seed) {}

  /// `call`'s results with their errors.
  Result<std::vector<Tensor>> run(const OpCall &call);

private:
  double draw(); ///< mean 0, variance 1, at most sqrt(3)
  Tensor perturbed(const Tensor &tensor, double relative, bool sparesExact = false);
  Status addSumErrors(const OpCall &call, Tensor &result);
  Result<std::vector<Tensor>> runOnPerturbed(const OpCall &call);

  uint64_t state;
};

} // namespace hexin::onnx::testing

#endif // HEXIN_TESTS_FRONTENDS_ONNX_ROUNDING_H
