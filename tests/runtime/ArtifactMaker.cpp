#include "tests/runtime/ArtifactMaker.h"

#include "runtime/artifact/ArtifactFile.h"
#include "runtime/artifact/Container.h"
#include "runtime/artifact/Format.h"
#include "runtime/base/Compression.h"
#include "runtime/base/Hash.h"
#include "runtime/device/KernelAbi.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace hexin::test {
namespace {

/// Text that gets smaller.
constexpr std::string_view imageText =
    "fake kernel 1; fake kernel 2; fake kernel 3; fake kernel 4; fake kernel 5;";

struct TemporaryFolder {
  TemporaryFolder()
      : path(std::filesystem::temp_directory_path() /
             ("hexin-test-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path);
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path, error);
  }
  std::filesystem::path path;
};

} // namespace

std::string temporaryPath(const std::string &name) {
  static TemporaryFolder folder;
  return (folder.path / name).string();
}

std::vector<std::byte> readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void writeFile(const std::string &path, const std::vector<std::byte> &bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char *>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

void fixHashes(std::vector<std::byte> &file) {
  Preamble preamble;
  std::memcpy(&preamble, file.data(), sizeof preamble);
  preamble.headerHash = hash64(std::span<const std::byte>(file).subspan(
      preamble.headerOffset, preamble.headerLength));
  preamble.preambleHash = hash64(
      std::as_bytes(std::span(&preamble, 1)).first(offsetof(Preamble, preambleHash)));
  std::memcpy(file.data(), &preamble, sizeof preamble);
}

ArtifactMaker::ArtifactMaker(const std::string &target) {
  header.producer = "test";
  header.model_name = "made by hand";
  header.programs.push_back(std::make_unique<fmt::ProgramT>());
  program().target = target;
  program().kernel_abi = kernelAbiVersion;
  auto image = std::make_unique<fmt::ImageT>();
  image->arch = "fake-v1";
  image->section = 0;
  program().images.push_back(std::move(image));
}

int32_t ArtifactMaker::addNode(fmt::ExprOp op, int64_t value, int32_t a, int32_t b,
                               int32_t c) {
  program().exprs.emplace_back(value, a, b, c, op);
  return static_cast<int32_t>(program().exprs.size() - 1);
}

int32_t ArtifactMaker::constant(int64_t value) {
  return addNode(fmt::ExprOp::constant, value, 0, 0, 0);
}
int32_t ArtifactMaker::inputDim(int32_t input, int32_t axis) {
  return addNode(fmt::ExprOp::input_dim, 0, input, axis, 0);
}
int32_t ArtifactMaker::element(uint32_t value, int32_t index) {
  return addNode(fmt::ExprOp::element, 0, static_cast<int32_t>(value), index, 0);
}
int32_t ArtifactMaker::resultDim(uint32_t value, int32_t axis) {
  return addNode(fmt::ExprOp::result_dim, 0, static_cast<int32_t>(value), axis, 0);
}
int32_t ArtifactMaker::op(fmt::ExprOp op, int32_t a, int32_t b, int32_t c) {
  return addNode(op, 0, a, b, c);
}

uint32_t ArtifactMaker::addValue(fmt::ValueKind kind, DType dtype,
                                 std::vector<int32_t> dims, fmt::Residency residency) {
  auto value = std::make_unique<fmt::ValueDefT>();
  value->kind = kind;
  value->dtype = static_cast<uint8_t>(dtype);
  value->dims = std::move(dims);
  value->residency = residency;
  program().values.push_back(std::move(value));
  return static_cast<uint32_t>(program().values.size() - 1);
}

void ArtifactMaker::addPort(std::vector<std::unique_ptr<fmt::PortT>> &ports,
                            const std::string &name, DType dtype,
                            std::vector<int64_t> dims, std::vector<std::string> symbols) {
  auto port = std::make_unique<fmt::PortT>();
  port->name = name;
  port->dtype = static_cast<uint8_t>(dtype);
  symbols.resize(dims.size());
  port->dims = std::move(dims);
  port->symbols = std::move(symbols);
  ports.push_back(std::move(port));
}

uint32_t ArtifactMaker::input(const std::string &name, DType dtype,
                              std::vector<int64_t> dims, std::vector<std::string> symbols,
                              fmt::Residency residency) {
  auto index = static_cast<int32_t>(header.inputs.size());
  std::vector<int32_t> exprs;
  for (size_t axis = 0; axis < dims.size(); ++axis)
    exprs.push_back(inputDim(index, static_cast<int32_t>(axis)));
  addPort(header.inputs, name, dtype, std::move(dims), std::move(symbols));
  uint32_t value = addValue(fmt::ValueKind::input, dtype, std::move(exprs), residency);
  program().values[value]->index = index;
  program().values[value]->name = name;
  program().inputs.push_back(value);
  return value;
}

uint32_t ArtifactMaker::temp(DType dtype, std::vector<int32_t> dims,
                             fmt::Residency residency, const std::string &name) {
  uint32_t value = addValue(fmt::ValueKind::temp, dtype, std::move(dims), residency);
  program().values[value]->name = name;
  return value;
}

uint32_t ArtifactMaker::output(const std::string &name, DType dtype,
                               std::vector<int32_t> dims, fmt::Residency residency) {
  uint32_t value = addValue(fmt::ValueKind::output, dtype, std::move(dims), residency);
  program().values[value]->index = static_cast<int32_t>(header.outputs.size());
  outputOf(name, value);
  return value;
}

void ArtifactMaker::outputOf(const std::string &name, uint32_t value) {
  const fmt::ValueDefT &def = *program().values[value];
  addPort(header.outputs, name, static_cast<DType>(def.dtype),
          std::vector<int64_t>(def.dims.size(), -1), {});
  program().outputs.push_back(value);
}

uint32_t ArtifactMaker::weight(const std::string &name,
                               const std::vector<float> &contents) {
  auto weight = std::make_unique<fmt::WeightT>();
  weights_.resize((weights_.size() + weightAlignment - 1) / weightAlignment *
                  weightAlignment);
  auto bytes = std::as_bytes(std::span(contents));
  weight->name = name;
  weight->dtype = static_cast<uint8_t>(DType::f32);
  weight->dims = {static_cast<int64_t>(contents.size())};
  weight->offset = weights_.size();
  weight->length = bytes.size();
  weight->hash = hash64(bytes);
  weights_.insert(weights_.end(), bytes.begin(), bytes.end());
  header.weights.push_back(std::move(weight));
  uint32_t value =
      addValue(fmt::ValueKind::weight, DType::f32,
               {constant(static_cast<int64_t>(contents.size()))}, fmt::Residency::device);
  program().values[value]->index = static_cast<int32_t>(header.weights.size() - 1);
  return value;
}

uint32_t ArtifactMaker::panels(const std::string &name, int64_t outputs, int64_t inputs) {
  constexpr int64_t width = 8;
  std::vector<float> contents(9 * inputs * ((outputs + width - 1) / width * width));
  for (size_t i = 0; i < contents.size(); ++i)
    contents[i] = static_cast<float>(i % 31) - 15;
  uint32_t value = weight(name, contents);
  fmt::WeightT &entry = *header.weights.back();
  entry.dims = {outputs, inputs, 3, 3};
  entry.encoding = fmt::Encoding::panels;
  entry.panel_width = width;
  entry.panel_conv = true;
  program().values[value]->dims.clear();
  for (int64_t dim : entry.dims)
    program().values[value]->dims.push_back(constant(dim));
  return value;
}

uint32_t ArtifactMaker::winograd(uint32_t source, int64_t tile) {
  const fmt::WeightT &from = *header.weights.at(source);
  auto weight = std::make_unique<fmt::WeightT>(from);
  weight->name = from.name + " in Winograd form";
  weight->encoding = fmt::Encoding::winograd;
  weight->winograd_tile = static_cast<uint8_t>(tile);
  return made(std::move(weight), source,
              WinogradForm{.tile = tile,
                           .inputs = from.dims[1],
                           .outputs = from.dims[0],
                           .groups = 1,
                           .width = from.panel_width});
}

uint32_t ArtifactMaker::undone(uint32_t source) {
  const fmt::WeightT &from = *header.weights.at(source);
  auto weight = std::make_unique<fmt::WeightT>();
  weight->name = from.name + ", plain";
  weight->dtype = from.dtype;
  weight->dims = from.dims;
  return made(std::move(weight), source,
              *makePanelShape(PlainForm::conv, from.dims, from.panel_width, 4));
}

uint32_t ArtifactMaker::made(std::unique_ptr<fmt::WeightT> weight, uint32_t source,
                             const DerivedForm &form) {
  weight->derived_from = static_cast<int32_t>(source);
  weight->offset = 0;
  weight->length = static_cast<uint64_t>(form.numParts() * form.partBytes());
  weight->hash = form.hash(header.weights[source]->hash);
  header.required_features |= fmt::derivedWeightsFeature;
  std::vector<int32_t> dims;
  for (int64_t dim : weight->dims)
    dims.push_back(constant(dim));
  header.weights.push_back(std::move(weight));
  uint32_t value = addValue(fmt::ValueKind::weight, DType::f32, std::move(dims),
                            fmt::Residency::device);
  program().values[value]->index = static_cast<int32_t>(header.weights.size() - 1);
  return value;
}

uint32_t ArtifactMaker::alias(uint32_t of, int32_t offset, DType dtype,
                              std::vector<int32_t> dims) {
  uint32_t value =
      addValue(fmt::ValueKind::alias, dtype, std::move(dims), fmt::Residency::device);
  program().values[value]->alias_of = static_cast<int32_t>(of);
  program().values[value]->alias_offset = offset;
  return value;
}

uint32_t ArtifactMaker::phi(int32_t condition, uint32_t then, uint32_t otherwise,
                            DType dtype, std::vector<int32_t> dims) {
  uint32_t value =
      addValue(fmt::ValueKind::phi, dtype, std::move(dims), fmt::Residency::device);
  program().values[value]->phi_condition = condition;
  program().values[value]->phi_then = static_cast<int32_t>(then);
  program().values[value]->phi_else = static_cast<int32_t>(otherwise);
  return value;
}

uint32_t ArtifactMaker::faults(uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    auto fault = std::make_unique<fmt::FaultT>();
    fault->op = "pick";
    fault->node = "node" + std::to_string(i);
    program().faults.push_back(std::move(fault));
  }
  return addValue(fmt::ValueKind::faults, DType::i64, {constant(count), constant(2)},
                  fmt::Residency::device);
}

