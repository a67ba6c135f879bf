// What an import returns beside the IR, and the options a caller gives.
#include "frontends/onnx/Import.h"

#include "tests/frontends/onnx/ModelBytes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace hexin;
using namespace hexin::onnx::testing;
using ::testing::HasSubstr;

namespace {

/// y = x + w with a weight of 128 KiB, which IR version 3 also lists as an input.
std::string addModel() {
  std::string weight = message([](Writer &w) {
    w.add_int64(1, 1);
    w.add_int64(1, 32768);
    w.add_int32(2, 1);
    w.add_string(8, "w");
    w.add_bytes(9, std::string(4 * 32768, 'a'));
  });
  std::string doc = valueInfo("x", 1, {"N", "C"}) +
                    message([](Writer &w) { w.add_string(3, "what goes in"); });
  return model(message([&](Writer &w) {
    w.add_message(1, node("Add", "add", {"x", "w"}, {"y"}));
    w.add_string(2, "adder");
    w.add_message(5, weight);
    w.add_message(11, valueInfo("w", 1, {"A", "B"}));
    w.add_message(11, doc);
    w.add_message(12, valueInfo("y", 1, {}));
  }));
}

struct Import {
  explicit Import(std::string modelBytes, ImportOptions options = {})
      : bytes(std::move(modelBytes)),
        model(createOnnxFrontend()->importBytes(context, asBytes(bytes), options)) {}

  mlir::func::FuncOp main() {
    return mlir::ModuleOp(*model->module).lookupSymbol<mlir::func::FuncOp>("main");
  }
  std::string inputType() {
    std::string text;
    llvm::raw_string_ostream(text) << main().getArgumentTypes()[0];
    return text;
  }

  mlir::MLIRContext context;
  std::string bytes;
  Result<ImportedModel> model;
};

TEST(Import, TellsTheModelsFace) {
  Import import(addModel());
  ASSERT_TRUE(import.model.ok()) << import.model.status().toString();
  const ModelFace &face = import.model->face;
  EXPECT_EQ(face.name, "adder");
  EXPECT_EQ(face.metadata.at("author"), "nobody");
  ASSERT_EQ(face.inputs.size(), 1u); // the weight is none
  EXPECT_EQ(face.inputs[0].name, "x");
  EXPECT_EQ(face.inputs[0].doc, "what goes in");
  ASSERT_EQ(face.outputs.size(), 1u);
  EXPECT_EQ(face.outputs[0].name, "y");
}

TEST(Import, WeightsLookIntoTheModel) {
  Import import(addModel());
  ASSERT_TRUE(import.model.ok()) << import.model.status().toString();
  const hx::WeightEntry *entry = import.model->weights->find("w");
  ASSERT_NE(entry, nullptr);
  const char *data = entry->tensor.as<char>();
  EXPECT_TRUE(data > import.bytes.data() &&
              data < import.bytes.data() + import.bytes.size());
  EXPECT_EQ(hx::WeightStore::of(import.main()), import.model->weights.get());
}

TEST(Import, ShapesFixSizes) {
  Import dynamic(addModel());
  ASSERT_TRUE(dynamic.model.ok());
  EXPECT_EQ(dynamic.inputType(), "tensor<?x?xf32>");
  Import partly(addModel(), {{{"x", {4, -1}}}});
  ASSERT_TRUE(partly.model.ok()) << partly.model.status().toString();
  EXPECT_EQ(partly.inputType(), "tensor<4x?xf32>");
}

TEST(Import, ShapesNameSizes) {
  Import named(addModel(), {{{"x", {"R", -1}}}});
  ASSERT_TRUE(named.model.ok()) << named.model.status().toString();
  auto names = named.main().getArgAttrOfType<mlir::ArrayAttr>(0, "hx.dim_names");
  ASSERT_TRUE(names);
  EXPECT_EQ(mlir::cast<mlir::StringAttr>(names[0]).getValue(), "R");
  EXPECT_EQ(mlir::cast<mlir::StringAttr>(names[1]).getValue(), "C");
}

TEST(Import, ShapesAreChecked) {
  auto status = [](std::map<std::string, std::vector<DimSpec>> shapes) {
    return Import(addModel(), {std::move(shapes)}).model.status();
  };
  Status unknown = status({{"z", {1}}});
  EXPECT_EQ(unknown.code(), StatusCode::invalidArgument);
  EXPECT_THAT(unknown.message(), HasSubstr("'z', but the model's inputs are 'x'"));
  Status rank = status({{"x", {1, 2, 3}}});
  EXPECT_EQ(rank.code(), StatusCode::invalidArgument);
  EXPECT_THAT(rank.message(), HasSubstr("rank 2, but 3 sizes"));
  EXPECT_EQ(status({{"x", {1, -2}}}).code(), StatusCode::invalidArgument);
  // The weight is no input: its sizes are known.
  EXPECT_EQ(status({{"w", {1, 2}}}).code(), StatusCode::invalidArgument);
  // Sizes that do not fit the model are found at the node.
  Status size = status({{"x", {4, 7}}});
  EXPECT_EQ(size.code(), StatusCode::invalidArgument);
  EXPECT_THAT(size.message(), HasSubstr("node 'add' (Add)"));
}

TEST(Import, SurvivesDamagedModels) {
  std::string bytes = smallModel();
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int mask : {0x01, 0x10, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ mask);
      Import import(damaged);
      if (!import.model.ok()) {
        EXPECT_NE(import.model.status().code(), StatusCode::internal)
            << import.model.status().toString();
        EXPECT_FALSE(import.model.status().message().empty());
      }
    }
}

} // namespace
