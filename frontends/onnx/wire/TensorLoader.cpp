#include "frontends/onnx/wire/TensorLoader.h"

#include "frontends/onnx/wire/DataType.h"
#include "frontends/onnx/wire/MappedFile.h"
#include "frontends/onnx/wire/TypedData.h"

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/base/StoredBits.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace hexin::onnx {
namespace {

std::string_view findKey(const std::vector<StringPair> &pairs, std::string_view key) {
  for (const StringPair &pair : pairs)
    if (pair.key == key)
      return pair.value;
  return {};
}

Result<uint64_t> parseUnsigned(std::string_view text, const char *key) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return corruptData(std::string("external data: ") + key + " '" + std::string(text) +
                       "' is not a number");
  return value;
}

struct Extent {
  DType dtype;
  int64_t numElements;
  int64_t storedBytes;
};

Result<Extent> extentOf(const TensorData &data) {
  std::optional<DType> dtype = toDType(data.dataType);
  if (!dtype)
    return unsupported("element type " + dataTypeName(data.dataType));
  std::optional<int64_t> numElements = checkedNumElements(data.dims);
  // The memory form is never larger than 16 bytes an element.
  if (!numElements || !checkedMul(*numElements, 16 * 8))
    return corruptData("sizes are negative or overflow");
  int64_t bits = *numElements * storedBits(*dtype);
  return Extent{*dtype, *numElements, (bits + 7) / 8};
}

/// One byte per element from 2- or 4-bit fields, low bits first; signed types
/// are sign-extended.
Result<Tensor> unpack(std::string_view packed, DType dtype,
                      std::span<const int64_t> dims) {
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(dtype, dims));
  const auto bits = static_cast<size_t>(storedBits(dtype));
  const size_t perByte = 8 / bits;
  const bool isSigned = dtype == DType::i4 || dtype == DType::i2;
  auto *elements = tensor.as<uint8_t>();
  for (size_t i = 0; i < tensor.byteLength(); ++i) {
    const size_t lowestBit = bits * (i % perByte);
    auto high = static_cast<uint8_t>(static_cast<uint8_t>(packed[i / perByte])
                                     << (8 - bits - lowestBit));
    elements[i] = isSigned ? static_cast<uint8_t>(static_cast<int8_t>(high) >> (8 - bits))
                           : static_cast<uint8_t>(high >> (8 - bits));
  }
  return tensor;
}

Status requireEntries(const TensorData &data, DType dtype, int64_t expected) {
  HEXIN_ASSIGN_OR_RETURN(int64_t count, countTypedData(data, dtype));
  if (count == expected)
    return Status::success();
  return corruptData("has " + std::to_string(count) + " data entries of " +
                     dataTypeName(data.dataType) + "; its sizes ask for " +
                     std::to_string(expected));
}

Result<Tensor> loadTyped(const TensorData &data, DType dtype, int64_t numElements) {
  if (storedBits(dtype) < 8) {
    int64_t numBytes = (numElements * storedBits(dtype) + 7) / 8;
    HEXIN_RETURN_IF_ERROR(requireEntries(data, dtype, numBytes));
    std::string packed(static_cast<size_t>(numBytes), '\0');
    HEXIN_RETURN_IF_ERROR(
        copyTypedData(data, dtype, 1, std::as_writable_bytes(std::span(packed))));
    return unpack(packed, dtype, data.dims);
  }
  const bool isComplex = dtype == DType::c64 || dtype == DType::c128;
  HEXIN_RETURN_IF_ERROR(
      requireEntries(data, dtype, isComplex ? 2 * numElements : numElements));
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(dtype, data.dims));
  HEXIN_RETURN_IF_ERROR(copyTypedData(data, dtype, static_cast<size_t>(byteWidth(dtype)),
                                      {tensor.as<std::byte>(), tensor.byteLength()}));
  return tensor;
}

bool isNormalBool(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](char c) { return static_cast<uint8_t>(c) <= 1; });
}

} // namespace

Result<std::shared_ptr<MappedFile>>
TensorLoader::openExternal(std::string_view location) {
  namespace fs = std::filesystem;
  if (auto it = files.find(location); it != files.end())
    return it->second;
  if (model.folder.empty())
    return invalidArgument("external data '" + std::string(location) +
                           "' cannot be found: the model was given as bytes in memory; "
                           "pass its path instead");
  fs::path relative(location);
  bool isInside = !location.empty() && relative.is_relative() &&
                  location.find('\0') == std::string_view::npos;
  for (const fs::path &part : relative)
    isInside &= part != "..";
  if (!isInside)
    return corruptData("external data '" + std::string(location) +
                       "' is not a path inside the model's folder");
  std::error_code error;
  fs::path folder = fs::canonical(model.folder, error);
  fs::path target = error ? fs::path() : fs::canonical(folder / relative, error);
  if (error)
    return notFound("external data '" + std::string(location) + "' in folder '" +
                    model.folder + "': " + error.message());
  auto [folderEnd, rest] =
      std::mismatch(folder.begin(), folder.end(), target.begin(), target.end());
  if (folderEnd != folder.end())
    return corruptData("external data '" + std::string(location) +
                       "' is a link that leads out of the model's folder");
  HEXIN_ASSIGN_OR_RETURN(std::shared_ptr<MappedFile> file,
                         MappedFile::open(target.string()));
  files.emplace(std::string(location), file);
  return file;
}

