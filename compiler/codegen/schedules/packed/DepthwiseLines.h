//===- DepthwiseLines.h - depthwise convolutions line by line ------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_DEPTHWISELINES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_DEPTHWISELINES_H

#include "compiler/codegen/schedules/packed/Tile.h"

namespace hexin::codegen::packed {

/// Whether `problem` is a depthwise convolution that emitDepthwiseLines takes.
bool goesByLines(const CodegenTraits &traits, const Problem &problem);

/// The whole kernel. `vectors`: of a tile, where registers suffice.
void emitDepthwiseLines(ElementEmitter &emitter, const Problem &problem,
                        Epilogue &epilogue, Vectors vectors);

} // namespace hexin::codegen::packed

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_DEPTHWISELINES_H
