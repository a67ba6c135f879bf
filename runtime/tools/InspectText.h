//===- InspectText.h - a .hxm file as a person reads it -----------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_INSPECTTEXT_H
#define HEXIN_RUNTIME_TOOLS_INSPECTTEXT_H

#include "hexin/model.h"

#include <string>

namespace hexin::cli {

/// Name, inputs, outputs, states, metadata (long values cut), sections and a
/// line per program, with one more per instruction when asked for.
std::string inspectText(const Model &model, bool showInstructions);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_INSPECTTEXT_H
