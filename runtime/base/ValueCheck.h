//===- ValueCheck.h - a value against its declared type -------------------------===//
#ifndef HEXIN_RUNTIME_BASE_VALUECHECK_H
#define HEXIN_RUNTIME_BASE_VALUECHECK_H

#include "hexin/value_type.h"

#include <string>
#include <string_view>

namespace hexin {

/// "tensor", "tensor of strings", "sequence", ...
std::string_view toString(ValueKind kind);
ValueKind kindOf(const Value &value);

/// What a tensor, string tensor, ... is, for messages: "f32[2, 3]", "a map".
std::string describe(const Value &value);

/// That `value` has type `type`, all that it holds included; invalidArgument names the
/// place, as in "input 'x'[3]". Goes no deeper than the type does.
Status checkValue(const Value &value, const ValueType &type, const std::string &what);

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_VALUECHECK_H
