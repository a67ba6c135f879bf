//===- ArtifactReader.h - the portable program of a .hxm, back as hx --------===//
//
// What `retarget` starts from: the target-independent module and the weights of an
// artifact, without the source model. Packed weights are unpacked into memory;
// plain ones look into the mapped file.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_ARTIFACT_ARTIFACTREADER_H
#define HEXIN_COMPILER_ARTIFACT_ARTIFACTREADER_H

#include "compiler/ir/WeightStore.h"
#include "runtime/artifact/Container.h"
#include "runtime/artifact/hexin_generated.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <string>

namespace hexin {

struct PortableModel {
  std::unique_ptr<Container> container; ///< keeps the mapping that weights look into
  std::unique_ptr<hx::WeightStore> weights;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  fmt::HeaderT face; ///< names, ports, states and metadata; no weights or programs
  std::vector<std::string> targets; ///< what the artifact had programs for
};

/// corruptData for a damaged file, versionMismatch for a portable section of
/// another version, failedPrecondition for a file without one.
Result<PortableModel> readPortable(const std::string &path, mlir::MLIRContext &context);

} // namespace hexin

#endif // HEXIN_COMPILER_ARTIFACT_ARTIFACTREADER_H
