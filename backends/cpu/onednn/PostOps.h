//===- PostOps.h - the post_ops string --------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_POSTOPS_H
#define HEXIN_BACKENDS_CPU_ONEDNN_POSTOPS_H

#include "backends/cpu/onednn/Shapes.h"

#include <functional>
#include <vector>

namespace hexin::onednn {

struct PostOps {
  dnnl::post_ops ops;
  /// Per binary step: its place in `ops`, which its operand's argument id needs.
  std::vector<int> binarySteps;
};

/// Parses the steps (backends/cpu/abi/LibraryOps.h lists them). `operandDesc(i)`
/// describes the i-th operand of a binary step. Throws OpError.
PostOps parsePostOps(std::string_view text,
                     const std::function<dnnl::memory::desc(size_t)> &operandDesc);

} // namespace hexin::onednn

#endif // HEXIN_BACKENDS_CPU_ONEDNN_POSTOPS_H
