#include "compiler/codegen/schedules/packed/Problem.h"

#include "compiler/codegen/elements/WindowLoops.h"

#include <numeric>

using namespace mlir;

namespace hexin::codegen::packed {

hx::PanelsAttr panelsOf(Value value) {
  return dyn_cast_or_null<hx::PanelsAttr>(
      cast<RankedTensorType>(value.getType()).getEncoding());
}

void Problem::setColumns(KernelBuilder &k, hx::Dim dim) {
  columns = k.size(dim);
  numColumns = hx::SymbolTable::constantValue(dim);
  columnsAreFull = numColumns && *numColumns % width == 0;
}

/// The product of `dims`, where all are known.
static std::optional<int64_t> knownProduct(KernelBuilder &k, ArrayRef<hx::Dim> dims) {
  return hx::SymbolTable::constantValue(k.shapes().symbols().product(dims));
}

template <typename OpT> void Problem::describeMatMul(ElementEmitter &emitter, OpT op) {
  KernelBuilder &k = emitter.kernel();
  lhs = op.getLhs();
  rhs = op.getRhs();
  width = panelsOf(rhs).getWidth();
  accType = sumType = computeType(elementType(op.getResult()));
  SmallVector<KExpr> l = emitter.sizes(lhs), r = emitter.sizes(rhs);
  size_t columnAxis = r.size() - (panelsOf(rhs).getTransposed() ? 2 : 1);
  setColumns(k, emitter.dims(rhs)[columnAxis]);
  depth = l.back();
  runMultiple = emitter.dims(lhs).back().getLargestKnownDivisor();
  bool isBatched = llvm::any_of(ArrayRef(r).drop_back(2), [&](KExpr size) {
    return k.exprs().constantValue(size) != 1;
  });
  if (!isBatched) {
    rows = k.exprs().product(ArrayRef(l).drop_back());
    numRows = knownProduct(k, ArrayRef(emitter.dims(lhs)).drop_back());
    outer = k.constantExpr(1);
    return;
  }
  rows = l[l.size() - 2];
  numRows = hx::SymbolTable::constantValue(emitter.dims(lhs)[l.size() - 2]);
  SmallVector<KExpr> result = emitter.sizes(op.getResult());
  batchSizes.assign(result.begin(), result.end() - 2);
  outer = k.exprs().product(batchSizes);
}

template <typename OpT> void Problem::describeConv(ElementEmitter &emitter, OpT op) {
  KernelBuilder &k = emitter.kernel();
  conv = {op.getStrides(), op.getDilations(), static_cast<int64_t>(op.getGroups()),
          Value()};
  lhs = op.getInput();
  rhs = op.getWeights();
  width = panelsOf(rhs).getWidth();
  accType = sumType = computeType(elementType(op.getResult()));
  inSizes = emitter.sizes(lhs);
  outSizes = emitter.sizes(op.getResult());
  hx::Dims weightDims = emitter.dims(rhs);
  auto constant = [&](hx::Dim dim) { return *hx::SymbolTable::constantValue(dim); };
  // As hx-pack-operands has it: with several outputs per channel, groups are panels.
  isDepthwise = op.getGroups() > 1 && constant(weightDims[1]) == 1 &&
                constant(weightDims[0]) == static_cast<int64_t>(op.getGroups());
  int64_t groups = isDepthwise ? 1 : op.getGroups();
  taps = {constant(weightDims[2]), constant(weightDims[3])};
  setColumns(k, k.shapes().symbols().constant(constant(weightDims[0]) / groups));
  depth = k.size(weightDims[1]);
  channelsPerTap = constant(weightDims[1]);
  channels = inSizes[3];
  runMultiple = std::gcd(constant(weightDims[1]),
                         emitter.dims(lhs).back().getLargestKnownDivisor());
  rows = k.exprs().product({outSizes[0], outSizes[1], outSizes[2]});
  numRows = knownProduct(k, ArrayRef(emitter.dims(op.getResult())).drop_back());
  outWidth = hx::SymbolTable::constantValue(emitter.dims(op.getResult())[2]);
  isOneImage = hx::SymbolTable::constantValue(emitter.dims(op.getResult())[0]) == 1;
  outer = k.size(k.shapes().symbols().constant(groups));
  WindowAxes axes(4, hx::Layout::nhwc);
  hx::Dims pads = beginPads(k.shapes(), op.getPads(), op.getPadPolicy(),
                            ArrayRef(weightDims).drop_front(2), op.getStrides(),
                            op.getDilations(), axes.spatialOf(emitter.dims(lhs)),
                            axes.spatialOf(emitter.dims(op.getResult())));
  hasPads = op.getPadPolicy() != hx::PadPolicy::explicit_pads ||
            llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; });
  for (hx::Dim pad : pads)
    beginPad.push_back(k.size(pad));
  isPointwise = taps[0] == 1 && taps[1] == 1 && !hasPads && op.getStrides()[0] == 1 &&
                op.getStrides()[1] == 1;
}