Result<TensorLoader::Bytes> TensorLoader::externalBytes(const TensorData &data) {
  HEXIN_ASSIGN_OR_RETURN(std::shared_ptr<MappedFile> file,
                         openExternal(findKey(data.externalData, "location")));
  uint64_t offset = 0;
  if (std::string_view text = findKey(data.externalData, "offset"); !text.empty()) {
    HEXIN_ASSIGN_OR_RETURN(offset, parseUnsigned(text, "offset"));
  }
  std::span<const std::byte> bytes = file->bytes();
  uint64_t length = offset <= bytes.size() ? bytes.size() - offset : 0;
  if (std::string_view text = findKey(data.externalData, "length"); !text.empty()) {
    HEXIN_ASSIGN_OR_RETURN(length, parseUnsigned(text, "length"));
  }
  if (!rangeFits(offset, length, bytes.size()))
    return corruptData("external data: " + std::to_string(length) + " bytes at " +
                       std::to_string(offset) + " lie outside of the file's " +
                       std::to_string(bytes.size()));
  return Bytes{
      std::string_view(reinterpret_cast<const char *>(bytes.data()) + offset, length),
      file};
}

Result<TensorLoader::Bytes> TensorLoader::storedBytes(const TensorData &data) {
  if (data.isExternal)
    return externalBytes(data);
  return Bytes{*data.rawData, std::const_pointer_cast<void>(model.storage)};
}

Result<Tensor> TensorLoader::load(const TensorData &data) {
  HEXIN_ASSIGN_OR_RETURN(Extent extent, extentOf(data));
  if (extent.dtype == DType::string)
    return unsupported("a tensor of strings has no bytes");
  if (extent.numElements == 0)
    return Tensor::allocate(extent.dtype, data.dims);
  if (!data.rawData && !data.isExternal)
    return loadTyped(data, extent.dtype, extent.numElements);

  HEXIN_ASSIGN_OR_RETURN(int64_t numTyped, countTypedData(data, extent.dtype));
  if (numTyped != 0)
    return corruptData("has its elements twice: as " +
                       std::string(data.isExternal ? "external" : "raw") +
                       " data, and as a list of " + std::to_string(numTyped) +
                       " numbers; expected one of them");
  HEXIN_ASSIGN_OR_RETURN(Bytes bytes, storedBytes(data));
  if (bytes.view.size() != static_cast<uint64_t>(extent.storedBytes))
    return corruptData("has " + std::to_string(bytes.view.size()) + " bytes of data; " +
                       std::to_string(extent.numElements) + " elements of " +
                       dataTypeName(data.dataType) + " take " +
                       std::to_string(extent.storedBytes));
  if (storedBits(extent.dtype) < 8)
    return unpack(bytes.view, extent.dtype, data.dims);
  if (extent.dtype == DType::boolean && !isNormalBool(bytes.view)) {
    HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(extent.dtype, data.dims));
    std::transform(bytes.view.begin(), bytes.view.end(), tensor.as<uint8_t>(),
                   [](char c) -> uint8_t { return c != 0; });
    return tensor;
  }
  return Tensor::wrap(extent.dtype, data.dims, const_cast<char *>(bytes.view.data()),
                      bytes.view.size(), std::move(bytes.owner));
}

Result<StringTensor> TensorLoader::loadStrings(const TensorData &data) {
  HEXIN_ASSIGN_OR_RETURN(Extent extent, extentOf(data));
  if (extent.dtype != DType::string)
    return invalidArgument("element type " + dataTypeName(data.dataType) +
                           " where STRING was expected");
  StringTensor tensor;
  tensor.dims = data.dims;
  HEXIN_RETURN_IF_ERROR(readStrings(data, tensor.elements));
  if (tensor.elements.size() != static_cast<uint64_t>(extent.numElements))
    return corruptData("has " + std::to_string(tensor.elements.size()) +
                       " strings; its sizes "
                       "ask for " +
                       std::to_string(extent.numElements));
  return tensor;
}

} // namespace hexin::onnx
