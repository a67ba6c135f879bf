// activation: each kind as its formula, in f64, not through the decomposition.

#include "runtime/reference/Activation.h"

#include "runtime/reference/Kernel.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hexin::reference {
namespace {

double clamp01(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
double softplus(double x) {
  return std::isnan(x) ? x : std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Row {
  std::string_view kind;
  ScalarActivation fn;
};

constexpr Row rows[] = {
    {"relu", [](double x, double, double) { return x < 0 ? 0 : x; }},
    {"leaky_relu", [](double x, double alpha, double) { return x < 0 ? alpha * x : x; }},
    {"elu",
     [](double x, double alpha, double) { return x < 0 ? alpha * std::expm1(x) : x; }},
    {"celu",
     [](double x, double alpha, double) {
       return x < 0 ? std::min(0.0, alpha * std::expm1(x / alpha)) : x;
     }},
    {"selu", [](double x, double alpha,
                double beta) { return beta * (x > 0 ? x : alpha * std::expm1(x)); }},
    {"softplus", [](double x, double, double) { return softplus(x); }},
    {"softsign", [](double x, double, double) { return x / (1 + std::fabs(x)); }},
    {"hard_sigmoid",
     [](double x, double alpha, double beta) { return clamp01(alpha * x + beta); }},
    {"hard_swish", [](double x, double, double) { return x * clamp01(x / 6 + 0.5); }},
    {"swish", [](double x, double alpha, double) { return x * sigmoid(alpha * x); }},
    {"mish", [](double x, double, double) { return x * std::tanh(softplus(x)); }},
    // erfc keeps the digits that 1 + erf(x) loses for negative x.
    {"gelu_erf", [](double x, double,
                    double) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); }},
    {"gelu_tanh",
     [](double x, double, double) {
       double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
       return 0.5 * x * (1 + std::tanh(inner));
     }},
    {"thresholded_relu",
     [](double x, double alpha, double) { return x > alpha ? x : 0; }},
    {"shrink",
     [](double x, double alpha, double beta) {
       return x < -alpha ? x + beta : x > alpha ? x - beta : 0;
     }},
    {"affine", [](double x, double alpha, double beta) { return alpha * x + beta; }},
    {"scaled_tanh",
     [](double x, double alpha, double beta) { return alpha * std::tanh(beta * x); }},
};

} // namespace

ScalarActivation findActivation(std::string_view kind) {
  for (const Row &row : rows)
    if (row.kind == kind)
      return row.fn;
  return nullptr;
}

Results runActivation(const Call &call) {
  const Tensor &input = call.operand(0);
  std::string_view kind = call.attributes.getString("kind");
  double alpha = call.attributes.getFloat("alpha");
  double beta = call.attributes.getFloat("beta");
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, input));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, input.dims()));
  if (kind == "relu" && domainOf(input.dtype()) == Domain::integer) {
    for (int64_t i = 0; i < input.numElements(); ++i) {
      int64_t x;
      loadElements(input.dtype(), input.data(), i, 1, 1, &x);
      x = input.dtype() != DType::u64 && x < 0 ? 0 : x;
      storeElements(result.dtype(), result.data(), i, 1, &x);
    }
    return single(std::move(result));
  }
  ScalarActivation fn = findActivation(kind);
  if (!fn || domainOf(input.dtype()) != Domain::floating)
    return unknownKeyword("kind", kind);
  constexpr int64_t chunk = 1024;
  double x[chunk];
  for (int64_t start = 0; start < input.numElements(); start += chunk) {
    int64_t n = std::min(chunk, input.numElements() - start);
    loadElements(input.dtype(), input.data(), start, 1, n, x);
    for (int64_t i = 0; i < n; ++i)
      x[i] = fn(x[i], alpha, beta);
    storeElements(result.dtype(), result.data(), start, n, x);
  }
  return single(std::move(result));
}

} // namespace hexin::reference
