#include "tests/frontends/onnx/Evaluator.h"

#include "tests/frontends/onnx/Rounding.h"

#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/CheckOps.h"
#include "compiler/ir/Errors.h"
#include "compiler/ir/HostOps.h"
#include "compiler/ir/ValueTypes.h"

#include "runtime/reference/Reference.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/DenseMap.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace hexin::onnx::testing {
namespace {

using mlir::cast;
using mlir::dyn_cast;

Result<Tensor> tensorOf(mlir::ElementsAttr attribute) {
  auto elements = cast<mlir::DenseElementsAttr>(attribute);
  std::optional<DType> dtype = hx::toDType(elements.getElementType());
  if (!dtype)
    return unsupported("constant of a type without memory form");
  auto sizes = elements.getType().getShape();
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor,
                         Tensor::allocate(*dtype, std::span(sizes.data(), sizes.size())));
  size_t width = tensor.numElements()
                     ? tensor.byteLength() / static_cast<size_t>(tensor.numElements())
                     : 0;
  char *next = tensor.as<char>();
  auto put = [&](const llvm::APInt &bits) {
    std::memcpy(next, bits.getRawData(), width);
    next += width;
  };
  if (mlir::isa<mlir::FloatType>(elements.getElementType()))
    for (const llvm::APFloat &value : elements.getValues<llvm::APFloat>())
      put(value.bitcastToAPInt());
  else if (mlir::isa<mlir::IntegerType>(elements.getElementType()))
    for (const llvm::APInt &value : elements.getValues<llvm::APInt>())
      put(*dtype == DType::i4 || *dtype == DType::i2 ? value.sext(8) : value);
  else
    return unsupported("complex constants");
  return tensor;
}

class Evaluator {
public:
  Evaluator(const hx::WeightStore &weights, const EvaluateOptions &options)
      : weights(weights), isWide(options.isWide) {
    if (options.roundingSeed)
      rounding.emplace(*options.roundingSeed);
  }

  DType widened(DType dtype) const {
    return isWide && dtype == DType::f32 ? DType::f64 : dtype;
  }
  Result<Tensor> widened(const Tensor &tensor) const {
    DType type = widened(tensor.dtype());
    if (type == tensor.dtype())
      return tensor;
    const Tensor *operand = &tensor;
    HEXIN_ASSIGN_OR_RETURN(auto results,
                           reference::run("cast", Attributes(), std::span(&operand, 1),
                                          std::span(&type, 1)));
    return results[0];
  }

  Status run(mlir::Block &block) {
    for (mlir::Operation &op : block.without_terminator())
      if (Status status = run(op); !status.ok())
        return status.withContext(hx::nodeNames(op.getLoc()) + " (" +
                                  op.getName().getStringRef().str() + ")");
    return Status::success();
  }

  llvm::DenseMap<mlir::Value, Tensor> values;

private:
  Status run(mlir::Operation &op) {
    if (auto constant = dyn_cast<hx::ConstantOp>(op)) {
      HEXIN_ASSIGN_OR_RETURN(Tensor literal, tensorOf(constant.getValue()));
      HEXIN_ASSIGN_OR_RETURN(values[constant.getResult()], widened(literal));
      return Status::success();
    }
    if (auto weight = dyn_cast<hx::WeightOp>(op)) {
      HEXIN_ASSIGN_OR_RETURN(values[weight.getResult()],
                             widened(weights.find(weight.getEntry())->tensor));
      return Status::success();
    }
    if (auto choice = dyn_cast<hx::IfOp>(op)) {
      bool holds = *values[choice.getCondition()].as<uint8_t>() != 0;
      mlir::Block &block =
          (holds ? choice.getThenRegion() : choice.getElseRegion()).front();
      HEXIN_RETURN_IF_ERROR(run(block));
      for (auto [result, value] :
           llvm::zip(op.getResults(), block.getTerminator()->getOperands()))
        values[result] = Tensor(values[value]);
      return Status::success();
    }
    if (auto loop = dyn_cast<hx::LoopOp>(op))
      return run(loop);
    if (auto check = dyn_cast<hx::CheckOp>(op))
      return *values[check.getNumbers()].as<int64_t>() != 0
                 ? Status::success()
                 : invalidArgument(check.getMessage().str());
    std::vector<const Tensor *> operands;
    std::vector<bool> singleOperands;
    auto addOperand = [&](mlir::Value operand) {
      operands.push_back(&values[operand]);
      singleOperands.push_back(mlir::getElementTypeOrSelf(operand.getType()).isF32());
    };
    if (auto segments =
            op.getAttrOfType<mlir::DenseI32ArrayAttr>("operandSegmentSizes")) {
      unsigned next = 0;
      for (int32_t count : segments.asArrayRef()) {
        if (count) {
          addOperand(op.getOperand(next++));
          continue;
        }
        operands.push_back(nullptr);
        singleOperands.push_back(false);
      }
    } else {
      for (mlir::Value operand : op.getOperands())
        addOperand(operand);
    }
    std::vector<DType> types;
    std::vector<bool> singleResults;
    for (mlir::Value result : op.getResults()) {
      DType type = *hx::toDType(mlir::getElementTypeOrSelf(result.getType()));
      types.push_back(widened(type));
      singleResults.push_back(type == DType::f32);
    }
    Attributes attributes = hx::toAttributes(&op);
    std::string name = op.getName().stripDialect().str();
    OpCall call{name, attributes, operands, types, singleOperands, singleResults};
    HEXIN_ASSIGN_OR_RETURN(std::vector<Tensor> results,
                           rounding ? rounding->run(call) : call.run());
    for (auto [result, tensor] : llvm::zip(op.getResults(), results)) {
      auto type = cast<mlir::RankedTensorType>(result.getType());
      bool isRight = type.getRank() == static_cast<int64_t>(tensor.dims().size());
      for (int64_t axis = 0; isRight && axis < type.getRank(); ++axis)
        isRight = type.isDynamicDim(axis) || type.getDimSize(axis) == tensor.dims()[axis];
      if (!isRight)
        return internalError("the sizes inferred are not those of the result");
      values[result] = tensor;
    }
    return Status::success();
  }

