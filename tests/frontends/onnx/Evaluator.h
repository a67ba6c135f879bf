//===- Evaluator.h - an imported module, run op by op -----------------------------===//
#ifndef HEXIN_TESTS_FRONTENDS_ONNX_EVALUATOR_H
#define HEXIN_TESTS_FRONTENDS_ONNX_EVALUATOR_H

#include "frontends/Frontend.h"

#include "hexin/value.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace hexin::onnx::testing {

struct EvaluateOptions {
  /// Every f32 value (inputs, weights, results) is f64: the judge of whole models.
  bool isWide = false;
  /// With isWide: the errors of an f32 engine behind every op (Rounding.h).
  std::optional<uint64_t> roundingSeed = std::nullopt;
};

/// Runs @main with the reference kernels. Errors name the op's location.
Result<std::vector<Tensor>> evaluate(const ImportedModel &model,
                                     std::vector<Tensor> inputs,
                                     const EvaluateOptions &options = {});

} // namespace hexin::onnx::testing

#endif // HEXIN_TESTS_FRONTENDS_ONNX_EVALUATOR_H
