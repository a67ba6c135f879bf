#include "frontends/onnx/OperandKinds.h"

#include "llvm/ADT/StringSwitch.h"

namespace hexin::onnx {

OperandKinds operandKinds(llvm::StringRef domain, llvm::StringRef opType) {
  using Kinds = OperandKinds;
  llvm::StringSwitch<Kinds> kinds(opType);
  if (domain == "ai.onnx.ml")
    return kinds.Cases({"CastMap", "DictVectorizer"}, Kinds::values)
        .Cases({"LabelEncoder", "CategoryMapper", "OneHotEncoder"}, Kinds::strings)
        .Default(Kinds::numbers);
  if (!domain.empty())
    return Kinds::numbers;
  return kinds.Cases({"Identity", "If", "Loop", "Scan", "SequenceMap"}, Kinds::values)
      .Cases({"Optional", "OptionalGetElement", "OptionalHasElement"}, Kinds::values)
      .Cases({"SequenceConstruct", "SequenceInsert", "SequenceAt", "SequenceErase",
              "SequenceLength", "ConcatFromSequence"},
             Kinds::values)
      .Cases({"SplitToSequence", "Shape", "Size"}, Kinds::strings)
      .Cases({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat"},
             Kinds::strings)
      .Cases({"Expand", "Tile", "Slice", "Split", "Pad", "Compress"}, Kinds::strings)
      .Cases({"Gather", "GatherElements", "GatherND"}, Kinds::strings)
      .Cases({"Scatter", "ScatterElements", "ScatterND"}, Kinds::strings)
      .Cases({"Where", "Equal", "Cast", "CastLike"}, Kinds::strings)
      .Cases({"CenterCropPad", "DepthToSpace", "OneHot", "ReverseSequence"}, Kinds::moved)
      .Cases({"SpaceToDepth", "TensorScatter", "Trilu"}, Kinds::moved)
      .Cases({"StringConcat", "StringSplit", "StringNormalizer", "RegexFullMatch",
              "TfIdfVectorizer"},
             Kinds::strings)
      .Default(Kinds::numbers);
}

} // namespace hexin::onnx
