#include "frontends/onnx/ImportErrors.h"

using namespace mlir;

namespace hexin::onnx {

ImportErrors::Collector::Collector(ImportErrors &errors)
    : errors(errors), outer(errors.innermost),
      handler(errors.context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
          return failure();
        add(this->errors.where + ": " + diagnostic.str());
        return success(); // its notes print the op: no reader of a model knows it
      }) {
  errors.innermost = this;
}

void ImportErrors::Collector::add(const std::string &message) {
  messages += (messages.empty() ? "" : "; ") + message;
}

void ImportErrors::Collector::passOn() const {
  if (outer)
    outer->add(messages);
}

ImportErrors::Place::Place(ImportErrors &errors, const Node &node, const Scope &scope)
    : errors(errors), outer(std::move(errors.where)) {
  std::string name = !node.name.empty()      ? std::string(node.name)
                     : !node.outputs.empty() ? "producing " + std::string(node.outputs[0])
                                             : "without outputs";
  // Of a long chain of calls the ends say enough.
  constexpr size_t most = 400, end = 160;
  std::string context = scope.context;
  if (context.size() > most)
    context.replace(end, context.size() - 2 * end, " … ");
  errors.where = context + "node '" + name + "' (" + std::string(node.opType) + ")";
}

LogicalResult ImportErrors::fail(StatusCode code, const Twine &message) {
  note(code);
  return emitError(UnknownLoc::get(context), message);
}

} // namespace hexin::onnx
