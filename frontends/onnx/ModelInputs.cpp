#include "frontends/onnx/ModelInputs.h"

#include "frontends/onnx/ElementTypes.h"
#include "frontends/onnx/ValueTypes.h"
#include "frontends/onnx/wire/DataType.h"
#include "frontends/onnx/wire/Utf8.h"

#include "compiler/ir/Dialect.h"

using namespace mlir;

namespace hexin::onnx {
namespace {

using Shapes = std::map<std::string, std::vector<DimSpec>>;

/// Names that exporters write for "unknown": they do not say that sizes are equal.
bool isPlaceholder(std::string_view name) {
  return name.empty() || name == "?" || name == "*" || name == "None" || name == "-1";
}

struct Size {
  int64_t value = ShapedType::kDynamic;
  std::string name;
  bool isNamedByUser = false;
};

std::string describe(const ValueInfo &info) {
  return "input '" + std::string(info.name) + "'";
}

std::string describe(const ValueInfo &info, size_t axis) {
  return describe(info) + ", axis " + std::to_string(axis);
}

Result<std::vector<Size>> declaredSizes(const ValueInfo &info) {
  std::vector<Size> sizes;
  for (const Dimension &dimension : *info.type.shape) {
    if (dimension.value && *dimension.value < -1)
      return corruptData(describe(info, sizes.size()) + ": the model declares the size " +
                         std::to_string(*dimension.value) +
                         "; expected at least 0, or -1 for an unknown size");
    Size size;
    if (dimension.value && *dimension.value >= 0)
      size.value = *dimension.value;
    else if (!isPlaceholder(dimension.param))
      size.name = toUtf8(dimension.param);
    sizes.push_back(std::move(size));
  }
  return sizes;
}

/// What the user calls the sizes that the model has names for.
class Names {
public:
  /// The user's name for a declared one, else the declared one.
  std::string of(const std::string &declared) const {
    auto renamed = renamed_.find(declared);
    return renamed == renamed_.end() ? declared : renamed->second.name;
  }

  Status rename(const std::string &declared, const std::string &name,
                const std::string &where) {
    auto [known, isNew] = renamed_.emplace(declared, Renamed{name, where});
    if (isNew || known->second.name == name)
      return Status::success();
    return invalidArgument(where + ": the size is named '" + name + "' here and '" +
                           known->second.name + "' at " + known->second.where +
                           ", but the model says that both are equal ('" + declared +
                           "'): give them one name");
  }

private:
  struct Renamed {
    std::string name;
    std::string where;
  };
  std::map<std::string, Renamed> renamed_;
};

/// Puts what the user gave for one input into its declared sizes.
Status applySpecs(const ValueInfo &info, const std::vector<DimSpec> &specs,
                  std::vector<Size> &sizes, Names &names) {
  if (specs.size() != sizes.size())
    return invalidArgument(describe(info) + " has rank " + std::to_string(sizes.size()) +
                           ", but " + std::to_string(specs.size()) + " sizes were given");
  for (size_t axis = 0; axis < sizes.size(); ++axis) {
    const DimSpec &spec = specs[axis];
    Size &size = sizes[axis];
    std::string where = describe(info, axis);
    if (spec.size < -1)
      return invalidArgument(where + ": the size " + std::to_string(spec.size) +
                             " was given; expected a size, a name, or -1 to keep it");
    if (spec.size >= 0) {
      size.value = spec.size;
    } else if (!isPlaceholder(spec.name)) {
      if (!ShapedType::isDynamic(size.value))
        return invalidArgument(
            where + ": the name '" + spec.name + "' was given, but the size is " +
            std::to_string(size.value) + " in the model; leave it '?'");
      if (!size.name.empty())
        HEXIN_RETURN_IF_ERROR(names.rename(size.name, spec.name, where));
      size.name = spec.name;
      size.isNamedByUser = true;
    }
  }
  return Status::success();
}

/// Sizes by name; remembers where each was fixed.
class FixedSizes {
public:
  Status fix(const Size &size, const std::string &where) {
    if (size.name.empty() || ShapedType::isDynamic(size.value))
      return Status::success();
    auto [known, isNew] = fixed_.emplace(size.name, Fixed{size.value, where});
    if (isNew || known->second.value == size.value)
      return Status::success();
    return invalidArgument(where + ": size '" + size.name + "' is " +
                           std::to_string(size.value) + " here, but " +
                           std::to_string(known->second.value) + " at " +
                           known->second.where);
  }