void ArtifactMaker::state(const std::string &name, uint32_t input, uint32_t output) {
  auto state = std::make_unique<fmt::StateT>();
  state->name = name;
  state->input = input;
  state->output = output;
  state->dtype = header.inputs[input]->dtype;
  for (int64_t dim : header.inputs[input]->dims)
    state->dims.push_back(static_cast<int32_t>(dim));
  header.states.push_back(std::move(state));
}

int32_t ArtifactMaker::kernel(const std::string &name, std::vector<bool> writes,
                              uint32_t params, int64_t bytesPerItem) {
  auto kernel = std::make_unique<fmt::KernelT>();
  kernel->name = name;
  kernel->binding_count = static_cast<uint32_t>(writes.size());
  kernel->param_count = params;
  kernel->exprs = {fmt::ExprNode(0, 0, 0, 0, fmt::ExprOp::param),
                   fmt::ExprNode(bytesPerItem, 0, 0, 0, fmt::ExprOp::constant),
                   fmt::ExprNode(0, 0, 1, 0, fmt::ExprOp::mul)};
  kernel->items = 0;
  kernel->footprints.assign(writes.size(), 2);
  for (bool isWritten : writes)
    kernel->writes.push_back(isWritten);
  program().kernels.push_back(std::move(kernel));
  return static_cast<int32_t>(program().kernels.size() - 1);
}

