//===- InputValues.h - from --input, --fill and --random-inputs to values ----===//
#ifndef HEXIN_RUNTIME_TOOLS_INPUTVALUES_H
#define HEXIN_RUNTIME_TOOLS_INPUTVALUES_H

#include "hexin/model.h"
#include "hexin/session.h"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hexin::cli {

struct InputOptions {
  std::vector<std::string> values; ///< NAME=FILE.npy, or NAME=NUMBER in every element
  std::vector<std::string> fills;  ///< NAME=NUMBER in every element
  std::vector<std::string> shapes; ///< NAME=SIZES, for filled and random inputs
  bool randomInputs = false;       ///< for every input without a value
  uint64_t seed = 0;               ///< of these, and of the session's random operators
};

/// Declares the options above on `command`.
void addInputOptions(CLI::App &command, InputOptions &options);

struct MadeInputs {
  NamedValues values;              ///< in the model's order
  std::vector<std::string> random; ///< of these the contents were made up

  /// `failure` of a run on these, with a hint when made-up values may be to blame.
  Status explain(Status failure) const;
  /// "x f32 [1, 512], sr i64 []"
  std::string describe() const;
};

/// A value for every input of `model`. Files must have the declared dtype and
/// rank. A dynamic axis of a filled or random input takes its size from --shape,
/// else from another input that has the same symbol, else it is 1.
///
/// Random floats lie in [0, 1), random integers are 0 or 1, so that they are
/// valid as masks and indices. The numbers depend on the seed, the input's name
/// and the element only: they are the same on every machine.
Result<MadeInputs> makeInputs(const Model &model, const InputOptions &options);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_INPUTVALUES_H
