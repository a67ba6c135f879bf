//===- TemplateTarget.h - the compile half of a new backend ------------------===//
#ifndef HEXIN_BACKENDS_TEMPLATE_COMPILER_TEMPLATETARGET_H
#define HEXIN_BACKENDS_TEMPLATE_COMPILER_TEMPLATETARGET_H

#include "compiler/target/Target.h"

namespace hexin {

/// The "template" target: describes itself and refuses every kernel.
std::unique_ptr<Target> createTemplateTarget(const TargetOptions &options);

} // namespace hexin

#endif // HEXIN_BACKENDS_TEMPLATE_COMPILER_TEMPLATETARGET_H
