#include "compiler/artifact/ArtifactWriter.h"

#include "compiler/transforms/ConstantTensor.h"

#include "mlir/Bytecode/BytecodeWriter.h"

using namespace mlir;

namespace hexin {

/// Literals above this many bytes go to the weights section, which programs share.
constexpr size_t maxPortableLiteral = 512;

static void outlineConstants(ModuleOp module, WeightSection &weights) {
  SmallVector<hx::ConstantOp> large;
  module.walk([&](hx::ConstantOp constant) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (elements && !isa<hx::StringType>(elements.getElementType()) &&
        !elements.isSplat() && elements.getRawData().size() > maxPortableLiteral)
      large.push_back(constant);
  });
  for (hx::ConstantOp constant : large) {
    std::optional<Tensor> tensor = hx::constantTensor(constant.getResult());
    if (!tensor)
      continue; // strings stay
    uint32_t entry = weights.findOrAdd(nodeNames(constant.getLoc()), *tensor);
    OpBuilder builder(constant);
    auto weight = hx::WeightOp::create(builder, constant.getLoc(), constant.getType(),
                                       "#" + std::to_string(entry));
    constant.replaceAllUsesWith(weight.getResult());
    constant.erase();
  }
}

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
  outlineConstants(module, weights);
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  BytecodeWriterConfig config("hexin");
  if (failed(writeBytecodeToFile(module, os, config)))
    return internalError("the portable program could not be written");
  return bytes;
}

static Result<uint32_t> writeImage(ArtifactFile &file, const Image &image) {
  if (!image.isMapped)
    return file.addCompressed(fmt::SectionKind::image, image.bytes);
  HEXIN_RETURN_IF_ERROR(file.beginSection(fmt::SectionKind::image));
  HEXIN_RETURN_IF_ERROR(file.append(image.bytes));
  return file.endSection();
}

/// Images whose `isMapped` is as given. Those come first in a file, for they lie on
/// pages of their own.
static Status writeImages(ArtifactFile &file, std::vector<TargetProgram> &programs,
                          bool isMapped) {
  for (TargetProgram &program : programs)
    for (const Image &image : program.images) {
      if (image.isMapped != isMapped)
        continue;
      HEXIN_ASSIGN_OR_RETURN(uint32_t section, writeImage(file, image));
      auto entry = std::make_unique<fmt::ImageT>();
      entry->arch = image.arch;
      entry->section = section;
      program.program->images.push_back(std::move(entry));
    }
  return Status::success();
}

Result<uint64_t> writeArtifact(const std::string &path, fmt::HeaderT header,
                               std::vector<TargetProgram> programs,
                               WeightSection &weights, const std::string &portable) {
  HEXIN_ASSIGN_OR_RETURN(std::unique_ptr<ArtifactFile> file, ArtifactFile::create(path));
  HEXIN_RETURN_IF_ERROR(weights.write(*file, header));
  HEXIN_RETURN_IF_ERROR(writeImages(*file, programs, /*isMapped=*/true));
  HEXIN_RETURN_IF_ERROR(writeImages(*file, programs, /*isMapped=*/false));
  for (TargetProgram &program : programs)
    header.programs.push_back(std::move(program.program));
  HEXIN_RETURN_IF_ERROR(
      file->addCompressed(fmt::SectionKind::portable, portable).status());
  header.portable_version = portableVersion;
  return file->commit(header);
}

} // namespace hexin
