//===- Library.h - finding and loading our own shared libraries ---------------===//
#ifndef HEXIN_RUNTIME_DEVICE_LIBRARY_H
#define HEXIN_RUNTIME_DEVICE_LIBRARY_H

#include "hexin/status.h"

#include <string>
#include <vector>

namespace hexin {

/// Where our libraries may lie: the folders in environment variable `variable`
/// (':' between them), the folder this code was loaded from, and ../lib of it.
std::vector<std::string> libraryFolders(const char *variable);

/// Loads `fileName` from the first of `folders` that has it and gives the address
/// of `symbol`. The library stays loaded. notFound names where it was looked for.
Result<void *> loadSymbol(const std::vector<std::string> &folders,
                          const std::string &fileName, const char *symbol);

} // namespace hexin

#endif // HEXIN_RUNTIME_DEVICE_LIBRARY_H
