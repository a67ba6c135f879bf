//===- PortTypes.h - types of values as the artifact has them ----------------===//
#ifndef HEXIN_COMPILER_ARTIFACT_PORTTYPES_H
#define HEXIN_COMPILER_ARTIFACT_PORTTYPES_H

#include "runtime/artifact/hexin_generated.h"

#include "hexin/value.h"

#include "mlir/IR/Types.h"

namespace hexin {

ValueKind valueKind(mlir::Type type);

/// Gives `port` its kind, its element type and, where it holds other values, its type;
/// not the sizes of a tensor. Fails on an element type that no tensor in memory has.
Status setPortType(mlir::Type type, fmt::PortT &port);

} // namespace hexin

#endif // HEXIN_COMPILER_ARTIFACT_PORTTYPES_H
