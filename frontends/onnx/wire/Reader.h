//===- Reader.h - the ONNX wire format, read with bounds ----------------------===//
//
// Damaged and hostile files give a Status that names the place
// ("graph, node 'x' (Conv), attribute 'pads': ..."); never more memory than a
// fixed multiple of the file's size, never deep recursion.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_WIRE_READER_H
#define HEXIN_FRONTENDS_ONNX_WIRE_READER_H

#include "frontends/onnx/wire/Model.h"

#include "hexin/status.h"

namespace hexin::onnx {

struct ReadLimits {
  uint64_t maxFileBytes = uint64_t(2) << 30; ///< protobuf's own limit
  uint32_t maxDepth = 48;                    ///< nested subgraphs and types
  /// Memory for the parsed structs: base + factor x file size.
  uint64_t baseBytes = uint64_t(16) << 20;
  uint64_t bytesPerFileByte = 48;
};

/// Maps `path`; external data is looked for in its folder.
Result<Model> readModel(const std::string &path, const ReadLimits &limits = {});

/// Reads from memory that the caller keeps alive, or that `owner` does.
/// External data is refused.
Result<Model> readModel(std::span<const std::byte> bytes,
                        std::shared_ptr<const void> owner = nullptr,
                        const ReadLimits &limits = {});

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_WIRE_READER_H
