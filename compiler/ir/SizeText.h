//===- SizeText.h - sizes in messages --------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_SIZETEXT_H
#define HEXIN_COMPILER_IR_SIZETEXT_H

#include "compiler/ir/Symbols.h"

#include <string>

namespace hexin::hx {

/// `dim` as SymbolTable::toString writes it, but in words that whoever has the model
/// knows: a size that the model does not name is "input 'x' dimension 1", not "s1".
/// For messages; IR is printed with the short names.
std::string describeSize(const SymbolTable &symbols, Dim dim);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_SIZETEXT_H
