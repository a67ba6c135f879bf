// couple_pairs: probabilities of classes out of those of pairs, by the second method of
// Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise
// coupling" (2004).

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"

#include <algorithm>
#include <cmath>

namespace hexin::reference {
namespace {

/// One row: r [C, C], p [C]; Q [C, C] and product = Q p [C] are work space.
struct Coupling {
  size_t count;
  const double *r;
  double *p;
  std::vector<double> q, product;

  void prepare() {
    for (size_t i = 0; i < count; ++i) {
      p[i] = 1.0 / double(count);
      double diagonal = 0;
      for (size_t j = 0; j < count; ++j) {
        if (j == i)
          continue;
        diagonal += r[j * count + i] * r[j * count + i];
        q[i * count + j] = -r[j * count + i] * r[i * count + j];
      }
      q[i * count + i] = diagonal;
    }
  }

  /// product = Q p; gives p Q p.
  double multiply() {
    double total = 0;
    for (size_t i = 0; i < count; ++i) {
      product[i] = 0;
      for (size_t j = 0; j < count; ++j)
        product[i] += q[i * count + j] * p[j];
      total += p[i] * product[i];
    }
    return total;
  }

  /// Solves for each class in turn.
  void improve(double total) {
    for (size_t i = 0; i < count; ++i) {
      double diagonal = q[i * count + i];
      double step = (total - product[i]) / diagonal;
      p[i] += step;
      double scale = 1 + step;
      total = (total + step * (step * diagonal + 2 * product[i])) / scale / scale;
      for (size_t j = 0; j < count; ++j) {
        product[j] = (product[j] + step * q[i * count + j]) / scale;
        p[j] /= scale;
      }
    }
  }

  void solve(int64_t maxRounds) {
    prepare();
    for (int64_t round = 0;; ++round) {
      double total = multiply(), error = 0;
      for (double line : product)
        error = std::max(error, std::abs(line - total));
      if (!(error >= 0.005 / double(count)) || round >= maxRounds)
        return;
      improve(total);
    }
  }
};

} // namespace

Results runCouplePairs(const Call &call) {
  const Tensor &input = call.operand(0);
  auto in = input.dims();
  int64_t maxRounds = call.attributes.getInt("maxRounds", 100);
  if (in.size() != 3 || in[1] != in[2] || domainOf(input.dtype()) != Domain::floating)
    return invalidArgument("the input must be [N, C, C] floats, got " + formatDims(in));
  if (maxRounds < 0 || maxRounds > 1000)
    return invalidArgument("maxRounds=" + std::to_string(maxRounds) +
                           " must be from 0 to 1000");
  const int64_t dims[] = {in[0], in[1]}, square[] = {in[1], in[1]};
  HEXIN_ASSIGN_OR_RETURN(size_t size, workSize(dims, call));
  HEXIN_ASSIGN_OR_RETURN(size_t squareSize, workSize(square, call));
  Wide<double> r(input);
  std::vector<double> p(size);
  Coupling coupling{size_t(in[1]), nullptr, nullptr, std::vector<double>(squareSize),
                    std::vector<double>(size_t(in[1]))};
  for (int64_t row = 0; row < in[0]; ++row) {
    coupling.r = r.data() + row * in[1] * in[1];
    coupling.p = p.data() + row * in[1];
    coupling.solve(maxRounds);
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor result, storeResult(call, 0, dims, p.data()));
  return single(std::move(result));
}

} // namespace hexin::reference
