//===- Ops.h - the library ops ----------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_OPS_H
#define HEXIN_BACKENDS_CPU_ONEDNN_OPS_H

#include "backends/cpu/onednn/Op.h"

namespace hexin::onednn {

/// Each makes the op that a command describes (OneDnnShim.h has bindings and
/// attributes). Throw OpError or dnnl::error.
void prepareConv(const hexin_command_desc &desc, Op &op);          // Conv.cpp
void prepareConvTranspose(const hexin_command_desc &desc, Op &op); // Conv.cpp
void preparePool(const hexin_command_desc &desc, Op &op);          // Pool.cpp
void prepareMatMul(const hexin_command_desc &desc, Op &op);        // MatMul.cpp

} // namespace hexin::onednn

#endif // HEXIN_BACKENDS_CPU_ONEDNN_OPS_H
