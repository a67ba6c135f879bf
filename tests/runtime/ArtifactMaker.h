//===- ArtifactMaker.h - small artifacts, written by hand ------------------------===//
//
// Builds the header of a model with one program, piece by piece, and writes it
// with the real ArtifactFile. Tests may change `header` and `program()` before
// writing, to lie.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_RUNTIME_ARTIFACTMAKER_H
#define HEXIN_TESTS_RUNTIME_ARTIFACTMAKER_H

#include "runtime/artifact/DerivedWeights.h"
#include "runtime/artifact/hexin_generated.h"
#include "runtime/base/Attributes.h"

#include "hexin/model.h"
#include "hexin/session.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hexin::test {

class ArtifactMaker {
public:
  explicit ArtifactMaker(const std::string &target);

  // Expressions: node indices.
  int32_t constant(int64_t value);
  int32_t inputDim(int32_t input, int32_t axis);
  int32_t element(uint32_t value, int32_t index);
  int32_t resultDim(uint32_t value, int32_t axis);
  int32_t op(fmt::ExprOp op, int32_t a, int32_t b, int32_t c = 0);

  // Values: value ids. `dims` of temps and outputs are expressions.
  uint32_t input(const std::string &name, DType dtype, std::vector<int64_t> dims,
                 std::vector<std::string> symbols = {},
                 fmt::Residency residency = fmt::Residency::device);
  uint32_t temp(DType dtype, std::vector<int32_t> dims,
                fmt::Residency residency = fmt::Residency::device,
                const std::string &name = "");
  uint32_t output(const std::string &name, DType dtype, std::vector<int32_t> dims,
                  fmt::Residency residency = fmt::Residency::device);
  /// Declares an output that is `value`, whatever that is.
  void outputOf(const std::string &name, uint32_t value);
  uint32_t weight(const std::string &name, const std::vector<float> &contents);
  /// A convolution's weight of [outputs, inputs, 3, 3] in panels of 8 columns.
  uint32_t panels(const std::string &name, int64_t outputs, int64_t inputs);
  /// Its Winograd form, made when it is used: of the weight with index `source`.
  uint32_t winograd(uint32_t source, int64_t tile);
  /// Those panels undone, likewise.
  uint32_t undone(uint32_t source);
  uint32_t alias(uint32_t of, int32_t offset, DType dtype, std::vector<int32_t> dims);
  uint32_t phi(int32_t condition, uint32_t then, uint32_t otherwise, DType dtype,
               std::vector<int32_t> dims);
  /// The rows of `count` faults of ops "pick" at nodes "node0", "node1", ...
  uint32_t faults(uint32_t count);
  void state(const std::string &name, uint32_t input, uint32_t output);

  // Kernels of FakeDevice.cpp: index. Every binding's footprint is
  // bytesPerItem * params[0], and as many items run.
  int32_t kernel(const std::string &name, std::vector<bool> writes, uint32_t params,
                 int64_t bytesPerItem = 4);

  // Instructions
  fmt::InstructionT &runKernel(int32_t kernel, std::vector<uint32_t> values,
                               std::vector<int32_t> params);
  fmt::InstructionT &runHost(const std::string &op, const Attributes &attributes,
                             std::vector<uint32_t> operands,
                             std::vector<uint32_t> results);
  void toHost(uint32_t value);
  void toDevice(uint32_t value);

  void constraint(int32_t expr, int64_t lo, int64_t hi, const std::string &message);

  fmt::ProgramT &program() { return *header.programs[0]; }

  /// The bytes of a file with this header, not checked by anything; `isCompressed`: with
  /// its image and header as frames.
  std::vector<std::byte> assemble(bool isCompressed = false);
  /// Through ArtifactFile.
  Status write(const std::string &path);
  /// write() to a temporary file and open it.
  Result<Model> open();

  fmt::HeaderT header;

private:
  uint32_t made(std::unique_ptr<fmt::WeightT> weight, uint32_t source,
                const DerivedForm &form);
  uint32_t addValue(fmt::ValueKind kind, DType dtype, std::vector<int32_t> dims,
                    fmt::Residency residency);
  int32_t addNode(fmt::ExprOp op, int64_t value, int32_t a, int32_t b, int32_t c);
  void addPort(std::vector<std::unique_ptr<fmt::PortT>> &ports, const std::string &name,
               DType dtype, std::vector<int64_t> dims, std::vector<std::string> symbols);

  std::vector<std::byte> weights_;
};

/// A path in a folder of this process that is removed at its end.
std::string temporaryPath(const std::string &name);

std::vector<std::byte> readFile(const std::string &path);
void writeFile(const std::string &path, const std::vector<std::byte> &bytes);

/// Puts the hashes of a changed file right, so that deeper checks are reached.
void fixHashes(std::vector<std::byte> &file);

Tensor makeTensor(const std::vector<int64_t> &dims, const std::vector<float> &values);
Tensor makeInts(const std::vector<int64_t> &dims, const std::vector<int64_t> &values);
std::vector<float> floatsOf(const Value &value);
std::vector<int64_t> dimsOf(const Value &value);

/// y = (x + w) * 3, x: f32[n], w: f32[4] repeated by its binding's offset not at
/// all: n must be 4 at most. The smallest program with a weight and a temporary.
ArtifactMaker makeAddScale(const std::string &target);

/// y = x * 2 * 3, x: f32[n]
ArtifactMaker makeScaleTwice(const std::string &target);

} // namespace hexin::test

#endif // HEXIN_TESTS_RUNTIME_ARTIFACTMAKER_H