  int64_t valueOf(const Size &size) const {
    auto known = size.name.empty() ? fixed_.end() : fixed_.find(size.name);
    return known == fixed_.end() ? size.value : known->second.value;
  }

private:
  struct Fixed {
    int64_t value;
    std::string where;
  };
  std::map<std::string, Fixed> fixed_;
};

/// Per input, its sizes as declared and as given.
Result<std::vector<std::vector<Size>>> resolveSizes(ArrayRef<const ValueInfo *> infos,
                                                    const Shapes &shapes) {
  Names names;
  std::vector<std::vector<Size>> allSizes;
  for (const ValueInfo *info : infos) {
    auto given = shapes.find(std::string(info->name));
    std::vector<Size> sizes;
    if (info->type.shape) {
      HEXIN_ASSIGN_OR_RETURN(sizes, declaredSizes(*info));
    } else if (given != shapes.end()) {
      sizes.resize(given->second.size());
    } else {
      return invalidArgument(describe(*info) +
                             " has no declared rank: give its sizes (shapes)");
    }
    if (given != shapes.end())
      HEXIN_RETURN_IF_ERROR(applySpecs(*info, given->second, sizes, names));
    allSizes.push_back(std::move(sizes));
  }
  FixedSizes fixed;
  for (auto [info, sizes] : llvm::zip(infos, allSizes))
    for (auto [axis, size] : llvm::enumerate(sizes)) {
      if (!size.isNamedByUser)
        size.name = names.of(size.name);
      HEXIN_RETURN_IF_ERROR(fixed.fix(size, describe(*info, axis)));
    }
  for (std::vector<Size> &sizes : allSizes)
    for (Size &size : sizes)
      size.value = fixed.valueOf(size);
  return allSizes;
}

/// `type` with the sizes that the user gave for the tensors in it.
Result<Type> withSizes(const ValueInfo &info, Type type,
                       const std::vector<DimSpec> &specs) {
  if (auto sequence = dyn_cast<hx::SequenceType>(type)) {
    HEXIN_ASSIGN_OR_RETURN(Type held, withSizes(info, sequence.getElementType(), specs));
    return Type(hx::SequenceType::get(type.getContext(), held));
  }
  if (auto optional = dyn_cast<hx::OptionalType>(type)) {
    HEXIN_ASSIGN_OR_RETURN(Type held, withSizes(info, optional.getElementType(), specs));
    return Type(hx::OptionalType::get(type.getContext(), held));
  }
  auto tensor = dyn_cast<TensorType>(type);
  if (!tensor)
    return invalidArgument(describe(info) + " is a map: its values have no sizes");
  SmallVector<int64_t> sizes(specs.size(), ShapedType::kDynamic);
  if (tensor.hasRank() && tensor.getRank() != static_cast<int64_t>(specs.size()))
    return invalidArgument(describe(info) + " holds tensors of rank " +
                           std::to_string(tensor.getRank()) + ", but " +
                           std::to_string(specs.size()) + " sizes were given");
  for (size_t axis = 0; axis < specs.size(); ++axis)
    if (specs[axis].size >= 0)
      sizes[axis] = specs[axis].size;
    else if (tensor.hasRank())
      sizes[axis] = tensor.getDimSize(static_cast<int64_t>(axis));
  return Type(RankedTensorType::get(sizes, tensor.getElementType()));
}

/// The type of an input that is no tensor.
Result<Type> resolveValue(MLIRContext *context, const ValueInfo &info,
                          const Shapes &shapes) {
  Result<Type> type = toValueType(context, info.type);
  if (!type.ok())
    return type.status().withContext(describe(info));
  auto given = shapes.find(std::string(info.name));
  return given == shapes.end() ? type : withSizes(info, *type, given->second);
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

  SmallVector<const ValueInfo *> tensors;
  for (const ValueInfo *info : infos) {
    if (!isUtf8(info->name))
      return corruptData("the name of an input is not UTF-8");
    if (info->type.kind == TypeInfo::Kind::tensor)
      tensors.push_back(info);
  }
  HEXIN_ASSIGN_OR_RETURN(auto allSizes, resolveSizes(tensors, shapes));

  std::vector<InputType> inputs;
  auto nextSizes = allSizes.begin();
  for (const ValueInfo *info : infos) {
    if (info->type.kind != TypeInfo::Kind::tensor) {
      HEXIN_ASSIGN_OR_RETURN(Type type, resolveValue(context, *info, shapes));
      inputs.push_back({type, {}});
      continue;
    }
    const std::vector<Size> &sizes = *nextSizes++;
    if (sizes.size() > static_cast<size_t>(maxRank))
      return unsupported(describe(*info) + " has rank " + std::to_string(sizes.size()) +
                         "; expected at most " + std::to_string(maxRank));
    Type elementType = toElementType(context, info->type.elementType);
    if (!elementType)
      return unsupported(describe(*info) + " has element type " +
                         dataTypeName(info->type.elementType));
    InputType input;
    SmallVector<int64_t> dims;
    for (const Size &size : sizes) {
      dims.push_back(size.value);
      input.dimNames.push_back(ShapedType::isDynamic(size.value) ? size.name
                                                                 : std::string());
    }
    input.type = RankedTensorType::get(dims, elementType);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

} // namespace hexin::onnx
