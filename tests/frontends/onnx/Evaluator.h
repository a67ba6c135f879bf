//===- Evaluator.h - an imported module, run op by op -----------------------------===//
#ifndef HEXIN_TESTS_FRONTENDS_ONNX_EVALUATOR_H
#define HEXIN_TESTS_FRONTENDS_ONNX_EVALUATOR_H

#include "frontends/Frontend.h"

#include "hexin/value.h"

#include <vector>

namespace hexin::onnx::testing {

/// Runs @main with the reference kernels. With `isWide` every f32 value (inputs,
/// weights, results) is f64: the judge of whole models. Errors name the op's
/// location.
Result<std::vector<Tensor>> evaluate(const ImportedModel &model,
                                     std::vector<Tensor> inputs, bool isWide = false);

} // namespace hexin::onnx::testing

#endif // HEXIN_TESTS_FRONTENDS_ONNX_EVALUATOR_H
