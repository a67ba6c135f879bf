// Loop and SequenceMap, as hx.loop.
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ValueTypes.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Loops.h"
#include "frontends/onnx/ops/Sequences.h"

#include "compiler/ir/HostOps.h"
#include "compiler/ir/ValueTypes.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {

using Outputs = SmallVector<Value>;

namespace {

using Attempt = GraphImporter::Attempt;

bool isConstant(OpBinder &b, Value value, int64_t number) {
  auto contents = b.shapes.contents(value);
  return contents && contents->size() == 1 &&
         contents->front() == b.shape.constant(number);
}

/// `type` with `?` where `other` has another size.
RankedTensorType joined(RankedTensorType type, RankedTensorType other) {
  SmallVector<int64_t> sizes(type.getShape());
  for (auto [size, otherSize] : llvm::zip(sizes, other.getShape()))
    if (size != otherSize)
      size = ShapedType::kDynamic;
  return type.clone(sizes);
}

class LoopImporter {
public:
  LoopImporter(OpBinder &b, LoopParts parts) : b(b), parts(std::move(parts)) {}

  /// The results, or nothing after an error.
  Outputs run(LoopBody body) {
    size_t numResults = parts.carried.size() + parts.numStacked;
    SmallVector<Type> types(numResults,
                            RankedTensorType::get({}, b.builder.getF32Type()));
    op = hx::LoopOp::create(b.builder, b.loc, types, parts.tripCount, parts.condition,
                            parts.carried, parts.ignoresCondition);
    block = &op.getBody().emplaceBlock();
    block->addArgument(RankedTensorType::get({}, b.builder.getI64Type()), b.loc);
    for (Value value : parts.carried)
      block->addArgument(knownType(value), b.loc);
    // Sizes that turn out to change are not known in the body: it is imported again.
    // At the third time none of them is.
    Outputs yielded;
    for (unsigned round = 0;; ++round) {
      std::string message;
      Attempt attempt = tryBody(body, yielded, message);
      if (attempt == Attempt::failed)
        return b.markFailed(), Outputs();
      bool isStable = attempt == Attempt::succeeded && keepsSizes(yielded, round);
      if (b.failed())
        return {};
      if (isStable)
        break;
      if (round == 2)
        return b.contradiction(message), Outputs();
      if (attempt == Attempt::contradiction)
        forgetSizes();
      b.importer().clear(*block);
    }
    finish(yielded);
    if (b.failed())
      return {};
    Outputs results(op.getResults());
    for (size_t i : wasFilled)
      results[i] = heldBy(b, results[i], declaredOutput(b, static_cast<unsigned>(i)));
    return b.failed() ? Outputs() : results;
  }

private:
  Attempt tryBody(LoopBody body, Outputs &yielded, std::string &message) {
    return b.importer().attempt(
        [&]() -> LogicalResult {
          OpBuilder::InsertionGuard guard(b.builder);
          b.builder.setInsertionPointToEnd(block);
          SmallVector<Value> carried(block->getArguments().drop_front());
          b.importer().enterLoop(block->getArgument(0));
          FailureOr<Outputs> outputs = body(*block, block->getArgument(0), carried);
          b.importer().leaveLoop();
          if (mlir::failed(outputs))
            return failure();
          yielded = *outputs;
          return fillOptionals(yielded);
        },
        message);
  }

  /// A plain value where an optional is carried is a full optional.
  LogicalResult fillOptionals(Outputs &yielded) {
    OpBuilder::InsertionGuard guard(b.builder);
    b.builder.setInsertionPointToEnd(block);
    for (size_t i = 0; i < parts.carried.size() && i + 1 < yielded.size(); ++i) {
      auto optional = dyn_cast<hx::OptionalType>(block->getArgument(i + 1).getType());
      Type type = yielded[i + 1].getType();
      if (!optional || isa<hx::OptionalType>(type))
        continue;
      wasFilled.insert(i);
      yielded[i + 1] = b.makeTyped<hx::OptMakeOp>(
          hx::OptionalType::get(b.context(), type), yielded[i + 1]);
      if (!yielded[i + 1])
        return failure();
    }
    return success();
  }

