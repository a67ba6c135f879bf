// Loop and Scan, as hx.loop.
#include "compiler/ir/SizeText.h"
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

/// M?, cond?, carried...; the body takes the iteration, the condition (which holds, or
/// the body would not run) and the carried values.
void importLoop(OpBinder &b) {
  const Graph *graph = b.graphAttr("body");
  if (b.failed())
    return;
  LoopParts parts;
  if (b.has(0))
    parts.tripCount = b.cast(b.shape.toScalar(b.input(0)), b.builder.getI64Type());
  if (b.has(1) && !isConstant(b, b.input(1), 1))
    parts.condition = b.shape.toScalar(b.input(1));
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
    (*outputs)[0] = ShapeMath(b).toScalar(outputs->front());
    return b.failed() ? FailureOr<Outputs>(failure()) : outputs;
  };
  for (auto [i, value] : llvm::enumerate(buildLoop(b, std::move(parts), body)))
    b.result(static_cast<unsigned>(i), value);
}

/// Per input or output of a Scan: its axis, and whether it goes from the end.
struct ScanOrder {
  SmallVector<int64_t> axes, directions;

  ScanOrder(OpBinder &b, StringRef which, size_t count) {
    auto read = [&](const Twine &name) {
      std::string attribute = name.str();
      SmallVector<int64_t> values = b.intsAttr(attribute, SmallVector<int64_t>(count, 0));
      if (values.size() != count)
        b.error("attribute '" + attribute + "' has " + Twine(values.size()) +
                " entries, expected " + Twine(count));
      values.resize(count);
      return values;
    };
    axes = read("scan_" + which + "_axes");
    directions = read("scan_" + which + "_directions");
  }
};

/// A stacked result [n, ...] with axis 0 where the node wants it, in its direction.
Value ordered(OpBinder &b, Value stacked, int64_t axis, bool isReversed) {
  int64_t rank = HxBuilder::rank(stacked);
  axis = b.normalizeAxis(axis, rank, "scan_output_axes");
  if (b.failed())
    return {};
  if (isReversed) {
    Dims sizes = b.dims(stacked), starts(sizes.size(), b.shape.constant(0));
    SmallVector<int64_t> steps(sizes.size(), 1);
    starts[0] = b.symbols().max(b.symbols().sub(sizes[0], b.shape.constant(1)),
                                b.shape.constant(0));
    steps[0] = -1;
    stacked = b.shape.slice(stacked, starts, sizes, steps);
  }
  SmallVector<int64_t> perm;
  for (int64_t i = 1; i < rank; ++i)
    perm.push_back(i);
  perm.insert(perm.begin() + axis, 0);
  return b.transpose(stacked, perm);
}

/// States..., sequences... -> states..., stacked slices...
void importScan(OpBinder &b) {
  const Graph *graph = b.graphAttr("body");
  int64_t numSequences = b.intAttr("num_scan_inputs", 0);
  int64_t numStates = static_cast<int64_t>(b.numInputs()) - numSequences;
  if (b.failed())
    return;
  if (numSequences < 1 || numStates < 0 ||
      static_cast<int64_t>(b.numOutputs()) < numStates)
    return b.error("num_scan_inputs=" + Twine(numSequences) + " does not fit " +
                   Twine(b.numInputs()) + " inputs and " + Twine(b.numOutputs()) +
                   " outputs");
  for (unsigned i = 0; i < b.numInputs(); ++i)
    if (!b.has(i))
      return b.error("input #" + Twine(i) + " is missing");
  ScanOrder in(b, "input", numSequences);
  ScanOrder out(b, "output", b.numOutputs() - numStates);
  LoopParts parts;
  parts.ignoresCondition = true;
  parts.carried.assign(b.allInputs().begin(), b.allInputs().begin() + numStates);
  parts.numStacked = b.numOutputs() - numStates;
  Dim length;
  for (int64_t i = 0; i < numSequences; ++i) {
    Value sequence = b.input(numStates + i);
    if (!isa<RankedTensorType>(sequence.getType()))
      return b.error("input #" + Twine(numStates + i) + " must be a tensor");
    in.axes[i] =
        b.normalizeAxis(in.axes[i], HxBuilder::rank(sequence), "scan_input_axes");
    if (b.failed())
      return;
    Dim own = b.dims(sequence)[in.axes[i]];
    if (length && b.symbols().isKnownDifferent(length, own))
      return b.contradiction(
          "the sequences differ in length: " + describeSize(b.symbols(), length) +
          " and " + describeSize(b.symbols(), own));
    if (length)
      b.symbols().require({length, own, 0, INT64_MAX,
                           "the sequences of Scan '" + std::string(b.node().name) +
                               "' must be equally long"});
    else
      length = own;
  }
  Type i64 = b.builder.getI64Type();
  parts.tripCount = b.shape.buildScalar(length, i64);
  Value last = b.sub(parts.tripCount, b.scalar(i64, 1));
  if (b.failed())
    return;
  auto body = [&](Block &block, Value iteration,
                  ArrayRef<Value> carried) -> FailureOr<Outputs> {
    Outputs arguments(carried);
    for (int64_t i = 0; i < numSequences; ++i)
      arguments.push_back(b.gather(b.input(numStates + i),
                                   in.directions[i] ? b.sub(last, iteration) : iteration,
                                   in.axes[i]));
    Value goesOn = b.scalar(b.builder.getI1Type(), 1);
    if (b.failed())
      return failure();
    auto outputs = b.importer().importSubgraph(*graph, b.scope(), &block, arguments);
    if (mlir::failed(outputs))
      return failure();
    outputs->insert(outputs->begin(), goesOn);
    return outputs;
  };
  Outputs results = buildLoop(b, std::move(parts), body);
  for (auto [i, value] : llvm::enumerate(results)) {
    int64_t stack = static_cast<int64_t>(i) - numStates;
    b.result(static_cast<unsigned>(i),
             stack < 0 ? value
                       : ordered(b, value, out.axes[stack], out.directions[stack] != 0));
  }
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
  table.add("", {
                    {"Loop", 1, 0, OpRow::any, importLoop},
                    {"Scan", 9, 1, OpRow::any, importScan},
                    {"SequenceMap", 17, 1, OpRow::any, importSequenceMap},
                });
}

} // namespace hexin::onnx
