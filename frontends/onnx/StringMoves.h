//===- StringMoves.h - operators that move strings by moving numbers ----------===//
//
// An import function that only moves elements, and is written for numbers, moves the
// positions of strings as well: each string operand becomes the positions of its
// elements among all strings of the node, and what comes out says which string goes
// where. Position 0 is "", which is what such operators fill gaps with.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_STRINGMOVES_H
#define HEXIN_FRONTENDS_ONNX_STRINGMOVES_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

class StringMoves {
public:
  /// Writes the positions; errors stick in `b`.
  StringMoves(OpBinder &b, llvm::ArrayRef<Value> inputs);

  /// The operands with positions (i64) in the place of strings.
  llvm::ArrayRef<Value> numbers() const { return operands; }
  /// The strings at moved positions.
  Value at(OpBinder &b, Value positions) const;

private:
  llvm::SmallVector<Value> operands;
  Value words; ///< [n], the first is ""
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_STRINGMOVES_H