  /// The type that carried value #`i` has before and after an iteration; reports.
  Type joinedType(size_t i, Type before, Type after) {
    auto tensorBefore = dyn_cast<RankedTensorType>(before);
    auto tensorAfter = dyn_cast<RankedTensorType>(after);
    if (!tensorBefore || !tensorAfter) {
      Type type =
          hx::areCompatible(before, after) ? hx::joinTypes(before, after) : Type();
      if (!type)
        b.unsupported("carried value #" + Twine(i) +
                      " has another type before an iteration than after it");
      return type;
    }
    if (tensorBefore.getElementType() != tensorAfter.getElementType()) {
      std::string types;
      llvm::raw_string_ostream(types)
          << tensorBefore.getElementType() << " before an iteration and "
          << tensorAfter.getElementType();
      b.error("carried value #" + Twine(i) + " is " + types +
              " after it: expected one element type");
      return {};
    }
    if (tensorBefore.getRank() == tensorAfter.getRank())
      return joined(tensorBefore, tensorAfter);
    b.unsupported("carried value #" + Twine(i) + " has rank " +
                  Twine(tensorBefore.getRank()) + " before an iteration and " +
                  Twine(tensorAfter.getRank()) + " after it; give it one rank");
    return {};
  }

  /// Whether what the body hands on fits its arguments; else they learn.
  bool keepsSizes(ArrayRef<Value> yielded, unsigned round) {
    if (yielded.size() != 1 + op.getNumResults())
      return b.error("the body gives " + Twine(yielded.size()) + " values, expected " +
                     Twine(1 + op.getNumResults())),
             false;
    bool isStable = true;
    for (size_t i = 0; i < parts.carried.size(); ++i) {
      BlockArgument argument = block->getArgument(i + 1);
      Type type = joinedType(i, argument.getType(), yielded[i + 1].getType());
      if (!type)
        return false;
      if (type == argument.getType())
        continue;
      setType(argument, type);
      isStable = false;
    }
    return isStable;
  }

  void forgetSizes() {
    for (BlockArgument argument : block->getArguments().drop_front()) {
      if (auto type = dyn_cast<RankedTensorType>(argument.getType()))
        setType(argument,
                type.clone(SmallVector<int64_t>(type.getRank(), ShapedType::kDynamic)));
    }
  }
  void setType(BlockArgument argument, Type type) {
    argument.setType(type);
    b.shapes.erase(argument);
  }

  void finish(ArrayRef<Value> yielded) {
    if (isConstant(b, yielded[0], 1))
      op.setIgnoreCondition(true);
    if (op.getIgnoreCondition() && !parts.tripCount)
      return b.error("neither a trip count nor a condition ends the loop");
    {
      OpBuilder::InsertionGuard guard(b.builder);
      b.builder.setInsertionPointToEnd(block);
      hx::YieldOp::create(b.builder, b.loc, yielded);
    }
    for (auto [i, result] : llvm::enumerate(op.getResults())) {
      if (i < parts.carried.size()) {
        BlockArgument argument = block->getArgument(i + 1);
        if (isa_and_nonnull<NoneType>(hx::heldType(argument.getType())))
          argument.setType(parts.carried[i].getType()); // nothing was ever put into it
        // An empty sequence says of what it is, though the body takes it for any.
        Type before = parts.carried[i].getType(), after = argument.getType();
        if (hx::isHostType(before) && !hx::areCompatible(before, after)) {
          std::string types;
          llvm::raw_string_ostream(types)
              << before << " before an iteration and " << after;
          return b.error("carried value #" + Twine(i) + " is " + types +
                         " after it: expected one element type");
        }
        result.setType(argument.getType());
        continue;
      }
      if (hx::isHostType(yielded[i + 1].getType()))
        return b.unsupported("stacked output #" + Twine(i) +
                             " is no tensor of numbers; put it into a sequence");
      auto type = cast<RankedTensorType>(yielded[i + 1].getType());
      SmallVector<int64_t> sizes(type.getShape());
      sizes.insert(sizes.begin(), ShapedType::kDynamic);
      result.setType(type.clone(sizes));
    }
    if (mlir::failed(b.shapes.infer(op)))
      b.markFailed();
  }

  OpBinder &b;
  LoopParts parts;
  hx::LoopOp op;
  Block *block = nullptr;
  llvm::SmallSetVector<size_t, 2> wasFilled; ///< carried values that became optionals
};

} // namespace

Outputs buildLoop(OpBinder &b, LoopParts parts, LoopBody body) {
  return LoopImporter(b, std::move(parts)).run(body);
}