fmt::InstructionT &ArtifactMaker::runKernel(int32_t kernel, std::vector<uint32_t> values,
                                            std::vector<int32_t> params) {
  auto variant = std::make_unique<fmt::VariantT>();
  variant->engine = fmt::Engine::kernel;
  variant->kernel = kernel;
  variant->params = std::move(params);
  for (uint32_t value : values)
    variant->bindings.emplace_back(value, -1);
  auto instruction = std::make_unique<fmt::InstructionT>();
  instruction->op = program().kernels[kernel]->name;
  instruction->node = "node" + std::to_string(program().instructions.size());
  instruction->variants.push_back(std::move(variant));
  program().instructions.push_back(std::move(instruction));
  return *program().instructions.back();
}

fmt::InstructionT &ArtifactMaker::runHost(const std::string &op,
                                          const Attributes &attributes,
                                          std::vector<uint32_t> operands,
                                          std::vector<uint32_t> results) {
  auto variant = std::make_unique<fmt::VariantT>();
  variant->engine = fmt::Engine::host;
  variant->name = op;
  for (const auto &[name, value] : attributes) {
    auto attribute = std::make_unique<fmt::AttributeDefT>();
    attribute->name = name;
    attribute->kind = static_cast<uint8_t>(value.index());
    if (auto *i = std::get_if<int64_t>(&value))
      attribute->i = *i;
    if (auto *s = std::get_if<std::string>(&value))
      attribute->s = *s;
    if (auto *ints = std::get_if<std::vector<int64_t>>(&value))
      attribute->ints = *ints;
    variant->attributes.push_back(std::move(attribute));
  }
  for (uint32_t value : operands)
    variant->bindings.emplace_back(value, -1);
  for (uint32_t value : results)
    variant->bindings.emplace_back(value, -1);
  variant->result_count = static_cast<uint32_t>(results.size());
  auto instruction = std::make_unique<fmt::InstructionT>();
  instruction->op = op;
  instruction->node = "node" + std::to_string(program().instructions.size());
  instruction->variants.push_back(std::move(variant));
  program().instructions.push_back(std::move(instruction));
  return *program().instructions.back();
}

