#include "frontends/onnx/wire/Reader.h"

#include "frontends/onnx/wire/MappedFile.h"
#include "frontends/onnx/wire/Parser.h"
#include "frontends/onnx/wire/Utf8.h"

#include <filesystem>

namespace hexin::onnx {

static Result<Model> parseModel(std::span<const std::byte> bytes,
                                const ReadLimits &limits) {
  if (bytes.size() > limits.maxFileBytes)
    return resourceExhausted("is " + std::to_string(bytes.size()) +
                             " bytes, more than the " +
                             std::to_string(limits.maxFileBytes) +
                             " an ONNX file can have: keep the weights as external data");
  Parser parser(limits.baseBytes + limits.bytesPerFileByte * bytes.size(),
                limits.maxDepth);
  Model model;
  Status status = parser.parse(
      std::string_view(reinterpret_cast<const char *>(bytes.data()), bytes.size()),
      model);
  if (!status.ok()) // names in it come from the damaged file
    return Status(status.code(), toUtf8(status.message()));
  if (model.opsets.empty() || (model.graph.nodes.empty() && model.graph.outputs.empty()))
    return corruptData("is not an ONNX model: it has no operator sets or no graph");
  return model;
}

Result<Model> readModel(const std::string &path, const ReadLimits &limits) {
  HEXIN_ASSIGN_OR_RETURN(std::shared_ptr<MappedFile> file, MappedFile::open(path));
  Result<Model> model = parseModel(file->bytes(), limits);
  if (!model.ok())
    return model.status().withContext("'" + path + "'");
  model->storage = file;
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  model->folder = folder.empty() ? "." : folder.string();
  return model;
}

Result<Model> readModel(std::span<const std::byte> bytes,
                        std::shared_ptr<const void> owner, const ReadLimits &limits) {
  Result<Model> model = parseModel(bytes, limits);
  if (!model.ok())
    return model.status().withContext("the model in memory");
  model->storage = std::move(owner);
  return model;
}

} // namespace hexin::onnx
