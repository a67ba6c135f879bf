//===- OpBinder.h - one node, as its import function sees it ---------------------===//
//
// Inputs are SSA values, attributes are read by name with a default, results are
// set by index. An error is reported at the node and sticks (see HxBuilder);
// reading a malformed attribute reports and gives the default.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPBINDER_H
#define HEXIN_FRONTENDS_ONNX_OPBINDER_H

#include "frontends/onnx/ShapeMath.h"
#include "frontends/onnx/wire/Model.h"

#include "hexin/value.h"

namespace hexin::onnx {

class GraphImporter;
struct Scope;

class OpBinder : public HxBuilder {
public:
  OpBinder(GraphImporter &importer, Scope &scope, const Node &node, int64_t sinceVersion,
           int64_t opset, llvm::ArrayRef<Value> inputs, mlir::Location loc);

  // The node.
  const Node &node() const { return theNode; }
  int64_t sinceVersion() const { return since; } ///< of the table row
  int64_t opset() const { return opsetVersion; } ///< what the model asks for
  GraphImporter &importer() { return theImporter; }
  Scope &scope() { return theScope; }

  // Inputs: null when left out.
  unsigned numInputs() const { return static_cast<unsigned>(inputs.size()); }
  Value input(unsigned index) const {
    return index < inputs.size() ? inputs[index] : Value();
  }
  bool has(unsigned index) const { return static_cast<bool>(input(index)); }
  llvm::ArrayRef<Value> allInputs() const { return inputs; }

  // Outputs.
  unsigned numOutputs() const { return static_cast<unsigned>(theNode.outputs.size()); }
  bool wants(unsigned index) const {
    return index < theNode.outputs.size() && !theNode.outputs[index].empty();
  }
  void result(unsigned index, Value value);
  llvm::ArrayRef<Value> results() const { return resultValues; }

  // Attributes.
  const Attribute *find(llvm::StringRef name) const;
  bool hasAttribute(llvm::StringRef name) const { return find(name) != nullptr; }
  int64_t intAttr(llvm::StringRef name, int64_t fallback);
  double floatAttr(llvm::StringRef name, double fallback);
  llvm::StringRef stringAttr(llvm::StringRef name, llvm::StringRef fallback);
  llvm::SmallVector<int64_t> intsAttr(llvm::StringRef name,
                                      llvm::ArrayRef<int64_t> fallback = {});
  llvm::SmallVector<double> floatsAttr(llvm::StringRef name);
  llvm::SmallVector<std::string> stringsAttr(llvm::StringRef name);
  const TensorData *tensorAttr(llvm::StringRef name);
  const Graph *graphAttr(llvm::StringRef name); ///< required

  // Helpers of many operators.
  /// `axis` counted from the front, or an error; `rank` is what it indexes into.
  int64_t normalizeAxis(int64_t axis, int64_t rank, llvm::StringRef what = "axis");
  /// The same for a list, sorted; a repeated axis is an error.
  llvm::SmallVector<int64_t> normalizeAxes(llvm::ArrayRef<int64_t> axes, int64_t rank);
  /// Integers of an input that must be known when compiling; else an error that
  /// calls it `what`. Empty when failed.
  llvm::SmallVector<int64_t> constantInts(unsigned index, llvm::StringRef what);
  /// The numbers of a small constant, of any type; nullopt when it is none.
  std::optional<llvm::SmallVector<double>> constantFloats(Value value);
  /// Elements of a small integer input; reports. Empty when failed.
  hx::Dims readInts(unsigned index);
  /// The IR type of a TensorProto.DataType; reports unknown ones, and strings where the
  /// operator does not make any.
  mlir::Type toType(int64_t dataType, bool mayBeString = false);

  // Errors: where is added by the importer.
  void error(const llvm::Twine &message);       ///< the model contradicts itself
  void unsupported(const llvm::Twine &message); ///< we cannot do this
  /// These sizes cannot be: in a branch of an If, it is one that is never taken.
  void contradiction(const llvm::Twine &message);
  /// (What only a run knows is for check() and its kin, Checks.h.)

  ShapeMath shape;

private:
  const Attribute *findAs(llvm::StringRef name, Attribute::Kind kind);

  GraphImporter &theImporter;
  Scope &theScope;
  const Node &theNode;
  int64_t since;
  int64_t opsetVersion;
  llvm::ArrayRef<Value> inputs;
  llvm::SmallVector<Value, 4> resultValues;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPBINDER_H