void ArtifactMaker::toHost(uint32_t value) {
  auto instruction = std::make_unique<fmt::InstructionT>();
  instruction->kind = fmt::InstructionKind::to_host;
  instruction->value = static_cast<int32_t>(value);
  program().instructions.push_back(std::move(instruction));
}

void ArtifactMaker::toDevice(uint32_t value) {
  auto instruction = std::make_unique<fmt::InstructionT>();
  instruction->kind = fmt::InstructionKind::to_device;
  instruction->value = static_cast<int32_t>(value);
  program().instructions.push_back(std::move(instruction));
}

void ArtifactMaker::constraint(int32_t expr, int64_t lo, int64_t hi,
                               const std::string &message) {
  auto constraint = std::make_unique<fmt::ConstraintT>();
  constraint->expr = expr;
  constraint->lo = lo;
  constraint->hi = hi;
  constraint->message = message;
  program().constraints.push_back(std::move(constraint));
}

Status ArtifactMaker::write(const std::string &path) {
  HEXIN_ASSIGN_OR_RETURN(auto file, ArtifactFile::create(path));
  HEXIN_RETURN_IF_ERROR(file->addCompressed(fmt::SectionKind::image, imageText).status());
  if (!weights_.empty()) {
    HEXIN_RETURN_IF_ERROR(file->beginSection(fmt::SectionKind::weights));
    HEXIN_RETURN_IF_ERROR(file->append(weights_));
    HEXIN_ASSIGN_OR_RETURN(uint32_t weights, file->endSection());
    static_cast<void>(weights);
  }
  auto length = file->commit(header);
  return length.status();
}

