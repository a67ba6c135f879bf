#include "backends/cpu/onednn/PostOps.h"

#include <charconv>
#include <optional>

namespace hexin::onednn {
namespace {

using dnnl::algorithm;

/// A step "name:x:y".
struct Step {
  std::string_view name;
  std::vector<float> numbers;
};

Step parseStep(std::string_view text) {
  Step step;
  size_t colon = text.find(':');
  step.name = text.substr(0, colon);
  while (colon != std::string_view::npos) {
    text.remove_prefix(colon + 1);
    colon = text.find(':');
    std::string_view word = text.substr(0, colon);
    float number = 0;
    auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (code != std::errc() || end != word.data() + word.size())
      throwInvalid("post-op '" + std::string(step.name) + "': '" + std::string(word) +
                   "' is not a number");
    step.numbers.push_back(number);
  }
  return step;
}

struct Elementwise {
  std::string_view name;
  algorithm kind;
  size_t numbers; ///< that the step must give; they are alpha and beta
  float alpha, beta;
};
constexpr Elementwise elementwise[] = {
    {"relu", algorithm::eltwise_relu, 0, 0, 0},
    {"leaky_relu", algorithm::eltwise_relu, 1, 0, 0},
    {"elu", algorithm::eltwise_elu, 1, 0, 0},
    {"sigmoid", algorithm::eltwise_logistic, 0, 0, 0},
    {"tanh", algorithm::eltwise_tanh, 0, 0, 0},
    {"swish", algorithm::eltwise_swish, 0, 1, 0},
    {"hard_swish", algorithm::eltwise_hardswish, 0, 1.0f / 6, 0.5f},
    {"hard_sigmoid", algorithm::eltwise_hardsigmoid, 2, 0, 0},
    {"gelu_erf", algorithm::eltwise_gelu_erf, 0, 0, 0},
    {"gelu_tanh", algorithm::eltwise_gelu_tanh, 0, 0, 0},
    {"mish", algorithm::eltwise_mish, 0, 0, 0},
    {"abs", algorithm::eltwise_abs, 0, 0, 0},
    {"sqrt", algorithm::eltwise_sqrt, 0, 0, 0},
    {"square", algorithm::eltwise_square, 0, 0, 0},
    {"exp", algorithm::eltwise_exp, 0, 0, 0},
    {"softplus", algorithm::eltwise_soft_relu, 0, 1, 0},
    {"clip", algorithm::eltwise_clip, 2, 0, 0},
    {"linear", algorithm::eltwise_linear, 2, 0, 0},
};

constexpr std::pair<std::string_view, algorithm> binary[] = {
    {"add", algorithm::binary_add}, {"sub", algorithm::binary_sub},
    {"mul", algorithm::binary_mul}, {"div", algorithm::binary_div},
    {"min", algorithm::binary_min}, {"max", algorithm::binary_max},
};

bool appendElementwise(dnnl::post_ops &ops, const Step &step) {
  for (const Elementwise &row : elementwise) {
    if (row.name != step.name)
      continue;
    if (step.numbers.size() != row.numbers)
      throwInvalid("post-op '" + std::string(step.name) + "' takes " +
                   std::to_string(row.numbers) + " numbers, got " +
                   std::to_string(step.numbers.size()));
    float alpha = row.numbers > 0 ? step.numbers[0] : row.alpha;
    float beta = row.numbers > 1 ? step.numbers[1] : row.beta;
    ops.append_eltwise(row.kind, alpha, beta);
    return true;
  }
  return false;
}

std::optional<algorithm> findBinary(std::string_view name) {
  for (const auto &[rowName, kind] : binary)
    if (rowName == name)
      return kind;
  return std::nullopt;
}

} // namespace

PostOps parsePostOps(std::string_view text,
                     const std::function<dnnl::memory::desc(size_t)> &operandDesc) {
  PostOps result;
  while (!text.empty()) {
    size_t end = text.find(';');
    Step step = parseStep(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (step.name == "sum") {
      result.ops.append_sum(1.0f);
    } else if (auto kind = findBinary(step.name)) {
      result.ops.append_binary(*kind, operandDesc(result.binarySteps.size()));
      result.binarySteps.push_back(result.ops.len() - 1);
    } else if (!appendElementwise(result.ops, step)) {
      throwUnsupported("oneDNN has no post-op '" + std::string(step.name) + "'");
    }
  }
  return result;
}

} // namespace hexin::onednn
