//===- Winograd.cpp - 3x3 convolutions of stride 1 with fewer products -------------===//
//
// F(4x4, 3x3) and F(2x2, 3x3) (runtime/artifact/WinogradWeights.h has the mathematics),
// channels last. The group has the weights twice, in panels and transformed:
//
//   item = (group, block of tiles, panel)
//     V = transformed inputs of the block      unless the item before has made them
//     M[point] = V[point] * U[panel][point]    (m+2)^2 products
//     for tiles of the block
//       store epilogue(transformed M), or, where that is not finite,
//       store epilogue(direct sums)            as the packed schedule has it
//
// Panels come last, so that a thread whose items are many panels of a block transforms
// its inputs once.
//
// In reading order: winograd/Cost.h (where this is faster), Blocks.h (what is worked on
// at a time, and the workspace), InputTransform.cpp, Products.cpp, OutputTransform.cpp,
// Points.h (the transforms of a row).
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Codegen.h"
#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/winograd/Blocks.h"
#include "compiler/codegen/schedules/winograd/Cost.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

hx::ConvOp convOf(hx::GroupOp group) {
  return dyn_cast_or_null<hx::ConvOp>(heavyOp(group));
}

/// What the group is given for the convolution's weights.
Value weightsOf(hx::GroupOp group, hx::ConvOp conv) {
  auto argument = dyn_cast<BlockArgument>(conv.getWeights());
  return argument ? group.getInputs()[argument.getArgNumber()] : Value();
}

bool isPlain3x3(hx::ConvOp conv) {
  auto weights = cast<RankedTensorType>(conv.getWeights().getType());
  auto isOne = [](int64_t value) { return value == 1; };
  return conv.getStrides().size() == 2 && weights.hasStaticShape() &&
         weights.getDimSize(2) == 3 && weights.getDimSize(3) == 3 &&
         llvm::all_of(conv.getStrides(), isOne) &&
         llvm::all_of(conv.getDilations(), isOne);
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  hx::ConvOp conv = convOf(group);
  if (!conv || !isPlain3x3(conv))
    return notMine;
  if (!packed::panelsOf(conv.getWeights()) || conv.getLayout() != hx::Layout::nhwc)
    return "weights are not packed";
  auto isF32 = [](Type type) { return cast<ShapedType>(type).getElementType().isF32(); };
  if (!llvm::all_of(conv->getOperandTypes(), isF32) || !isF32(conv.getType()))
    return "only for f32";
  if (!isa<BlockArgument>(conv.getInput()))
    return "its input is computed in the group";
  Value weights = weightsOf(group, conv);
  auto pack = weights ? weights.getDefiningOp<hx::PackOp>() : hx::PackOp();
  if (!pack ||
      !isa_and_nonnull<hx::WeightOp, hx::ConstantOp>(pack.getInput().getDefiningOp()))
    return "weights are not constant";
  return winograd::choose(conv, shapes).reason;
}

hx::Dim guard(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  return winograd::choose(convOf(group), shapes).guard;
}

/// The weights once more, transformed; nothing in the body reads them.
void addTransformedWeights(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  hx::ConvOp conv = convOf(group);
  auto pack = weightsOf(group, conv).getDefiningOp<hx::PackOp>();
  hx::PanelsAttr panels = pack.getPanels();
  OpBuilder b(group);
  Type type = pack.getType();
  auto added = hx::PackOp::create(b, pack.getLoc(), type, pack.getInput(), panels);
  added->setAttr(winogradTileAttr,
                 b.getI64IntegerAttr(winograd::choose(conv, shapes).tile));
  group.getInputsMutable().append(added.getResult());
  group.getBody().front().addArgument(type, pack.getLoc());
}

/// Their tile's size.
int64_t tileOf(Value transformed) {
  auto pack = transformed.getDefiningOp<hx::PackOp>();
  auto tile = pack ? pack->getAttrOfType<IntegerAttr>(winogradTileAttr) : IntegerAttr();
  return tile ? tile.getInt() : 0;
}

Value transformedWeights(hx::GroupOp group) {
  auto it = llvm::find_if(group.getInputs(), tileOf);
  return it == group.getInputs().end() ? Value() : *it;
}

LogicalResult emitWinograd(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  KExprPool &e = k.exprs();
  hx::ConvOp conv = convOf(emitter.groupOp());
  Value transformed = transformedWeights(emitter.groupOp());
  int64_t tile = tileOf(transformed);
  packed::Problem problem(emitter, conv);
  winograd::Blocks blocks(emitter, problem, conv, tile);
  packed::Epilogue epilogue(emitter, problem, conv);
  // Measured against f64, in units of the sums' own bound (compiler/codegen/README.md).
  k.use.errorConstant = tile == 4 ? 14 : 3;

  KExpr panels = e.ceilDiv(problem.columns, k.constantExpr(problem.width));
  KExpr panelSize = e.product(
      {blocks.points, blocks.points, problem.depth, k.constantExpr(problem.width)});
  Value weights = k.bind(transformed, e.product({problem.outer, panels, panelSize}));
  Value workspace = k.workspace(blocks.workspaceSize);
  SmallVector<KExpr> space{problem.outer, blocks.blocks, panels};
  Value number = k.beginItems(e.product(space));
  SmallVector<Value> at = k.delinearize(number, space);
  packed::Item item(emitter, problem, /*outerIndex=*/at[0], /*panel=*/at[2]);

  Value tiles = k.value(blocks.tiles), numBlocks = k.value(blocks.blocks);
  winograd::Block block;
  block.first = k.div(k.mul(at[1], tiles), numBlocks);
  Value end = k.div(k.mul(k.add(at[1], k.index(1)), tiles), numBlocks);
  block.count = k.sub(end, block.first);

  auto isEqual = [&](Value x, Value y) -> Value {
    return arith::CmpIOp::create(k.builder(), k.loc(), arith::CmpIPredicate::eq, x, y);
  };
  Value isNew = arith::OrIOp::create(k.builder(), k.loc(), isEqual(at[2], k.index(0)),
                                     isEqual(number, k.firstItem()));
  k.ifThen(isNew, [&] { emitInputTransform(item, blocks, block, workspace); });

  Value panelNumber = k.add(k.mul(at[0], k.value(panels)), at[2]);
  Value weightsBase = k.mul(panelNumber, k.value(panelSize));
  emitProducts(item, blocks, block, workspace, weights, weightsBase);
  k.forLoop(k.index(0), k.index(problem.width), k.index(blocks.columns()), {},
            [&](Value column, ValueRange) {
              emitOutputTransform(item, epilogue, blocks, block, workspace, column);
              return SmallVector<Value>();
            });
  return success();
}

} // namespace

const GuardedSchedule winogradSchedule = {
    {"winograd", refusal, emitWinograd, 1}, guard, addTransformedWeights};

} // namespace hexin::codegen
