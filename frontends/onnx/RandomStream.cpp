// What random operators draw from: a hidden state of the session, [seed, runs], that the
// model gets as an input and hands on as an output with one run more.
#include "frontends/onnx/GraphImporter.h"

using namespace mlir;

namespace hexin::onnx {

Value GraphImporter::randomStream() {
  if (random.stream)
    return random.stream;
  auto type = RankedTensorType::get({2}, builder.getI64Type());
  std::string name = "hexin.random";
  auto isTaken = [&](const ValueInfo &info) { return info.name == name; };
  while (llvm::any_of(model.graph.inputs, isTaken) ||
         llvm::any_of(model.graph.outputs, isTaken))
    name += "_";
  Location loc = NameLoc::get(builder.getStringAttr(name));
  BlockArgument argument = random.mainBlock->addArgument(type, loc);
  shapes.addArgument(argument, {""});
  return random.stream = argument;
}

LogicalResult GraphImporter::finishRandom(func::FuncOp func) {
  if (!random.stream)
    return success();
  auto argument = cast<BlockArgument>(random.stream);
  if (argument.use_empty()) {
    func.getBody().front().eraseArgument(argument.getArgNumber());
    func.setType(builder.getFunctionType(func.getBody().front().getArgumentTypes(),
                                         func.getResultTypes()));
    return success();
  }
  Operation *terminator = func.getBody().front().getTerminator();
  builder.setInsertionPoint(terminator);
  HxBuilder b(builder, shapes, argument.getLoc());
  Value next = b.add(argument, b.ints({0, 1}));
  if (b.failed())
    return failure();
  unsigned result = terminator->getNumOperands(), index = argument.getArgNumber();
  terminator->insertOperands(result, next);
  func.setType(builder.getFunctionType(func.getBody().front().getArgumentTypes(),
                                       terminator->getOperandTypes()));
  StringAttr name = cast<NameLoc>(argument.getLoc()).getName();
  func.setArgAttr(index, "hx.name", name);
  func.setArgAttr(index, "hx.dim_names", builder.getStrArrayAttr({""}));
  func.setArgAttr(index, "hx.random_state", builder.getUnitAttr());
  func.setResultAttr(result, "hx.name", name);
  return success();
}

} // namespace hexin::onnx
