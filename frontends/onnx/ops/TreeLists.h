//===- TreeLists.h - trees as operators have them: lists of attributes -------------===//
//
// Both readers fill a TreeModel of numbers as they stand in the file, and report what
// does not fit together; what the trees look like is not theirs (TreeTables.h).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_TREELISTS_H
#define HEXIN_FRONTENDS_ONNX_OPS_TREELISTS_H

#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/ops/TreeTables.h"

namespace hexin::onnx {

/// Whether a list of an attribute has the length of others; reports.
bool hasLength(OpBinder &b, llvm::StringRef name, size_t length, size_t expected);

/// Numbers that stand in an attribute of floats or, with "_as_tensor", in one of doubles:
/// `hasDoubles` becomes true.
llvm::SmallVector<double> readNumbers(OpBinder &b, const std::string &name,
                                      bool &hasDoubles);

/// TreeEnsembleRegressor and TreeEnsembleClassifier, whose nodes have ids of trees and
/// nodes; leaves' weights are those of `kind`, "target" or "class".
void readTreesById(OpBinder &b, const std::string &kind, TreeModel &model,
                   bool &hasDoubles);

/// TreeEnsemble, whose nodes and leaves are two lists that name each other by position.
void readTreesByPosition(OpBinder &b, TreeModel &model);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_TREELISTS_H
