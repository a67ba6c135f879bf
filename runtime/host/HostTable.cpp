// The one symbol of libhexin_reference.
#include "runtime/host/HostTable.h"

extern "C" __attribute__((visibility("default"))) const hexin::host::HostTable *
hexin_reference_table() {
  static const hexin::host::HostTable table = {HEXIN_BUILD_ID, &hexin::host::isHostOp,
                                               &hexin::host::run, &hexin::reference::run};
  return &table;
}
