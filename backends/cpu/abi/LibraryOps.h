//===- LibraryOps.h - library commands of the cpu, as artifacts hold them ------===//
//
// What the compile half writes in a library variant and the oneDNN shim reads.
// Attributes are those of the hx op (strides, pads, groups, fn, ...; `layout` is
// "nchw" or "nhwc", of src and dst, also for 1 and 3 spatial axes) and the ones
// below. Bindings in this order:
//   onednn.conv            src, weights [M, C/g, taps...], bias [M] if has_bias,
//   onednn.conv_transpose  src, weights [C, M/g, taps...], bias ...,
//                          operands of binary post-ops in their order, dst
//   onednn.matmul          lhs, rhs [batch..., K, N], bias [N] if has_bias, operands, dst
//   onednn.pool            src, dst    fn = max | avg | avg_include_pad
//
// `post_ops` is a string of steps separated by ';', applied in order:
//   relu  leaky_relu:a  elu:a  sigmoid  tanh  swish  hard_swish  hard_sigmoid:a:b
//   gelu_erf  gelu_tanh  mish  abs  sqrt  square  exp  softplus  clip:lo:hi
//   linear:a:b (a x + b)  sum  (dst += its old contents)
//   add  sub  mul  div  min  max    each with an operand: dst-shaped or broadcast to it
//
// `panels` = [width, groups] says that the weights of a conv or the rhs of a matmul
// are constant and stored in panels (`Encoding` in runtime/artifact/hexin.fbs). Their
// sizes stay those of the plain form.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_ABI_LIBRARYOPS_H
#define HEXIN_BACKENDS_CPU_ABI_LIBRARYOPS_H

namespace hexin::cpu::library {

constexpr char conv[] = "onednn.conv";
constexpr char convTranspose[] = "onednn.conv_transpose";
constexpr char matmul[] = "onednn.matmul";
constexpr char pool[] = "onednn.pool";

constexpr char postOps[] = "post_ops"; ///< string
constexpr char hasBias[] = "has_bias"; ///< 0 or 1
constexpr char panels[] = "panels";    ///< ints

} // namespace hexin::cpu::library

#endif // HEXIN_BACKENDS_CPU_ABI_LIBRARYOPS_H
