#include "compiler/ir/Errors.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace hexin::hx {

// Names can be fused over and over; a diagnostic needs only the first few.
static constexpr size_t maxNames = 16;

static void collectNames(Location location, llvm::SmallSetVector<StringRef, 4> &names) {
  SmallVector<Location> pending{location};
  while (!pending.empty() && names.size() < maxNames) {
    Location next = pending.pop_back_val();
    if (auto name = dyn_cast<NameLoc>(next)) {
      if (!name.getName().empty())
        names.insert(name.getName());
    } else if (auto fused = dyn_cast<FusedLoc>(next)) {
      pending.append(fused.getLocations().rbegin(), fused.getLocations().rend());
    } else if (auto call = dyn_cast<CallSiteLoc>(next)) {
      pending.push_back(call.getCallee());
    }
  }
}

std::string nodeNames(Location location) {
  llvm::SmallSetVector<StringRef, 4> names;
  collectNames(location, names);
  return llvm::join(names, "+");
}

std::string describe(Operation *op) {
  std::string text = op->getName().getStringRef().str();
  std::string names = nodeNames(op->getLoc());
  if (!names.empty())
    text += " '" + names + "'";
  return text + ": ";
}

InFlightDiagnostic emitNodeError(Operation *op) {
  InFlightDiagnostic diagnostic = op->emitError();
  diagnostic << describe(op);
  return diagnostic;
}

} // namespace hexin::hx
