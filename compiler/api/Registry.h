//===- Registry.h - the frontends and targets of this build -----------------===//
//
// Registry.cpp is written by CMake from the backends and frontends that are built:
// the one place that names them.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_API_REGISTRY_H
#define HEXIN_COMPILER_API_REGISTRY_H

#include "compiler/target/Target.h"
#include "frontends/Frontend.h"

#include <memory>
#include <string>
#include <vector>

namespace hexin::compiler {

std::vector<std::unique_ptr<Frontend>> createFrontends();

/// Names of all targets, as "cpu".
std::vector<std::string> targetNames();

/// Null for an unknown name.
std::unique_ptr<Target> createTarget(const std::string &name,
                                     const TargetOptions &options);

} // namespace hexin::compiler

#endif // HEXIN_COMPILER_API_REGISTRY_H
