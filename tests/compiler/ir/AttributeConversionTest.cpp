#include "compiler/ir/AttributeConversion.h"

#include "compiler/ir/Ops.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace hexin;
using namespace hexin::hx;

namespace {

class AttributeConversionTest : public ::testing::Test {
protected:
  AttributeConversionTest() { context.loadDialect<HXDialect, mlir::func::FuncDialect>(); }
  /// The attributes of the first OpT in `text`.
  template <typename OpT> Attributes attributesOf(const char *text) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    Attributes attributes;
    if (!module)
      return attributes;
    module->walk([&](OpT op) { attributes = toAttributes(op); });
    return attributes;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

TEST_F(AttributeConversionTest, EveryKindAndTheDefaults) {
  Attributes conv = attributesOf<ConvOp>(R"(
    func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<6x2x3xf32>) {
      %0 = hx.conv %x, %w {groups = 2 : i64, hx.note = "left out", strides = array<i64: 2>,
                           pads = array<i64: 1, 1>, dilations = array<i64: 1>}
        : (tensor<1x4x8xf32>, tensor<6x2x3xf32>) -> tensor<1x6x4xf32>
      return
    })");
  EXPECT_EQ(conv.getInt("groups"), 2);
  EXPECT_EQ(conv.getInts("pads"), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(conv.getString("layout"), "nchw");
  EXPECT_EQ(conv.getString("padPolicy"), "explicit_pads");
  EXPECT_FALSE(conv.has("hx.note"));

  Attributes lstm = attributesOf<LstmOp>(R"(
    func.func @f(%x: tensor<7x2x5xf32>, %w: tensor<1x12x5xf32>, %r: tensor<1x12x3xf32>, %h: tensor<1x2x3xf32>) {
      %0, %1, %2 = hx.lstm %x weights %w recurrence %r initial_h %h
        {activations = ["Sigmoid", "Tanh", "Tanh"], activationAlpha = array<f64: 0.5>,
         activationBeta = array<f64>, hiddenSize = 3 : i64, direction = #hx.direction<reverse>,
         clip = 1.5 : f64, inputForget = true}
        : (tensor<7x2x5xf32>, tensor<1x12x5xf32>, tensor<1x12x3xf32>, tensor<1x2x3xf32>)
        -> (tensor<7x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
      return
    })");
  EXPECT_EQ(lstm.getString("direction"), "reverse");
  EXPECT_EQ(lstm.getFloat("clip"), 1.5);
  EXPECT_EQ(lstm.getFloats("activationAlpha"), std::vector<double>{0.5});
  EXPECT_EQ(lstm.getInt("inputForget"), 1);
  auto activations = std::find_if(
      lstm.begin(), lstm.end(), [](auto &entry) { return entry.first == "activations"; });
  ASSERT_NE(activations, lstm.end());
  EXPECT_EQ(std::get<std::vector<std::string>>(activations->second),
            (std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"}));
  // Which of the optional operands are there.
  EXPECT_EQ(lstm.getInts("operandSegmentSizes"),
            (std::vector<int64_t>{1, 1, 1, 0, 0, 1, 0, 0}));

  Attributes layer = attributesOf<RecurrenceOp>(R"(
    func.func @f(%x: tensor<7x2x9xf32>, %r: tensor<3x3x3xf32>) {
      %0, %1 = hx.recurrence <gru> %x recurrence %r
        {activations = ["Sigmoid", "Tanh"], activationAlpha = array<f64>,
         activationBeta = array<f64>, hiddenSize = 3 : i64}
        : (tensor<7x2x9xf32>, tensor<3x3x3xf32>) -> (tensor<7x1x2x3xf32>, tensor<1x2x3xf32>)
      return
    })");
  EXPECT_EQ(layer.getString("cell"), "gru");

  Attributes matmul = attributesOf<MatMulOp>(R"(
    func.func @f(%a: tensor<2x3xf16>, %b: tensor<3x5xf16>) {
      %0 = hx.matmul %a, %b {accumulate = f32} : (tensor<2x3xf16>, tensor<3x5xf16>) -> tensor<2x5xf16>
      return
    })");
  EXPECT_EQ(matmul.getString("accumulate"), "f32");
  EXPECT_EQ(matmul.getInt("transposeLhs", -1), 0);
}

TEST_F(AttributeConversionTest, EveryEnumIsAKeyword) {
  const char *text = R"(
    func.func @f(%x: tensor<4xf32>, %s: tensor<1xi64>, %k: tensor<1xf32>, %v: tensor<f32>, %c: tensor<1x1x4xf32>) {
      %0 = hx.unary <log1p> %x : (tensor<4xf32>) -> tensor<4xf32>
      %1 = hx.binary <fmod> %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      %2 = hx.compare <le> %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
      %3 = hx.activation <hard_swish> %x : (tensor<4xf32>) -> tensor<4xf32>
      %4 = hx.reduce <prod> %x {axes = array<i64: 0>} : (tensor<4xf32>) -> tensor<1xf32>
      %5 = hx.pad <reflect> %x, %s, %s, %v : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<f32>) -> tensor<?xf32>
      %6 = hx.scatter_elements <mul> %x, %s, %k {axis = 0 : i64} : (tensor<4xf32>, tensor<1xi64>, tensor<1xf32>) -> tensor<4xf32>
      %7 = hx.pool <avg_include_pad> %c {window = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x1x4xf32>) -> tensor<1x1x3xf32>
      %8 = hx.resize <cubic> %x, %s, %k {coordinates = "half_pixel", nearest = "floor"} : (tensor<4xf32>, tensor<1xi64>, tensor<1xf32>) -> tensor<?xf32>
      return
    })";
  module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  std::vector<std::string> keywords;
  module->walk([&](ShapeOpInterface op) {
    Attributes attributes = toAttributes(op);
    for (const char *name : {"fn", "predicate", "kind", "mode"})
      if (attributes.has(name))
        keywords.emplace_back(attributes.getString(name));
  });
  EXPECT_EQ(keywords,
            (std::vector<std::string>{"log1p", "fmod", "le", "hard_swish", "prod",
                                      "reflect", "mul", "avg_include_pad", "cubic"}));
}

TEST_F(AttributeConversionTest, ElementTypesGoBothWays) {
  for (int i = 0; i <= static_cast<int>(DType::f4e2m1); ++i) {
    auto dtype = static_cast<DType>(i);
    mlir::Type type = toElementType(dtype, &context);
    ASSERT_TRUE(type) << toString(dtype);
    EXPECT_EQ(toDType(type), dtype) << toString(dtype);
  }
  mlir::Builder builder(&context);
  EXPECT_EQ(toDType(builder.getIndexType()), std::nullopt);
  EXPECT_EQ(toDType(builder.getIntegerType(7)), std::nullopt);
}

} // namespace
