//===- Weights.h - constant weights in oneDNN's own form ------------------------===//
//
// A primitive chooses the form; the weights are brought into it once. What has been
// made is shared by all primitives of the process that want the same, and kept on
// disk for the next process.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_WEIGHTS_H
#define HEXIN_BACKENDS_CPU_ONEDNN_WEIGHTS_H

#include "backends/cpu/onednn/Shapes.h"
#include "runtime/base/FileCache.h"

#include <memory>
#include <optional>

namespace hexin::onednn {

/// Weights that primitives read: made in memory, or mapped from the cache.
struct PackedWeights {
  dnnl::memory memory;
  std::optional<FileCache::Mapped> mapped;
};

/// Where constant weights come from and go to.
struct WeightSource {
  const hexin_binding &binding; ///< has host_data
  dnnl::memory::desc plain;     ///< the weights as hx has them, row-major
  bool isConv;                  ///< [M, C/g, taps...]; else a matrix
  bool isTransposed;            ///< matrix: [batch..., N, K]
  Dims panels;                  ///< width, groups of the stored panels; empty: plain
};

/// What preparing found and did; counted by the device.
struct WeightCounts {
  uint32_t reordered = 0; ///< made anew
  uint32_t cached = 0;    ///< found on disk
};

/// The weights in form `packed`. `cacheFolder`: "" for none. Throws OpError for
/// panels that do not fit the binding. Thread-safe.
std::shared_ptr<PackedWeights> packWeights(const WeightSource &source,
                                           const dnnl::memory::desc &packed,
                                           const std::string &cacheFolder,
                                           WeightCounts &counts);

} // namespace hexin::onednn

#endif // HEXIN_BACKENDS_CPU_ONEDNN_WEIGHTS_H
