//===- OneDnnLibrary.h - loads the oneDNN shim ------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_ONEDNNLIBRARY_H
#define HEXIN_BACKENDS_CPU_RUNTIME_ONEDNNLIBRARY_H

#include "backends/cpu/onednn/OneDnnShim.h"
#include "hexin/status.h"

namespace hexin::cpu {

/// libhexin_onednn.so of this library's own folder; loaded at the first call and kept
/// until the process ends. Fails with `unavailable`, each time alike, when the file
/// or oneDNN is missing. Thread-safe.
Result<const hexin_onednn_api *> loadOneDnn();

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_ONEDNNLIBRARY_H
