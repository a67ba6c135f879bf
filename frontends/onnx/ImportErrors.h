//===- ImportErrors.h - what went wrong, and at which node ------------------===//
//
// Import functions and the dialect report errors as MLIR diagnostics. While a
// Collector exists they end in its text instead, each behind the node that was being
// imported; the kind of the last one is `code()`.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_IMPORTERRORS_H
#define HEXIN_FRONTENDS_ONNX_IMPORTERRORS_H

#include "frontends/onnx/Scope.h"

#include "hexin/status.h"

#include "mlir/IR/Diagnostics.h"

namespace hexin::onnx {

class ImportErrors {
public:
  explicit ImportErrors(mlir::MLIRContext *context) : context(context) {}

  /// Collects the errors of this thread while it exists; collectors nest.
  class Collector {
  public:
    explicit Collector(ImportErrors &errors);
    ~Collector() { errors.innermost = outer; }

    const std::string &text() const { return messages; }
    /// Hands what was collected to the collector around this one, if there is one.
    void passOn() const;

  private:
    void add(const std::string &message);

    ImportErrors &errors;
    Collector *outer;
    std::string messages;
    mlir::ScopedDiagnosticHandler handler;
  };

  /// Says in messages which node is being imported, while it exists.
  class Place {
  public:
    Place(ImportErrors &errors, const Node &node, const Scope &scope);
    ~Place() { errors.where = std::move(outer); }

  private:
    ImportErrors &errors;
    std::string outer;
  };

  const std::string &place() const { return where; }

  /// Of what kind the failure is. Unless something else is noted before the error is
  /// emitted, sizes contradict each other.
  StatusCode code() const { return failureCode; }
  void note(StatusCode code) { failureCode = code; }

  /// Notes the kind and emits an error.
  mlir::LogicalResult fail(StatusCode code, const llvm::Twine &message);
  mlir::LogicalResult malformed(const llvm::Twine &message) {
    return fail(StatusCode::corruptData, message);
  }
  mlir::LogicalResult unsupported(const llvm::Twine &message) {
    return fail(StatusCode::unsupported, message);
  }

private:
  mlir::MLIRContext *context;
  Collector *innermost = nullptr;
  std::string where = "model";
  StatusCode failureCode = StatusCode::invalidArgument;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_IMPORTERRORS_H
