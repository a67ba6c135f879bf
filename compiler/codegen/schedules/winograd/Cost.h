//===- Cost.h - where Winograd convolutions are faster ---------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_WINOGRAD_COST_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_WINOGRAD_COST_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"

#include <string>

namespace hexin::codegen::winograd {

struct Choice {
  int64_t tile = 0;   ///< m: 2 or 4; 0: not at all
  hx::Dim guard;      ///< faster where it is not 0; null: everywhere
  std::string reason; ///< why not at all
};

/// For a 3x3 convolution of stride 1 with constant weights, from its sizes alone.
Choice choose(hx::ConvOp op, hx::SymbolicShapes &shapes);

/// Tiles of m x m results that a convolution has, those of all images.
hx::Dim tilesOf(hx::ConvOp op, int64_t tile, hx::SymbolicShapes &shapes);

} // namespace hexin::codegen::winograd

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_WINOGRAD_COST_H
