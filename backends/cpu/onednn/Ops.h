//===- Ops.h - the library ops ----------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_OPS_H
#define HEXIN_BACKENDS_CPU_ONEDNN_OPS_H

#include "backends/cpu/onednn/Op.h"

namespace hexin::onednn {

/// Each makes the op that a command describes (abi/LibraryOps.h has bindings and
/// attributes). Throw OpError or dnnl::error.
using PrepareFn = void(const hexin_command_desc &desc, PrepareContext &context, Op &op);
PrepareFn prepareConv;          // Conv.cpp
PrepareFn prepareConvTranspose; // Conv.cpp
PrepareFn preparePool;          // Pool.cpp
PrepareFn prepareMatMul;        // MatMul.cpp

} // namespace hexin::onednn

#endif // HEXIN_BACKENDS_CPU_ONEDNN_OPS_H