namespace {

/// What goes into or comes out of a body as `name`, one element that `isRight`.
Value oneOf(OpBinder &b, Value value, bool (*isRight)(Type), const Twine &name,
            const char *expected) {
  auto type = dyn_cast<TensorType>(value.getType());
  if (type && isRight(type.getElementType()))
    return b.shape.toScalar(value);
  std::string got;
  llvm::raw_string_ostream(got) << value.getType();
  b.error(name + " is " + got + ": expected " + expected);
  return {};
}

bool isBool(Type type) { return type.isInteger(1); }
bool isLong(Type type) { return type.isInteger(64) && !type.isUnsignedInteger(); }

/// M?, cond?, carried...; the body takes the iteration, the condition (which holds, or
/// the body would not run) and the carried values.
void importLoop(OpBinder &b) {
  const Graph *graph = b.graphAttr("body");
  if (b.failed())
    return;
  LoopParts parts;
  if (b.has(0))
    parts.tripCount = oneOf(b, b.input(0), isLong, "the trip count M", "one i64");
  if (b.has(1) && !isConstant(b, b.input(1), 1))
    parts.condition = oneOf(b, b.input(1), isBool, "the condition", "one bool");
  parts.ignoresCondition = !b.has(1);
  for (unsigned i = 2; i < b.numInputs(); ++i) {
    if (!b.has(i))
      return b.error("carried value #" + Twine(i - 2) + " is missing");
    parts.carried.push_back(b.input(i));
  }
  size_t numCarried = parts.carried.size();
  if (b.numOutputs() < numCarried)
    return b.error("the node has " + Twine(b.numOutputs()) + " outputs for " +
                   Twine(numCarried) + " carried values");
  parts.numStacked = b.numOutputs() - numCarried;
  if (b.failed())
    return;
  auto body = [&](Block &block, Value iteration,
                  ArrayRef<Value> carried) -> FailureOr<Outputs> {
    Outputs arguments{iteration, b.scalar(b.builder.getI1Type(), 1)};
    llvm::append_range(arguments, carried);
    auto outputs = b.importer().importSubgraph(*graph, b.scope(), &block, arguments);
    if (mlir::failed(outputs) || outputs->empty())
      return outputs;
    (*outputs)[0] =
        oneOf(b, outputs->front(), isBool, "the body's condition", "one bool");
    return b.failed() ? FailureOr<Outputs>(failure()) : outputs;
  };
  for (auto [i, value] : llvm::enumerate(buildLoop(b, std::move(parts), body)))
    b.result(static_cast<unsigned>(i), value);
}

/// Sequences, and values that are the same for all of their elements, in; one sequence
/// per output of the body.
void importSequenceMap(OpBinder &b) {
  const Graph *graph = b.graphAttr("body");
  if (b.failed())
    return;
  if (!isa<hx::SequenceType>(b.input(0).getType()))
    return b.error("input #0 must be a sequence");
  if (graph->inputs.size() != b.numInputs() || graph->outputs.size() != b.numOutputs())
    return b.error("the node has " + Twine(b.numInputs()) + " inputs and " +
                   Twine(b.numOutputs()) + " outputs, its body " +
                   Twine(graph->inputs.size()) + " and " + Twine(graph->outputs.size()));
  MLIRContext *context = b.context();
  LoopParts parts;
  parts.ignoresCondition = true;
  parts.tripCount = b.makeTyped<hx::SeqLengthOp>(
      RankedTensorType::get({}, b.builder.getI64Type()), b.input(0));
  Type empty = hx::SequenceType::get(context, NoneType::get(context));
  for (unsigned i = 0; i < b.numOutputs(); ++i)
    parts.carried.push_back(b.makeTyped<hx::SeqMakeOp>(empty, ValueRange()));
  if (b.failed())
    return;
  auto body = [&](Block &block, Value iteration,
                  ArrayRef<Value> carried) -> FailureOr<Outputs> {
    Outputs arguments;
    for (auto [i, input] : llvm::enumerate(b.allInputs())) {
      bool isSequence = input && isa<hx::SequenceType>(input.getType());
      Result<Type> declared = toValueType(context, graph->inputs[i].type);
      arguments.push_back(
          isSequence ? elementAt(b, input, iteration, declared.ok() ? *declared : Type())
                     : input);
    }
    Value goesOn = b.scalar(b.builder.getI1Type(), 1);
    if (b.failed())
      return failure();
    auto outputs = b.importer().importSubgraph(*graph, b.scope(), &block, arguments);
    if (mlir::failed(outputs))
      return failure();
    for (auto [output, sequence] : llvm::zip(*outputs, carried))
      output = inserted(b, sequence, output, Value());
    outputs->insert(outputs->begin(), goesOn);
    return b.failed() ? FailureOr<Outputs>(failure()) : outputs;
  };
  for (auto [i, value] : llvm::enumerate(buildLoop(b, std::move(parts), body)))
    b.result(static_cast<unsigned>(i), value);
}

} // namespace

void registerLoopOps(OpTable &table) {
  registerScanOps(table);
  table.add("", {
                    {"Loop", 1, 0, OpRow::any, importLoop},
                    {"SequenceMap", 17, 1, OpRow::any, importSequenceMap},
                });
}

} // namespace hexin::onnx