void Problem::describeFewBits(ElementEmitter &emitter, hx::MatMulFewBitsOp op) {
  KernelBuilder &k = emitter.kernel();
  int64_t bits = op.getBits(), block = op.getBlock();
  auto numSteps = hx::SymbolTable::constantValue(emitter.dims(op.getLhs()).back());
  fewBits = {bits, block, numSteps, op.getScales(), op.getZeroPoint()};
  runMultiple = emitter.dims(op.getLhs()).back().getLargestKnownDivisor();
  lhs = op.getLhs();
  rhs = op.getBytes();
  width = panelsOf(rhs).getWidth();
  accType = sumType = computeType(elementType(op.getResult()));
  SmallVector<KExpr> l = emitter.sizes(lhs);
  setColumns(k, emitter.dims(rhs)[op.getDepthFirst() ? 1 : 0]);
  depth = l.back();
  rows = k.exprs().product(ArrayRef(l).drop_back());
  outer = k.constantExpr(1);
}

Problem::Problem(ElementEmitter &emitter, Operation *heavy) {
  if (auto op = dyn_cast<hx::ConvOp>(heavy)) {
    describeConv(emitter, op);
    conv->bias = op.getBias();
  } else if (auto op = dyn_cast<hx::ConvIntegerOp>(heavy)) {
    describeConv(emitter, op);
    setZeroPoints(emitter, op.getInputZeroPoint(), op.getWeightsZeroPoint());
  } else if (auto op = dyn_cast<hx::MatMulIntegerOp>(heavy)) {
    describeMatMul(emitter, op);
    setZeroPoints(emitter, op.getLhsZeroPoint(), op.getRhsZeroPoint());
  } else if (auto op = dyn_cast<hx::MatMulFewBitsOp>(heavy)) {
    describeFewBits(emitter, op);
  } else {
    describeMatMul(emitter, cast<hx::MatMulOp>(heavy));
  }
  panelSteps = panelsOf(rhs).getSteps();
  isBfloat = panelSteps > 1 || hasBfloatWords();
}

/// Writing a panel as words pays for a few rows and more, and a tap must be whole words.
bool Problem::hasBfloatWords() const {
  constexpr int64_t minRows = 4, perWord = 2;
  bool isOfWords = !conv || isPointwise || runMultiple % perWord == 0;
  return elementType(lhs).isBF16() && elementType(rhs).isBF16() && !isDepthwise &&
         isOfWords && !(numRows && *numRows < minRows);
}

void Problem::setZeroPoints(ElementEmitter &emitter, Value ofLhs, Value ofRhs) {
  isInteger = true;
  sumType = emitter.kernel().builder().getF32Type();
  lhsZeroPoint = ofLhs;
  rhsZeroPoint = ofRhs;
}

} // namespace hexin::codegen::packed
