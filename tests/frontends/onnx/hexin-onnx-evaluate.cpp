// hexin-onnx-evaluate [--f64] DIR... : for each DIR imports DIR/model.onnx, runs it on
// DIR/input_0.pb, input_1.pb, ... (TensorProtos) and writes DIR/result_<i>.pb, or
// DIR/error.txt with "<status code>: <message>". With --f64 f32 values are f64
// throughout; with --rounding=SEED they are, and every op has the errors of an f32
// engine (Rounding.h).
#include "tests/frontends/onnx/Evaluator.h"

#include "frontends/onnx/Import.h"
#include "frontends/onnx/wire/DataType.h"
#include "frontends/onnx/wire/MappedFile.h"
#include "frontends/onnx/wire/Reader.h"
#include "frontends/onnx/wire/TensorLoader.h"

#include "runtime/base/StoredBits.h"

#include "protozero/pbf_writer.hpp"

#include "mlir/IR/MLIRContext.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace hexin;
namespace fs = std::filesystem;

/// A TensorProto alone in a file, read as the initializer of an empty model.
static Result<Tensor> readTensor(const fs::path &path) {
  HEXIN_ASSIGN_OR_RETURN(auto file, onnx::MappedFile::open(path.string()));
  auto storage = std::make_shared<std::string>();
  protozero::pbf_writer model(*storage);
  {
    protozero::pbf_writer graph(model, 7);
    graph.add_bytes(5, reinterpret_cast<const char *>(file->bytes().data()),
                    file->bytes().size());
    graph.add_message(12, std::string());
  }
  model.add_message(8, std::string());
  HEXIN_ASSIGN_OR_RETURN(
      onnx::Model parsed,
      onnx::readModel(std::as_bytes(std::span(storage->data(), storage->size())),
                      storage));
  return onnx::TensorLoader(parsed).load(parsed.graph.initializers[0]);
}

static void writeTensor(const Tensor &tensor, const fs::path &path) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  writer.add_packed_int64(1, tensor.dims().begin(), tensor.dims().end());
  int32_t type = 1;
  while (onnx::toDType(type) != tensor.dtype())
    ++type;
  writer.add_int32(2, type);
  std::string raw(tensor.as<char>(), tensor.byteLength());
  if (auto bits = static_cast<size_t>(storedBits(tensor.dtype())); bits < 8) {
    std::string packed((raw.size() * bits + 7) / 8, '\0');
    for (size_t i = 0; i < raw.size(); ++i)
      packed[i * bits / 8] = static_cast<char>(
          packed[i * bits / 8] | (raw[i] & ((1 << bits) - 1)) << (i * bits % 8));
    raw = packed;
  }
  writer.add_bytes(9, raw);
  std::ofstream(path, std::ios::binary) << bytes;
}

static Status evaluateFolder(const fs::path &folder,
                             const onnx::testing::EvaluateOptions &options) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  HEXIN_ASSIGN_OR_RETURN(ImportedModel model,
                         createOnnxFrontend()->importFile(
                             context, (folder / "model.onnx").string(), ImportOptions()));
  std::vector<Tensor> inputs;
  for (size_t i = 0; fs::exists(folder / ("input_" + std::to_string(i) + ".pb")); ++i) {
    HEXIN_ASSIGN_OR_RETURN(Tensor input,
                           readTensor(folder / ("input_" + std::to_string(i) + ".pb")));
    inputs.push_back(std::move(input));
  }
  HEXIN_ASSIGN_OR_RETURN(auto results,
                         onnx::testing::evaluate(model, std::move(inputs), options));
  for (size_t i = 0; i < results.size(); ++i)
    writeTensor(results[i], folder / ("result_" + std::to_string(i) + ".pb"));
  return Status::success();
}

int main(int argc, char **argv) {
  constexpr std::string_view roundingFlag = "--rounding=";
  onnx::testing::EvaluateOptions options;
  int first = 1;
  for (; first < argc && std::string_view(argv[first]).starts_with("--"); ++first) {
    std::string_view flag = argv[first];
    options.isWide = true;
    if (flag.starts_with(roundingFlag)) {
      options.roundingSeed =
          std::strtoull(argv[first] + roundingFlag.size(), nullptr, 10);
    } else if (flag != "--f64") {
      std::fprintf(stderr, "hexin-onnx-evaluate: unknown option %s\n", argv[first]);
      return 2;
    }
  }
  for (int i = first; i < argc; ++i)
    if (Status status = evaluateFolder(argv[i], options); !status.ok())
      std::ofstream(fs::path(argv[i]) / "error.txt") << status.toString();
  return 0;
}
