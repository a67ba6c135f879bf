#include "compiler/artifact/ArtifactWriter.h"

#include "compiler/transforms/ConstantTensor.h"

#include "mlir/Bytecode/BytecodeWriter.h"

using namespace mlir;

namespace hexin {

Result<std::string> writePortable(ModuleOp module, WeightSection &weights) {
  Status status;
  module.walk([&](hx::WeightOp weight) {
    std::optional<Tensor> tensor = hx::constantTensor(weight.getResult());
    if (!tensor) {
      status = internalError("the data of weight '" + weight.getEntry().str() +
                             "' is not at hand");
      return;
    }
    uint32_t entry = weights.findOrAdd(weight.getEntry().str(), *tensor);
    weight.setEntry("#" + std::to_string(entry));
  });
  HEXIN_RETURN_IF_ERROR(status);
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  BytecodeWriterConfig config("hexin");
  if (failed(writeBytecodeToFile(module, os, config)))
    return internalError("the portable program could not be written");
  return bytes;
}

static Result<uint32_t> writeSection(ArtifactFile &file, fmt::SectionKind kind,
                                     std::string_view bytes) {
  HEXIN_RETURN_IF_ERROR(file.beginSection(kind));
  HEXIN_RETURN_IF_ERROR(file.append(bytes));
  return file.endSection();
}

Result<uint64_t> writeArtifact(const std::string &path, fmt::HeaderT header,
                               std::vector<TargetProgram> programs, WeightSection &weights,
                               const std::string &portable) {
  HEXIN_ASSIGN_OR_RETURN(std::unique_ptr<ArtifactFile> file, ArtifactFile::create(path));
  HEXIN_RETURN_IF_ERROR(weights.write(*file, header));
  for (TargetProgram &program : programs) {
    for (const Image &image : program.images) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t section,
                             writeSection(*file, fmt::SectionKind::image, image.bytes));
      auto entry = std::make_unique<fmt::ImageT>();
      entry->arch = image.arch;
      entry->section = section;
      program.program->images.push_back(std::move(entry));
    }
    header.programs.push_back(std::move(program.program));
  }
  HEXIN_RETURN_IF_ERROR(writeSection(*file, fmt::SectionKind::portable, portable).status());
  header.portable_version = portableVersion;
  return file->commit(header);
}

} // namespace hexin
