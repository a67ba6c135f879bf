// Scan, as hx.loop.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Loops.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

using Outputs = SmallVector<Value>;

/// What both forms of the node have: inputs are `first` others, states, sequences;
/// outputs are states, then stacked slices.
struct ScanNode {
  const Graph *body = nullptr;
  int64_t numSequences = 0, numStates = 0, numStacked = 0;

  ScanNode(OpBinder &b, int64_t first) : body(b.graphAttr("body")) {
    numSequences = b.intAttr("num_scan_inputs", 0);
    auto numInputs = static_cast<int64_t>(b.numInputs());
    auto numOutputs = static_cast<int64_t>(b.numOutputs());
    if (b.failed())
      return;
    bool fits = numSequences >= 1 && numSequences <= numInputs - first;
    numStates = fits ? numInputs - first - numSequences : 0;
    numStacked = numOutputs - numStates;
    if (!fits || numStacked < 0)
      b.error("num_scan_inputs=" + Twine(numSequences) + " does not fit " +
              Twine(numInputs) + " inputs and " + Twine(numOutputs) + " outputs");
  }

  /// The body over `length` steps: `slicesAt` gives what a step takes of each sequence.
  Outputs loop(OpBinder &b, Value length, ArrayRef<Value> states,
               llvm::function_ref<Outputs(Value step)> slicesAt) const {
    if (b.failed())
      return {};
    LoopParts parts;
    parts.ignoresCondition = true;
    parts.tripCount = length;
    llvm::append_range(parts.carried, states);
    parts.numStacked = numStacked;
    auto step = [&](Block &block, Value iteration,
                    ArrayRef<Value> carried) -> FailureOr<Outputs> {
      Outputs arguments(carried);
      llvm::append_range(arguments, slicesAt(iteration));
      Value goesOn = b.scalar(b.builder.getI1Type(), 1);
      if (b.failed())
        return failure();
      auto outputs = b.importer().importSubgraph(*body, b.scope(), &block, arguments);
      if (succeeded(outputs))
        outputs->insert(outputs->begin(), goesOn);
      return outputs;
    };
    return buildLoop(b, std::move(parts), step);
  }
};

void checkDirections(OpBinder &b, ArrayRef<int64_t> directions, StringRef attribute) {
  for (int64_t direction : directions)
    if (direction != 0 && direction != 1)
      b.error("attribute '" + attribute + "' holds " + Twine(direction) +
              ", expected 0 (forward) or 1 (reverse)");
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
    checkDirections(b, directions, ("scan_" + which + "_directions").str());
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
  ScanNode node(b, 0);
  if (b.failed())
    return;
  for (unsigned i = 0; i < b.numInputs(); ++i)
    if (!b.has(i))
      return b.error("input #" + Twine(i) + " is missing");
  ScanOrder in(b, "input", node.numSequences);
  ScanOrder out(b, "output", node.numStacked);
  Dim length;
  for (int64_t i = 0; i < node.numSequences; ++i) {
    Value sequence = b.input(node.numStates + i);
    if (!isa<RankedTensorType>(sequence.getType()))
      return b.error("input #" + Twine(node.numStates + i) + " must be a tensor");
    in.axes[i] =
        b.normalizeAxis(in.axes[i], HxBuilder::rank(sequence), "scan_input_axes");
    if (b.failed())
      return;
    Dim own = b.dims(sequence)[in.axes[i]];
    if (length)
      checkEqual(b, length, "the length of the first sequence", own,
                 "that of sequence #" + Twine(i));
    else
      length = own;
  }
  Type i64 = b.builder.getI64Type();
  Value count = b.shape.buildScalar(length, i64);
  Value last = b.sub(count, b.scalar(i64, 1));
  auto slicesAt = [&](Value step) {
    Outputs slices;
    for (int64_t i = 0; i < node.numSequences; ++i)
      slices.push_back(b.gather(b.input(node.numStates + i),
                                in.directions[i] ? b.sub(last, step) : step, in.axes[i]));
    return slices;
  };
  Outputs results =
      node.loop(b, count, b.allInputs().take_front(node.numStates), slicesAt);
  for (auto [i, value] : llvm::enumerate(results)) {
    int64_t stack = static_cast<int64_t>(i) - node.numStates;
    b.result(static_cast<unsigned>(i),
             stack < 0 ? value
                       : ordered(b, value, out.axes[stack], out.directions[stack] != 0));
  }
}