std::vector<std::byte> ArtifactMaker::assemble(bool isCompressed) {
  std::vector<std::byte> file(sectionAlignment);
  header.sections.clear();
  auto addSection = [&](fmt::SectionKind kind, std::span<const std::byte> bytes,
                        fmt::Compression compression) {
    auto section = std::make_unique<fmt::SectionT>();
    section->kind = kind;
    section->compression = compression;
    section->offset = file.size();
    section->length = bytes.size();
    section->hash = hash64(bytes);
    header.sections.push_back(std::move(section));
    file.insert(file.end(), bytes.begin(), bytes.end());
    file.resize((file.size() + sectionAlignment - 1) / sectionAlignment *
                sectionAlignment);
  };
  auto imageBytes = std::as_bytes(std::span(imageText));
  if (isCompressed)
    addSection(fmt::SectionKind::image, *compress(imageBytes), fmt::Compression::zstd);
  else
    addSection(fmt::SectionKind::image, imageBytes, fmt::Compression::none);
  if (!weights_.empty())
    addSection(fmt::SectionKind::weights, weights_, fmt::Compression::none);
  flatbuffers::FlatBufferBuilder builder;
  fmt::FinishHeaderBuffer(builder, fmt::Header::Pack(builder, &header));
  auto contents = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  std::vector<std::byte> bytes(contents.begin(), contents.end());
  Preamble preamble{};
  if (isCompressed) {
    bytes = *compress(contents);
    preamble.requiredFeatures = compressedHeaderFeature | compressedSectionsFeature;
  }
  preamble.magic = containerMagic;
  preamble.major = containerMajor;
  preamble.minor = containerMinor;
  preamble.preambleBytes = sizeof preamble;
  preamble.headerOffset = file.size();
  preamble.headerLength = bytes.size();
  preamble.fileLength = file.size() + bytes.size();
  file.insert(file.end(), bytes.begin(), bytes.end());
  std::memcpy(file.data(), &preamble, sizeof preamble);
  fixHashes(file);
  return file;
}

Result<Model> ArtifactMaker::open() {
  static std::atomic<int> counter{0};
  std::string path = temporaryPath("model" + std::to_string(counter++) + ".hxm");
  HEXIN_RETURN_IF_ERROR(write(path));
  return Model::open(path);
}

Tensor makeTensor(const std::vector<int64_t> &dims, const std::vector<float> &values) {
  Tensor tensor = *Tensor::allocate(DType::f32, dims);
  std::copy(values.begin(), values.end(), tensor.as<float>());
  return tensor;
}

Tensor makeInts(const std::vector<int64_t> &dims, const std::vector<int64_t> &values) {
  Tensor tensor = *Tensor::allocate(DType::i64, dims);
  std::copy(values.begin(), values.end(), tensor.as<int64_t>());
  return tensor;
}

std::vector<float> floatsOf(const Value &value) {
  const Tensor *tensor = value.tensor();
  if (!tensor || tensor->dtype() != DType::f32)
    return {};
  return {tensor->as<float>(), tensor->as<float>() + tensor->numElements()};
}

std::vector<int64_t> dimsOf(const Value &value) {
  const Tensor *tensor = value.tensor();
  if (!tensor)
    return {};
  return {tensor->dims().begin(), tensor->dims().end()};
}

ArtifactMaker makeAddScale(const std::string &target) {
  ArtifactMaker maker(target);
  uint32_t x = maker.input("x", DType::f32, {-1}, {"n"});
  uint32_t w = maker.weight("w", {10, 20, 30, 40});
  int32_t n = maker.inputDim(0, 0);
  uint32_t sum = maker.temp(DType::f32, {n}, fmt::Residency::device, "sum");
  uint32_t y = maker.output("y", DType::f32, {n});
  int32_t add = maker.kernel("add", {false, false, true}, 1);
  int32_t scale = maker.kernel("scale", {false, true}, 2);
  maker.runKernel(add, {x, w, sum}, {n});
  maker.runKernel(scale, {sum, y}, {n, maker.constant(3)});
  return maker;
}

ArtifactMaker makeScaleTwice(const std::string &target) {
  ArtifactMaker maker(target);
  uint32_t x = maker.input("x", DType::f32, {-1}, {"n"});
  int32_t n = maker.inputDim(0, 0);
  uint32_t once = maker.temp(DType::f32, {n}, fmt::Residency::device, "once");
  uint32_t y = maker.output("y", DType::f32, {n});
  int32_t scale = maker.kernel("scale", {false, true}, 2);
  maker.runKernel(scale, {x, once}, {n, maker.constant(2)});
  maker.runKernel(scale, {once, y}, {n, maker.constant(3)});
  return maker;
}

} // namespace hexin::test
