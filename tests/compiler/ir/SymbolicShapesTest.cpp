// What IR text cannot show: building with inference, and weights as contents.

#include "compiler/ir/SymbolicShapes.h"

#include "compiler/ir/Ops.h"
#include "compiler/ir/SizeText.h"
#include "compiler/ir/WeightStore.h"

#include "mlir/IR/Diagnostics.h"

#include <gtest/gtest.h>

using namespace hexin;
using namespace hexin::hx;

namespace {

class SymbolicShapesTest : public ::testing::Test {
protected:
  SymbolicShapesTest()
      : handler(&context,
                [this](mlir::Diagnostic &diagnostic) { message = diagnostic.str(); }) {
    context.loadDialect<HXDialect, mlir::func::FuncDialect>();
    module = mlir::ModuleOp::create(builder.getUnknownLoc());
    builder.setInsertionPointToStart(module->getBody());
    auto x = mlir::RankedTensorType::get({mlir::ShapedType::kDynamic, 6},
                                         builder.getF32Type());
    func = mlir::func::FuncOp::create(builder, builder.getUnknownLoc(), "main",
                                      builder.getFunctionType({x}, {}));
    builder.setInsertionPointToStart(func.addEntryBlock());
    shapes.addArgument(func.getArgument(0), {"N", ""});
  }
  mlir::Location loc(llvm::StringRef name) {
    return mlir::NameLoc::get(builder.getStringAttr(name));
  }

  mlir::MLIRContext context;
  std::string message;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OpBuilder builder{&context};
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp func;
  SymbolicShapes shapes{&context};
};

TEST_F(SymbolicShapesTest, CreatesOpsWithTheirTypes) {
  auto concat = createInferred<ConcatOp>(
      builder, shapes, loc("cat"), builder.getF32Type(),
      mlir::ValueRange{func.getArgument(0), func.getArgument(0)}, int64_t(1));
  ASSERT_TRUE(mlir::succeeded(concat));
  auto type = mlir::cast<mlir::RankedTensorType>(concat->getType());
  EXPECT_TRUE(type.isDynamicDim(0));
  EXPECT_EQ(type.getDimSize(1), 12);
  EXPECT_EQ(shapes.symbols().toString(shapes.dims(*concat)[0]), "N");
  EXPECT_EQ(shapes.symbols().toString(shapes.numElements(*concat)), "12*N");
}

TEST_F(SymbolicShapesTest, MessagesNameSizesAsTheModelDoes) {
  auto x = mlir::RankedTensorType::get(
      {mlir::ShapedType::kDynamic, mlir::ShapedType::kDynamic}, builder.getF32Type());
  mlir::Value y = func.front().addArgument(x, builder.getUnknownLoc());
  func.setType(builder.getFunctionType(func.front().getArgumentTypes(), {}));
  shapes.addArgument(mlir::cast<mlir::BlockArgument>(y), {"", "s0"});
  auto setNames = [&](unsigned index, llvm::StringRef name,
                      llvm::ArrayRef<llvm::StringRef> dims) {
    func.setArgAttr(index, "hx.name", builder.getStringAttr(name));
    func.setArgAttr(index, "hx.dim_names", builder.getStrArrayAttr(dims));
  };
  setNames(0, "x", {"N", ""});
  setNames(1, "y", {"", "s0"});
  SymbolTable &symbols = shapes.symbols();
  auto text = [&](Dim dim) { return describeSize(symbols, dim); };
  EXPECT_EQ(text(shapes.dims(func.getArgument(0))[0]), "N");
  EXPECT_EQ(text(shapes.dims(y)[0]), "input 'y' dimension 0");
  EXPECT_EQ(text(shapes.dims(y)[1]), "s0") << "the model's own name, strange as it is";
  EXPECT_EQ(text(symbols.add(symbols.mul(shapes.dims(y)[0], symbols.constant(2)),
                             symbols.constant(1))),
            "2*input 'y' dimension 0 + 1");
  auto unary = createInferred<UnaryOp>(builder, shapes, loc("layer1/exp"),
                                       builder.getF32Type(), UnaryFn::exp, y);
  ASSERT_TRUE(mlir::succeeded(unary));
  EXPECT_EQ(text(symbols.element(*unary, 3)), "element 3 of the result of 'layer1/exp'");
  EXPECT_EQ(text(symbols.resultDim(*unary, 1)),
            "dimension 1 of the result of 'layer1/exp'");
}

TEST_F(SymbolicShapesTest, RefusesWhatIsNoTensor) {
  auto sequence = SequenceType::get(&context, builder.getF32Type());
  mlir::Value value = func.front().addArgument(sequence, builder.getUnknownLoc());
  auto unary = createInferred<UnaryOp>(builder, shapes, loc("layer1/relu"),
                                       builder.getF32Type(), UnaryFn::exp, value);
  EXPECT_TRUE(mlir::failed(unary));
  EXPECT_EQ(message, "hx.unary 'layer1/relu': operand #0 must be a tensor, got "
                     "'!hx.sequence<f32>'");
}

TEST_F(SymbolicShapesTest, ReadsSmallWeights) {
  WeightStore store;
  WeightStore::attach(*module, &store);
  auto tensor = Tensor::allocate(DType::i64, std::vector<int64_t>{2});
  ASSERT_TRUE(tensor.ok());
  (*tensor).as<int64_t>()[0] = -1;
  (*tensor).as<int64_t>()[1] = 3;
  std::string name = store.add("shape", *tensor);
  auto type = mlir::RankedTensorType::get({2}, builder.getI64Type());
  auto weight = WeightOp::create(builder, loc("w"), type, name);
  auto reshape =
      createInferred<ReshapeOp>(builder, shapes, loc("r"), builder.getF32Type(),
                                func.getArgument(0), weight.getResult());
  ASSERT_TRUE(mlir::succeeded(reshape));
  EXPECT_EQ(shapes.symbols().toString(shapes.dims(*reshape)[0]), "2*N");
  WeightStore::attach(*module, nullptr);
}

TEST_F(SymbolicShapesTest, HostReadsLookBackToWhereTheyBegin) {
  auto type = mlir::RankedTensorType::get({1}, builder.getI64Type());
  mlir::Value given = func.front().addArgument(type, builder.getUnknownLoc());
  auto doubled = createInferred<BinaryOp>(
      builder, shapes, loc("add"), builder.getI64Type(), BinaryFn::add, given, given);
  ASSERT_TRUE(mlir::succeeded(doubled));
  EXPECT_FALSE(shapes.contents(*doubled));
  auto elements = shapes.hostElements(*doubled, *doubled);
  ASSERT_TRUE(mlir::succeeded(elements));
  Dim element = shapes.symbols().element(given, 0);
  EXPECT_EQ((*elements)[0], shapes.symbols().mul(element, shapes.symbols().constant(2)));
  EXPECT_TRUE(shapes.contents(*doubled));
}

} // namespace
