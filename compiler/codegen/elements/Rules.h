//===- Rules.h - one element of each op, as code ----------------------------===//
//
// `emitElement` writes the code that computes element `index` of an op's result (with
// lanes > 1: `lanes` neighbours along the last axis), in compute type; operands are
// read through `emitter`. A null value says that the op cannot be written so.
// Only ElementEmitter::emit calls them.
//
// In how many lanes an op may be asked for stands in ElementEmitter::keepsLanes; a
// rule without `lanes` is asked for one element at a time.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_ELEMENTS_RULES_H
#define HEXIN_COMPILER_CODEGEN_ELEMENTS_RULES_H

#include "compiler/codegen/ElementEmitter.h"

namespace hexin::codegen {

using Index = llvm::ArrayRef<mlir::Value>;

// Elementwise.cpp
mlir::Value emitElement(ElementEmitter &emitter, hx::UnaryOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::BinaryOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::CompareOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::SelectOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::CastOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::ActivationOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::ConstantOp op, Index index,
                        unsigned lanes); ///< splats only

// Quantize.cpp
mlir::Value emitElement(ElementEmitter &emitter, hx::QuantizeOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::DequantizeOp op, Index index,
                        unsigned lanes);

// Movement.cpp
mlir::Value emitElement(ElementEmitter &emitter, hx::TransposeOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::ReshapeOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::BitcastOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::BroadcastToOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::SliceOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::ConcatOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::IotaOp op, Index index,
                        unsigned lanes);

// Pad.cpp
mlir::Value emitElement(ElementEmitter &emitter, hx::PadOp op, Index index,
                        unsigned lanes);

// Gather.cpp
mlir::Value emitElement(ElementEmitter &emitter, hx::GatherOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::GatherElementsOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::GatherNdOp op, Index index,
                        unsigned lanes);
mlir::Value emitElement(ElementEmitter &emitter, hx::GatherSumOp op, Index index,
                        unsigned lanes);

// Conv.cpp, ConvTranspose.cpp, MatMul.cpp: the sum in order. What a tuned schedule
// takes never comes here.
mlir::Value emitElement(ElementEmitter &emitter, hx::ConvOp op, Index index);
mlir::Value emitElement(ElementEmitter &emitter, hx::ConvIntegerOp op, Index index);
mlir::Value emitElement(ElementEmitter &emitter, hx::ConvTransposeOp op, Index index);
mlir::Value emitElement(ElementEmitter &emitter, hx::MatMulOp op, Index index);
mlir::Value emitElement(ElementEmitter &emitter, hx::MatMulIntegerOp op, Index index);

// Pool.cpp
mlir::Value emitElement(ElementEmitter &emitter, hx::PoolOp op, Index index,
                        unsigned lanes);
/// The second result: where the maximum was.
mlir::Value emitPoolIndex(ElementEmitter &emitter, hx::PoolOp op, Index index);

// Random.cpp
mlir::Value emitElement(ElementEmitter &emitter, hx::RandomBitsOp op, Index index,
                        unsigned lanes);

// Roi.cpp
mlir::Value emitElement(ElementEmitter &emitter, hx::RoiPoolOp op, Index index);

// Resize.cpp
/// An axis may be read at other places and keep its size: 4 * 1.2 is 4 elements, too.
bool isStretched(hx::ResizeOp op, size_t axis);
mlir::Value emitElement(ElementEmitter &emitter, hx::ResizeOp op, Index index,
                        unsigned lanes);

// Search.cpp, Coupling.cpp: loops whose length the data decides.
mlir::Value emitElement(ElementEmitter &emitter, hx::SortedSearchOp op, Index index);
mlir::Value emitElement(ElementEmitter &emitter, hx::CouplePairsOp op, Index index);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_ELEMENTS_RULES_H