/// The first `length` of [n, ...] in reverse order, the rest as it is.
Value reversedRows(OpBinder &b, Value x, Value length) {
  if (b.failed())
    return {};
  Type i64 = b.builder.getI64Type();
  ShapeMath shape(b);
  shape.addAnchor(x);
  Value time = shape.iota({b.dims(x)[0]}, 0, i64);
  Value mirrored = b.sub(b.sub(length, b.scalar(i64, 1)), time);
  Value isInside = b.compare(hx::ComparePredicate::lt, time, length);
  return b.gather(x, b.select(isInside, mirrored, time), 0);
}

/// [n, ...] with zeros behind it, up to `size` rows; n is at most that.
Value filledUp(OpBinder &b, Value x, Dim size) {
  if (b.failed())
    return {};
  ShapeMath shape(b);
  shape.addAnchor(x);
  Dims low(HxBuilder::rank(x), shape.constant(0)), high = low;
  high[0] = b.symbols().sub(size, b.dims(x)[0]);
  return b.pad(hx::PadMode::constant, x, shape.build(low), shape.build(high),
               b.scalarLike(x, 0));
}

/// Version 8: lengths?, states [batch, ...]..., sequences [batch, n, ...]... -> states
/// [batch, ...]..., slices [batch, n, ...]..., zeros beyond a row's length. A loop over
/// the batch around that over a row.
void importScanOfBatch(OpBinder &b) {
  ScanNode node(b, 1);
  if (b.failed())
    return;
  SmallVector<int64_t> directions =
      b.intsAttr("directions", SmallVector<int64_t>(node.numSequences, 0));
  checkDirections(b, directions, "directions");
  if (b.failed())
    return;
  if (static_cast<int64_t>(directions.size()) != node.numSequences)
    return b.error("attribute 'directions' has " + Twine(directions.size()) +
                   " entries, expected " + Twine(node.numSequences));
  for (unsigned i = 1; i < b.numInputs(); ++i) {
    int64_t least = i <= node.numStates ? 1 : 2;
    if (!b.has(i) || HxBuilder::rank(b.input(i)) < least)
      return b.error("input #" + Twine(i) + " must be a tensor of rank " + Twine(least) +
                     " or more");
  }
  Dims first = b.dims(b.input(1 + node.numStates));
  Dim batch = first[0], size = first[1];
  for (unsigned i = 1; i < b.numInputs(); ++i) {
    Dims own = b.dims(b.input(i));
    checkEqual(b, batch, "the batch", own[0], "that of input #" + Twine(i));
    if (i > node.numStates)
      checkEqual(b, size, "the length of the first sequence", own[1],
                 "that of sequence #" + Twine(i - 1 - node.numStates));
  }
  Type i64 = b.builder.getI64Type(), i1 = b.builder.getI1Type();
  Value lengths = b.has(0) ? b.cast(b.input(0), i64) : Value();
  if (lengths)
    lengths = checkedLengths(b, lengths, size, "sequence_lens");
  Value whole = b.shape.buildScalar(size, i64);
  LoopParts rows;
  rows.ignoresCondition = true;
  rows.tripCount = b.shape.buildScalar(batch, i64);
  rows.numStacked = b.numOutputs();
  if (b.failed())
    return;
  auto ofRow = [&](Block &, Value row, ArrayRef<Value>) -> FailureOr<Outputs> {
    auto slice = [&](unsigned input) { return b.gather(b.input(input), row, 0); };
    Value length = lengths ? b.gather(lengths, row, 0) : whole;
    Outputs states, sequences;
    for (int64_t i = 0; i < node.numStates; ++i)
      states.push_back(slice(1 + i));
    for (int64_t i = 0; i < node.numSequences; ++i) {
      Value sequence = slice(1 + node.numStates + i);
      sequences.push_back(directions[i] ? reversedRows(b, sequence, length) : sequence);
    }
    Outputs results = node.loop(b, length, states, [&](Value step) {
      Outputs slices;
      for (Value sequence : sequences)
        slices.push_back(b.gather(sequence, step, 0));
      return slices;
    });
    for (size_t i = node.numStates; i < results.size() && lengths; ++i)
      results[i] = filledUp(b, results[i], size);
    Value goesOn = b.scalar(i1, 1);
    if (b.failed())
      return failure();
    results.insert(results.begin(), goesOn);
    return results;
  };
  for (auto [i, value] : llvm::enumerate(buildLoop(b, std::move(rows), ofRow)))
    b.result(static_cast<unsigned>(i), value);
}

} // namespace

void registerScanOps(OpTable &table) {
  table.add("", {
                    {"Scan", 8, 0, OpRow::any, importScanOfBatch},
                    {"Scan", 9, 1, OpRow::any, importScan},
                });
}

} // namespace hexin::onnx
