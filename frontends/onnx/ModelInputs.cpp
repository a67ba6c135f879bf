#include "frontends/onnx/ModelInputs.h"

#include "frontends/onnx/ElementTypes.h"
#include "frontends/onnx/wire/DataType.h"
#include "frontends/onnx/wire/Utf8.h"

#include "compiler/ir/Dialect.h"

using namespace mlir;

namespace hexin::onnx {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Names that exporters write for "unknown": they do not say that sizes are equal.
bool isPlaceholder(std::string_view name) {
  return name.empty() || name == "?" || name == "*" || name == "None" || name == "-1";
}

struct Size {
  int64_t value = ShapedType::kDynamic;
  std::string name;
};

std::string describe(const ValueInfo &info) {
  return "input '" + std::string(info.name) + "'";
}

Result<std::vector<Size>> sizesOf(const ValueInfo &info, const Shapes &shapes) {
  auto given = shapes.find(std::string(info.name));
  std::vector<Size> sizes;
  if (info.type.shape) {
    for (const Dimension &dimension : *info.type.shape) {
      Size size;
      if (dimension.value && *dimension.value >= 0)
        size.value = *dimension.value;
      else if (!isPlaceholder(dimension.param))
        size.name = toUtf8(dimension.param);
      sizes.push_back(std::move(size));
    }
  } else if (given == shapes.end()) {
    return invalidArgument(describe(info) +
                           " has no declared rank: give its sizes (shapes)");
  } else {
    sizes.resize(given->second.size());
  }
  if (given == shapes.end())
    return sizes;
  if (given->second.size() != sizes.size())
    return invalidArgument(describe(info) + " has rank " + std::to_string(sizes.size()) +
                           ", but " + std::to_string(given->second.size()) +
                           " sizes were given");
  for (size_t axis = 0; axis < sizes.size(); ++axis) {
    int64_t size = given->second[axis];
    if (size < -1)
      return invalidArgument(describe(info) + ": size " + std::to_string(size) +
                             " at axis " + std::to_string(axis) +
                             "; expected a size, or -1 to keep it");
    if (size >= 0)
      sizes[axis].value = size;
  }
  return sizes;
}

} // namespace

Result<std::vector<InputType>> resolveInputs(MLIRContext *context,
                                             ArrayRef<const ValueInfo *> infos,
                                             const Shapes &shapes) {
  std::string names;
  for (const ValueInfo *info : infos)
    names += (names.empty() ? "'" : ", '") + std::string(info->name) + "'";
  for (const auto &[name, sizes] : shapes)
    if (llvm::none_of(infos, [&](const ValueInfo *info) { return info->name == name; }))
      return invalidArgument("sizes are given for '" + name +
                             "', but the model's inputs are " +
                             (names.empty() ? "none" : names));

  std::vector<std::vector<Size>> allSizes;
  std::map<std::string, int64_t> sizeOfName;
  for (const ValueInfo *info : infos) {
    if (!isUtf8(info->name))
      return corruptData("the name of an input is not UTF-8");
    if (info->type.kind != TypeInfo::Kind::tensor)
      return unsupported(describe(*info) + " is not a tensor");
    HEXIN_ASSIGN_OR_RETURN(std::vector<Size> sizes, sizesOf(*info, shapes));
    for (const Size &size : sizes) {
      if (size.name.empty() || ShapedType::isDynamic(size.value))
        continue;
      auto [known, isNew] = sizeOfName.emplace(size.name, size.value);
      if (!isNew && known->second != size.value)
        return invalidArgument(describe(*info) + ": size '" + size.name +
                               "' is given as " + std::to_string(size.value) +
                               " here and as " + std::to_string(known->second) +
                               " elsewhere");
    }
    allSizes.push_back(std::move(sizes));
  }

  std::vector<InputType> inputs;
  for (auto [info, sizes] : llvm::zip(infos, allSizes)) {
    Type elementType = toElementType(context, info->type.elementType);
    if (!elementType || isa<hx::StringType>(elementType))
      return unsupported(describe(*info) + " has element type " +
                         dataTypeName(info->type.elementType));
    InputType input;
    SmallVector<int64_t> dims;
    for (const Size &size : sizes) {
      auto known = sizeOfName.find(size.name);
      bool isNamed = !size.name.empty() && known != sizeOfName.end();
      dims.push_back(isNamed ? known->second : size.value);
      input.dimNames.push_back(ShapedType::isDynamic(dims.back()) ? size.name
                                                                  : std::string());
    }
    input.type = RankedTensorType::get(dims, elementType);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

} // namespace hexin::onnx