  Status run(hx::LoopOp loop) {
    mlir::Block &body = loop.getBody().front();
    mlir::ValueRange yielded = body.getTerminator()->getOperands();
    size_t numCarried = loop.getCarried().size();
    std::vector<Tensor> carried;
    for (mlir::Value value : loop.getCarried())
      carried.push_back(values[value]);
    std::vector<std::vector<Tensor>> slices(loop.getNumResults() - numCarried);
    int64_t trips =
        loop.getTripCount() ? *values[loop.getTripCount()].as<int64_t>() : INT64_MAX;
    bool goesOn = !loop.getCondition() || *values[loop.getCondition()].as<uint8_t>() != 0;
    int64_t iteration = 0;
    for (; goesOn && iteration < trips; ++iteration) {
      HEXIN_ASSIGN_OR_RETURN(Tensor number, Tensor::allocate(DType::i64, {}));
      *number.as<int64_t>() = iteration;
      values[body.getArgument(0)] = number;
      for (size_t i = 0; i < numCarried; ++i)
        values[body.getArgument(i + 1)] = carried[i];
      HEXIN_RETURN_IF_ERROR(run(body));
      goesOn = loop.getIgnoreCondition() || *values[yielded[0]].as<uint8_t>() != 0;
      for (size_t i = 0; i < numCarried; ++i)
        carried[i] = values[yielded[i + 1]];
      for (size_t k = 0; k < slices.size(); ++k)
        slices[k].push_back(values[yielded[numCarried + 1 + k]]);
    }
    for (size_t i = 0; i < numCarried; ++i)
      values[loop.getResult(i)] = carried[i];
    for (size_t k = 0; k < slices.size(); ++k) {
      mlir::Value result = loop.getResult(numCarried + k);
      HEXIN_ASSIGN_OR_RETURN(values[result], stack(slices[k], result));
    }
    return Status::success();
  }

  /// [n, ...] of n slices; sizes that no slice tells are 0.
  Result<Tensor> stack(const std::vector<Tensor> &slices, mlir::Value result) const {
    auto type = cast<mlir::RankedTensorType>(result.getType());
    std::vector<int64_t> dims{static_cast<int64_t>(slices.size())};
    for (int64_t axis = 1; axis < type.getRank(); ++axis)
      dims.push_back(!slices.empty()           ? slices[0].dims()[axis - 1]
                     : type.isDynamicDim(axis) ? 0
                                               : type.getDimSize(axis));
    HEXIN_ASSIGN_OR_RETURN(
        Tensor stacked,
        Tensor::allocate(widened(*hx::toDType(type.getElementType())), dims));
    size_t offset = 0;
    for (const Tensor &slice : slices) {
      if (slice.byteLength() * slices.size() != stacked.byteLength())
        return invalidArgument("the slices of a stacked result differ in size");
      std::memcpy(stacked.as<char>() + offset, slice.data(), slice.byteLength());
      offset += slice.byteLength();
    }
    return stacked;
  }

  const hx::WeightStore &weights;
  bool isWide;
  std::optional<Rounding> rounding;
};

} // namespace

Result<std::vector<Tensor>> evaluate(const ImportedModel &model,
                                     std::vector<Tensor> inputs,
                                     const EvaluateOptions &options) {
  auto func = mlir::ModuleOp(*model.module).lookupSymbol<mlir::func::FuncOp>("main");
  bool hasHostValues =
      llvm::any_of(func.getArgumentTypes(), hx::isHostType) ||
      func.walk([](mlir::Operation *op) {
            return hx::isHostOp(op) || llvm::any_of(op->getResultTypes(), hx::isHostType)
                       ? mlir::WalkResult::interrupt()
                       : mlir::WalkResult::advance();
          })
          .wasInterrupted();
  if (hasHostValues)
    return unsupported("values that are no tensors of numbers: tests/e2e runs them");
  // The stream of random operators comes behind the model's own inputs.
  if (func.getNumArguments() == inputs.size() + 1 &&
      func.getArgAttr(func.getNumArguments() - 1, "hx.random_state")) {
    HEXIN_ASSIGN_OR_RETURN(Tensor stream,
                           Tensor::allocate(DType::i64, std::array<int64_t, 1>{2}));
    std::fill_n(stream.as<int64_t>(), 2, 0);
    inputs.push_back(std::move(stream));
  }
  if (func.getNumArguments() != inputs.size())
    return invalidArgument("expected " + std::to_string(func.getNumArguments()) +
                           " inputs");
  Evaluator evaluator(*model.weights, options);
  for (auto [argument, tensor] : llvm::zip(func.getArguments(), inputs)) {
    HEXIN_ASSIGN_OR_RETURN(evaluator.values[argument], evaluator.widened(tensor));
  }
  HEXIN_RETURN_IF_ERROR(evaluator.run(func.front()));
  std::vector<Tensor> results;
  for (mlir::Value value : func.front().getTerminator()->getOperands())
    results.push_back(evaluator.values[value]);
  return results;
}

} // namespace hexin::onnx::testing
