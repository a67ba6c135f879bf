//===- MappedFile.h - a read-only file in memory ------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_WIRE_MAPPEDFILE_H
#define HEXIN_FRONTENDS_ONNX_WIRE_MAPPEDFILE_H

#include "hexin/status.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace hexin::onnx {

/// The bytes of a regular file, mapped read-only until the last owner goes.
/// Whoever shortens the file meanwhile makes reads fault: do not.
class MappedFile {
public:
  static Result<std::shared_ptr<MappedFile>> open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  std::span<const std::byte> bytes() const { return {data, length}; }

private:
  MappedFile(const std::byte *data, size_t length) : data(data), length(length) {}

  const std::byte *data;
  size_t length;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_WIRE_MAPPEDFILE_H
