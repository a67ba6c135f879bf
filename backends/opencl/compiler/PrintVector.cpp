//===- PrintVector.cpp - building, splitting and reducing vectors ------------===//
#include "backends/opencl/compiler/KernelPrinter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using vector::CombiningKind;

namespace hexin::opencl {

/// Lane `index` of a vector variable, or a scalar (vector<1xT>) itself.
static std::string lane(CType type, const std::string &x, unsigned index) {
  return type.isVector() ? x + ".s" + "0123456789abcdef"[index] : x;
}

static std::string construct(CType type, llvm::ArrayRef<std::string> lanes) {
  std::string text = "(" + type.name() + ")(";
  for (auto [index, item] : llvm::enumerate(lanes))
    text += (index ? ", " : "") + item;
  return text + ")";
}

/// Position of an extract or insert: a lane, or a subscript not known here.
struct Position {
  unsigned index = 0;
  std::string dynamic;
};

template <typename Op>
static std::optional<Position> positionOf(Op op, CType vector, KernelPrinter &p) {
  if (op.getStaticPosition().size() != 1)
    return std::nullopt;
  Position position;
  if (op.hasDynamicPosition()) {
    position.dynamic = p.subscript(op.getDynamicPosition()[0]);
    return position;
  }
  int64_t index = op.getStaticPosition()[0];
  if (index >= static_cast<int64_t>(vector.lanes))
    return std::nullopt;
  position.index = index < 0 ? 0 : static_cast<unsigned>(index); // -1: any lane will do
  return position;
}

/// A vector in memory of its own, for a subscript that is not known. Masking
/// keeps an undefined position inside.
static std::string subscriptOf(CType type, const std::string &variable,
                               const std::string &index) {
  return "((__private " +
         type.withLanes(1).withScalar(type.isMask() ? Scalar::i8 : type.scalar).name() +
         " *)&" + variable + ")[" + index + " & " + std::to_string(type.lanes - 1) + "]";
}

static LogicalResult printExtract(vector::ExtractOp op, KernelPrinter &p) {
  CType source = p.typeOf(op.getSource()), result = p.typeOf(op.getResult());
  std::optional<Position> position = positionOf(op, source, p);
  if (!position || result.isVector())
    return op.emitOpError("must take one lane of a 1-D vector");
  if (!source.isVector()) {
    p.define(op.getResult(), p.ref(op.getSource()));
    return success();
  }
  std::string text = lane(source, p.ref(op.getSource()), position->index);
  if (!position->dynamic.empty())
    text =
        subscriptOf(source, p.declare(source, p.ref(op.getSource())), position->dynamic);
  p.define(op.getResult(), scalarOfLane(source, text));
  return success();
}

static LogicalResult printInsert(vector::InsertOp op, KernelPrinter &p) {
  CType type = p.typeOf(op.getResult());
  std::optional<Position> position = positionOf(op, type, p);
  if (!position || p.typeOf(op.getValueToStore()).isVector())
    return op.emitOpError("must set one lane of a 1-D vector");
  std::string value = p.ref(op.getValueToStore());
  if (!type.isVector()) {
    p.define(op.getResult(), value);
    return success();
  }
  p.define(op.getResult(), p.ref(op.getDest()));
  std::string variable = p.ref(op.getResult());
  std::string target = position->dynamic.empty()
                           ? lane(type, variable, position->index)
                           : subscriptOf(type, variable, position->dynamic);
  p.statement(target + " = " + laneOfMask(type, value) + ";");
  return success();
}

static void printBroadcast(vector::BroadcastOp op, KernelPrinter &p) {
  CType from = p.typeOf(op.getSource()), to = p.typeOf(op.getVector());
  std::string x = p.ref(op.getSource());
  if (from.lanes == to.lanes)
    return p.define(op.getVector(), x);
  p.define(op.getVector(), construct(to, {laneOfMask(to, x)}));
}

static void printShuffle(vector::ShuffleOp op, KernelPrinter &p) {
  CType first = p.typeOf(op.getV1()), second = p.typeOf(op.getV2()),
        to = p.typeOf(op.getVector());
  SmallVector<std::string> lanes;
  std::string swizzle;
  bool isFirstOnly = first.isVector();
  for (int64_t source : op.getMask()) {
    unsigned index =
        source < 0 ? 0 : static_cast<unsigned>(source); // -1: any lane will do
    isFirstOnly &= index < first.lanes;
    std::string item = index < first.lanes
                           ? lane(first, p.ref(op.getV1()), index)
                           : lane(second, p.ref(op.getV2()), index - first.lanes);
    bool fromMaskVector = index < first.lanes ? first.isVector() : second.isVector();
    lanes.push_back(to.isVector()
                        ? (fromMaskVector ? item : laneOfMask(to, item))
                        : (fromMaskVector ? scalarOfLane(to.withLanes(2), item) : item));
    if (isFirstOnly)
      swizzle += "0123456789abcdef"[index];
  }
  if (!to.isVector())
    p.define(op.getVector(), lanes[0]);
  else if (isFirstOnly)
    p.define(op.getVector(), p.ref(op.getV1()) + ".s" + swizzle);
  else
    p.define(op.getVector(), construct(to, lanes));
}

static void printFromElements(vector::FromElementsOp op, KernelPrinter &p) {
  CType type = p.typeOf(op.getDest());
  if (!type.isVector())
    return p.define(op.getDest(), p.ref(op.getElements()[0]));
  SmallVector<std::string> lanes;
  for (Value element : op.getElements())
    lanes.push_back(laneOfMask(type, p.ref(element)));
  p.define(op.getDest(), construct(type, lanes));
}

static void printToElements(vector::ToElementsOp op, KernelPrinter &p) {
  CType type = p.typeOf(op.getSource());
  for (auto [index, element] : llvm::enumerate(op.getElements())) {
    std::string text = lane(type, p.ref(op.getSource()), index);
    p.define(element, type.isVector() ? scalarOfLane(type, text) : text);
  }
}

/// Halves are combined until one lane is left: a fixed order.
static LogicalResult printReduction(vector::ReductionOp op, KernelPrinter &p) {
  CType type = p.typeOf(op.getVector()).computeType();
  std::string x = p.computeRef(op.getVector());
  if (type.isVector())
    x = p.declare(type, x);
  while (type.isVector()) {
    CType half = type.withLanes(type.lanes / 2);
    std::string low = x + ".lo", high = x + ".hi";
    std::string text = combine(op.getKind(), half, low, high, p.helpers());
    if (half.isMask() && !half.isVector())
      text = "(" + text + ") & 1";
    x = p.declare(half, text);
    type = half;
  }
  if (op.getAcc())
    x = combine(op.getKind(), type, x, p.computeRef(op.getAcc()), p.helpers());
  p.defineComputed(op.getDest(), x);
  return success();
}

std::optional<LogicalResult> printVectorOp(Operation *op, KernelPrinter &p) {
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .Case([&](vector::ExtractOp extract) { return printExtract(extract, p); })
      .Case([&](vector::InsertOp insert) { return printInsert(insert, p); })
      .Case([&](vector::BroadcastOp broadcast) {
        return printBroadcast(broadcast, p), success();
      })
      .Case(
          [&](vector::ShuffleOp shuffle) { return printShuffle(shuffle, p), success(); })
      .Case([&](vector::FromElementsOp from) {
        return printFromElements(from, p), success();
      })
      .Case([&](vector::ToElementsOp to) { return printToElements(to, p), success(); })
      .Case([&](vector::ReductionOp reduction) { return printReduction(reduction, p); })
      .Case([&](vector::StepOp step) {
        CType type = p.typeOf(step.getResult());
        SmallVector<std::string> lanes;
        for (unsigned i = 0; i < type.lanes; ++i)
          lanes.push_back(std::to_string(i));
        return p.bind(step.getResult(), "(" + construct(type, lanes) + ")"), success();
      })
      .Default([](Operation *) { return std::nullopt; });
}

} // namespace hexin::opencl
