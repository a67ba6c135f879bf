//===- TensorLoader.h - the elements of a TensorProto --------------------------===//
//
// Gives little-endian row-major data as a hexin::Tensor. raw_data and external
// data are not copied: the tensor looks into the mapping, read-only and at any
// alignment (packed 4- and 2-bit types and odd bools are unpacked into memory of
// their own). Every size is checked against the bytes that are really there
// before anything is allocated.
//
// External files must lie in the model's folder: no absolute path, no "..", no
// symbolic link that leads out. Each is mapped once.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_WIRE_TENSORLOADER_H
#define HEXIN_FRONTENDS_ONNX_WIRE_TENSORLOADER_H

#include "frontends/onnx/wire/Model.h"

#include "hexin/value.h"

#include <map>

namespace hexin::onnx {

class MappedFile;

class TensorLoader {
public:
  /// `model` must outlive the loader; the tensors share its storage's ownership.
  /// Without storage (bytes borrowed from a caller) they live as long as those.
  explicit TensorLoader(const Model &model) : model(model) {}

  Result<Tensor> load(const TensorData &data);
  Result<StringTensor> loadStrings(const TensorData &data);

private:
  struct Bytes {
    std::string_view view;
    std::shared_ptr<void> owner;
  };
  Result<Bytes> storedBytes(const TensorData &data);
  Result<Bytes> externalBytes(const TensorData &data);
  Result<std::shared_ptr<MappedFile>> openExternal(std::string_view location);

  const Model &model;
  std::map<std::string, std::shared_ptr<MappedFile>, std::less<>> files;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_WIRE_TENSORLOADER_H
