#include "compiler/artifact/ArtifactReader.h"

#include "compiler/artifact/ArtifactWriter.h"
#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/Ops.h"
#include "runtime/artifact/DerivedWeights.h"
#include "runtime/artifact/VerifyHeader.h"
#include "runtime/base/Checked.h"
#include "runtime/base/Packing.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MemoryBufferRef.h"

using namespace mlir;

namespace hexin {
namespace {

/// Weight `index` in its plain form, as a tensor of sizes `dims`, which have as many
/// elements.
Result<Tensor> readWeight(const fmt::Header &header, uint32_t index,
                          llvm::ArrayRef<int64_t> dims, const Container &container) {
  const fmt::Weight *weight = header.weights()->Get(index);
  if (isDerived(*weight) && weight->encoding() == fmt::Encoding::plain)
    weight = header.weights()->Get(weight->derived_from()); // in panels
  auto dtype = static_cast<DType>(weight->dtype());
  std::span<const std::byte> stored =
      container.weights().subspan(weight->offset(), weight->length());
  if (weight->encoding() == fmt::Encoding::plain)
    return Tensor::wrap(dtype, dims, const_cast<std::byte *>(stored.data()),
                        stored.size());
  if (weight->encoding() != fmt::Encoding::panels)
    return corruptData("the portable program names a weight in Winograd form, of which "
                       "the plain one cannot be made");
  std::optional<PanelShape> shape = panelShapeOf(*weight);
  if (!shape || shape->packedBytes() != stored.size())
    return corruptData("a packed weight is not as large as its panels");
  HEXIN_ASSIGN_OR_RETURN(Tensor plain, Tensor::allocate(dtype, dims));
  HEXIN_RETURN_IF_ERROR(
      unpackPanels(*shape, stored, {plain.as<std::byte>(), plain.byteLength()}));
  return plain;
}

/// Fills the store and makes the module's "#3" into the store's names.
Status connectWeights(PortableModel &model, const fmt::Header &header) {
  Status status;
  std::map<std::pair<uint32_t, std::vector<int64_t>>, std::string> names;
  model.module->walk([&](hx::WeightOp op) {
    uint32_t index = 0;
    uint32_t count = header.weights() ? header.weights()->size() : 0;
    llvm::StringRef entry = op.getEntry();
    if (!entry.consume_front("#") || entry.getAsInteger(10, index) || index >= count) {
      status = corruptData("the portable program names weight '" + op.getEntry().str() +
                           "', of " + std::to_string(count));
      return WalkResult::interrupt();
    }
    const fmt::Weight &weight = *header.weights()->Get(index);
    auto type = cast<RankedTensorType>(op.getType());
    std::optional<DType> dtype = hx::toDType(type.getElementType());
    // Programs may have the same elements in other sizes.
    std::vector<int64_t> dims(weight.dims()->begin(), weight.dims()->end());
    if (!dtype || static_cast<uint8_t>(*dtype) != weight.dtype() ||
        checkedNumElements(type.getShape()) != checkedNumElements(dims)) {
      status = corruptData("the portable program and weight " + std::to_string(index) +
                           " differ in type");
      return WalkResult::interrupt();
    }
    std::string &name = names[{index, type.getShape().vec()}];
    if (name.empty()) {
      Result<Tensor> tensor =
          readWeight(header, index, type.getShape(), *model.container);
      if (!tensor.ok()) {
        status = tensor.status();
        return WalkResult::interrupt();
      }
      name = model.weights->add(weight.name() ? weight.name()->str() : "weight",
                                std::move(*tensor));
    }
    op.setEntry(name);
    return WalkResult::advance();
  });
  return status;
}

} // namespace

Result<PortableModel> readPortable(const std::string &path, MLIRContext &context) {
  PortableModel model;
  HEXIN_ASSIGN_OR_RETURN(Container container,
                         Container::open(path, /*verifyHashes=*/true));
  model.container = std::make_unique<Container>(std::move(container));
  const fmt::Header &header = model.container->header();
  std::optional<uint32_t> section;
  for (uint32_t i = 0; header.sections() && i < header.sections()->size(); ++i)
    if (header.sections()->Get(i)->kind() == fmt::SectionKind::portable)
      section = i;
  if (!section)
    return failedPrecondition("'" + path + "' has no portable section to retarget from");
  if (header.portable_version() != portableVersion)
    return versionMismatch("the portable section of '" + path + "' has version " +
                           std::to_string(header.portable_version()) +
                           "; this build reads " + std::to_string(portableVersion));

  HEXIN_ASSIGN_OR_RETURN(SectionContents contents, model.container->contents(*section));
  std::span<const std::byte> bytes = contents.bytes;
  Block block;
  ParserConfig config(&context);
  llvm::MemoryBufferRef buffer(
      StringRef(reinterpret_cast<const char *>(bytes.data()), bytes.size()), path);
  if (failed(readBytecodeFile(buffer, &block, config)))
    return corruptData("the portable section of '" + path + "' cannot be read");
  auto module = block.empty() ? nullptr : dyn_cast<ModuleOp>(block.front());
  if (!module || !module.lookupSymbol<func::FuncOp>("main"))
    return corruptData("the portable section of '" + path + "' holds no program");
  module->remove();
  model.module = module;
  model.weights = std::make_unique<hx::WeightStore>();
  HEXIN_RETURN_IF_ERROR(connectWeights(model, header));
  hx::WeightStore::attach(*model.module, model.weights.get());

  header.UnPackTo(&model.face);
  for (const auto &program : model.face.programs)
    model.targets.push_back(program->target);
  model.face.weights.clear();
  model.face.sections.clear();
  model.face.programs.clear();
  return model;
}

} // namespace hexin
