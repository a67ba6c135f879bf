//===- ArtifactWriter.h - programs, images and weights into one .hxm --------===//
#ifndef HEXIN_COMPILER_ARTIFACT_ARTIFACTWRITER_H
#define HEXIN_COMPILER_ARTIFACT_ARTIFACTWRITER_H

#include "compiler/artifact/ProgramBuilder.h"

#include <string>
#include <vector>

namespace hexin {

/// One target's program, ready to be written.
struct TargetProgram {
  std::unique_ptr<fmt::ProgramT> program;
  std::vector<Image> images; ///< best first
};

/// Version of the hx bytecode in the portable section.
inline constexpr uint32_t portableVersion = 1;

/// The module as bytecode; its hx.weight ops name entries of `weights` by index
/// ("#3"), plain or packed.
Result<std::string> writePortable(mlir::ModuleOp module, WeightSection &weights);

/// Writes `path` (an old file there survives any failure). `header` holds the
/// model's face: names, ports, metadata. Returns the file's length.
Result<uint64_t> writeArtifact(const std::string &path, fmt::HeaderT header,
                               std::vector<TargetProgram> programs,
                               WeightSection &weights, const std::string &portable);

} // namespace hexin

#endif // HEXIN_COMPILER_ARTIFACT_ARTIFACTWRITER_H
