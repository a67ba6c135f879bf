//===- WinogradWeights.h - a convolution's weights, transformed ----------------===//
//
// F(m x m, 3x3) computes m x m neighbouring outputs of a 3x3 convolution from
// (m+2)^2 products per pair of channels instead of 9 m^2:
//
//   y = At [ (G g Gt) * (Bt d B) ] A      g: 3x3 weights, d: (m+2)^2 inputs, *: by
//   element
//
// The matrices belong to points p at which polynomials are evaluated, and infinity:
//
//   m = 2:  0, 1, -1                      m = 4:  0, a, -a, b, -b   a^2 = 1/2, b^2 = 2
//   row p of At's transpose:  1 p .. p^(m-1)          infinity:  0 .. 0 1
//   row p of G:               (1 p p^2) / n(p)        infinity:  0 0 1
//   row p of Bt:              coefficients of prod of (x - q), all q but p
//                             infinity: all q;  m = 2: row 0 and n(0) negated
//   n(p) = prod of (p - q):   m = 2: -1 2 2    m = 4: 1 -3/2 -3/2 6 6
//
// for m = 4:  Bt =  1   0 -5/2   0  1  0       At =  1 1  1  1  1  0
//                   0 -2a  -2    a  1  0             0 a -a  b -b  0
//                   0  2a  -2   -a  1  0             0 1/2 1/2 2 2 0
//                   0 -b/2 -1/2  b  1  0             0 a/2 -a/2 2b -2b 1
//                   0  b/2 -1/2 -b  1  0
//                   0   1   0 -5/2  0  1
// for m = 2:  Bt =  1 0 -1 0 / 0 1 1 0 / 0 -1 1 0 / 0 -1 0 1,  At = 1 1 1 0 / 0 1 -1 1
//
// These points keep the error near that of direct sums; the usual 0, 1, -1, 2, -2 cost a
// factor of six. What depends on weights alone is made here, in f64 and rounded once:
//
//   panels  [panel][tap][input][width]      tap = 3 * row + column (Encoding.panels)
//   U       [panel][xi][input][width]       xi = (m+2) * row + column, (G g
//   Gt)[row][column]
//
// The bits of U are the same on every machine.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_WINOGRADWEIGHTS_H
#define HEXIN_RUNTIME_ARTIFACT_WINOGRADWEIGHTS_H

#include "hexin/status.h"

#include <cstdint>
#include <optional>
#include <span>

namespace hexin {

/// Of f32 weights [outputs * groups, inputs, 3, 3] in panels of `width` columns.
struct WinogradForm {
  int64_t tile = 0;    ///< m: 2 or 4
  int64_t inputs = 0;  ///< channels of a group
  int64_t outputs = 0; ///< channels of a group
  int64_t groups = 1;
  int64_t width = 0; ///< of panels

  int64_t points() const { return (tile + 2) * (tile + 2); } ///< xi
};

/// How many panels all groups have, and how many floats all of U. Nullopt for a form
/// that does not exist or overflows.
std::optional<int64_t> winogradPanels(const WinogradForm &form);
std::optional<int64_t> winogradElements(const WinogradForm &form);

/// Writes panels [firstPanel, lastPanel) of U to `u`, which has room for these alone;
/// `panels` are all of them. invalidArgument where sizes do not fit the form.
Status transformWeights(const WinogradForm &form, int64_t firstPanel, int64_t lastPanel,
                        std::span<const float> panels, std::span<float> u);

} // namespace hexin

#endif // HEXIN_RUNTIME_ARTIFACT_WINOGRADWEIGHTS_H
